"""Show entries to people: who, when, why, and the values before and after."""

import html
import json
from collections.abc import Mapping
from typing import Any

from compliance.trail import entry_form
from compliance.trail.entry_form import EntryMalformed
from compliance.trail.tlog import commitment
from compliance.trail.tlog.canonical import NotCanonical
from compliance.trail.verifier import markup
from compliance.trail.verifier.contents import Contents, Entry
from compliance.trail.verifier.findings import FAULTS, Verdict
from compliance.trail.verifier.outcome import Result

LOG_TABLE = "trail_logevent"
_VERBS = {"insert": "created", "update": "changed", "delete": "deleted"}


class Timeline:
    """Renders the entries of one bundle, with their verdicts when there are some."""

    def __init__(self, contents: Contents, result: Result | None) -> None:
        self._result = result
        self._values = _disclosed(contents)
        self._parsed = [(one, _members(one)) for one in contents.entries]

    def of_records(self) -> str:
        """Return the entries about the plant and its people."""
        return self._list(is_about_log=False)

    def of_log(self) -> str:
        """Return the entries in which the log speaks about itself."""
        return self._list(is_about_log=True)

    def _list(self, *, is_about_log: bool) -> str:
        items = [
            f"<li>{self._article(entry, members)}</li>\n"
            for entry, members in self._parsed
            if (members is not None and members["record"] == LOG_TABLE) is is_about_log
        ]
        if not items:
            return '<p class="none">None in this bundle.</p>\n'
        return f'<ol class="timeline">\n{"".join(items)}</ol>\n'

    def _article(self, entry: Entry, members: Mapping[str, Any] | None) -> str:
        if members is None:
            return (
                f'<article id="e{entry.index}"><header>{self._verdict(entry.index)}'
                f'<span class="index">entry {entry.index}</span></header>'
                f"<p>Not in the form of an entry:</p><p>{markup.code(repr(entry.body))}</p>"
                "</article>"
            )
        act = members["act"]
        return (
            f'<article id="e{entry.index}"><header>{self._verdict(entry.index)}'
            f"<h3>{_heading(members)}</h3>"
            f'<time datetime="{members["at"]}">{_human(members["at"])}</time>'
            f'<span class="index">entry {entry.index}, number {members["record_seq"]} of its record'
            "</span></header>\n"
            f'<p class="who"><strong>{markup.text(act["actor"])}</strong>, '
            f"{markup.text(act['role'])}: {markup.text(act['action'])}</p>\n"
            f"<p>Reason: {markup.text(act['reason']) if act['reason'] else _NONE}</p>\n"
            f"{self._bracket(entry.index)}{self._changes(entry.index, members)}"
            f"{_proof(entry, members)}</article>"
        )

    def _bracket(self, index: int) -> str:
        """Say between which time stamps an entry is, where a verification showed it."""
        bracket = self._result and self._result.brackets.get(index)
        if not bracket or (bracket.not_before is None and bracket.not_after is None):
            return ""
        after, before = (
            "the beginning" if one is None else _human(one.isoformat())
            for one in (bracket.not_before, bracket.not_after)
        )
        end = "with no time stamp after it" if bracket.not_after is None else f"and {before}"
        return f'<p class="index">Sealed between {after} {end}</p>\n'

    def _verdict(self, index: int) -> str:
        if self._result is None:
            return ""
        verdict = self._result.entries[index]
        return f'<span class="verdict {tone(verdict)}">{verdict}</span>'

    def _changes(self, index: int, members: Mapping[str, Any]) -> str:
        old, new = members["old"], members["new"]
        record = members["record"]
        rows = "".join(
            f'<tr><th scope="row">{markup.text(column)}</th>'
            f"<td{_class(column, old, 'old')}>{self._value(index, record, column, old)}</td>"
            f"<td{_class(column, new, 'new')}>{self._value(index, record, column, new)}</td></tr>\n"
            for column in sorted({*old, *new})
        )
        table = (
            '<table class="changes"><thead><tr>'
            '<th scope="col">field</th><th scope="col">before</th><th scope="col">after</th>'
            f"</tr></thead>\n<tbody>{rows}</tbody></table>\n"
        )
        if record != LOG_TABLE:
            return table
        return f"<details><summary>Document</summary>{table}</details>\n"

    def _value(self, index: int, record: str, column: str, part: Mapping[str, Any]) -> str:
        value = part.get(column)
        if value is None:
            return '<span class="none">empty</span>' if column in part else _NONE
        if commitment.is_named_only(value):
            return '<span class="none">as the entry before has it</span>'
        if commitment.is_commitment(value):
            known = self._values.get((index, value["c"], f"{record}.{column}"))
            return _withheld(value["c"]) if known is None else markup.text(known)
        if isinstance(value, str):
            return markup.text(value)
        return markup.code(json.dumps(value, ensure_ascii=True, sort_keys=True))


def tone(verdict: Verdict) -> str:
    """Return the class of a verdict: good, warn or bad."""
    if verdict in (Verdict.VALID, Verdict.REDACTED_AUTHORISED):
        return "good"
    return "bad" if verdict in FAULTS or verdict is Verdict.MALFORMED else "warn"


_NONE = '<span class="none">none</span>'


def _withheld(digest: str) -> str:
    return '<span class="withheld">withheld</span> ' + markup.code(digest[:16] + "…")


def _heading(members: Mapping[str, Any]) -> str:
    kind = members["new"].get("kind")
    if members["record"] == LOG_TABLE and isinstance(kind, str):
        return f"The log: {markup.text(kind)}"
    name, record_id = markup.text(members["record"]), markup.text(members["record_id"])
    return f"{name} {record_id} {_VERBS[members['op']]}"


def _class(column: str, part: Mapping[str, Any], name: str) -> str:
    return f' class="{name}"' if column in part else ""


def _human(at: str) -> str:
    return f"{at[:10]} {at[11:19]} UTC"


def _proof(entry: Entry, members: Mapping[str, Any]) -> str:
    act = members["act"]
    shown = [
        ("act", markup.text(act["id"])),
        ("acted at", html.escape(act["acted_at"])),
        ("actor's id", markup.text(act["actor_id"])),
        ("source", markup.text(act["source"])),
        ("entry before", markup.code(members["prev"]) if members["prev"] else _NONE),
        ("digest", markup.code(entry.digest.hex())),
        ("chain before", markup.code(entry.previous.hex())),
        ("proof", f"{len(entry.proof)} hashes to the root"),
    ]
    return f"<details><summary>Proof</summary>{markup.pairs(shown)}</details>"


def _members(entry: Entry) -> Mapping[str, Any] | None:
    try:
        return entry_form.parse(entry.body)
    except (NotCanonical, EntryMalformed):
        return None


def _disclosed(contents: Contents) -> dict[tuple[int, str, str], str]:
    """Return the disclosed values by entry, commitment and path; a false opening has no place."""
    found = {}
    for one in contents.openings:
        if len(one.path.encode()) <= commitment.MAX_PATH:
            digest = commitment.commit(one.path, salt=one.salt, value=one.value).hex()
            found[one.index, digest, one.path] = one.value
    return found
