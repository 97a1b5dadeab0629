"""Render a bundle as one page for people: no scripts, nothing from elsewhere, the same every time."""

import html
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from importlib import resources
from itertools import groupby

from compliance.trail import entry_form
from compliance.trail.entry_form import EntryMalformed
from compliance.trail.tlog import note, octets, shapes
from compliance.trail.tlog.canonical import NotCanonical
from compliance.trail.verifier import documents, markup, report_entries
from compliance.trail.verifier.contents import Contents, Kind, Subject
from compliance.trail.verifier.findings import Exit
from compliance.trail.verifier.outcome import Result

_KINDS = {
    Kind.RECORD: "A record",
    Kind.BATCH: "A batch",
    Kind.PERIOD: "A period",
    Kind.PERSON: "What a person did",
    Kind.ACT: "An act",
}
_SAYINGS = {
    Exit.GOOD: ("good", "Verified, and anchored in what was trusted."),
    Exit.FAULTY: ("bad", "Not verified: something is wrong."),
    Exit.MALFORMED: ("bad", "Not verified: this is not the bundle that was made."),
    Exit.UNANCHORED: ("warn", "Not verified: nothing is wrong in itself, but it is not anchored."),
    Exit.NOT_CHECKED: ("warn", "Not wholly verified: not everything could be checked."),
}


def render(contents: Contents, result: Result | None = None) -> bytes:
    """Return the page; with a result it says what was verified, else that it proves nothing."""
    timeline = report_entries.Timeline(contents, result)
    title = html.escape(contents.subject.title)
    parts = [
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title} – evidence from the audit trail</title>\n"
        f"<style>\n{_style()}</style></head>\n<body>\n<header>\n"
        f'<p class="kicker">{_KINDS[contents.subject.kind]} – evidence from the audit trail</p>\n'
        f"<h1>{markup.text(contents.subject.title)}</h1>\n"
        f"<p>{markup.text(contents.subject.description)}</p>\n</header>\n<main>\n",
        _notice(result),
        _about(contents),
        *_problems(result),
        "<h2>What happened</h2>\n",
        timeline.of_records(),
        "<h2>What the log says about itself</h2>\n",
        timeline.of_log(),
        "<h2>Checkpoints</h2>\n",
        _checkpoints(contents),
        *_times(contents, result),
        "</main>\n<footer><p>Form gmp-audit/evidence-bundle, version 1. The verifier renders this "
        "page again from the other files of the bundle and refuses one that differs.</p></footer>\n"
        "</body></html>\n",
    ]
    return "".join(parts).encode()


def _style() -> str:
    return resources.files("compliance.trail.verifier").joinpath("report.css").read_text("utf-8")


def _notice(result: Result | None) -> str:
    if result is None:
        return (
            '<div class="notice"><strong>This page is for reading. It proves nothing itself.'
            "</strong><p>Run the verifier on the bundle, as README.txt says: it checks every "
            "signature and proof, and that this page shows what the bundle says.</p></div>\n"
        )
    tone, saying = _SAYINGS[result.exit]
    counted = "; ".join(f"{count} {verdict}" for verdict, count in _counts(result))
    return (
        f'<div class="notice {tone}" role="status"><strong>{saying}</strong>'
        f"<p>Entries: {counted or 'none'}.</p>"
        f"<p>{html.escape(_sentences(result.shown.sayings()))}</p></div>\n"
    )


def _sentences(sayings: Iterable[str]) -> str:
    return " ".join(f"{one[:1].upper()}{one[1:]}." for one in sayings)


def _counts(result: Result) -> list[tuple[str, int]]:
    verdicts = [str(one) for one in result.entries.values()]
    return [(one, verdicts.count(one)) for one in sorted(set(verdicts))]


def _about(contents: Contents) -> str:
    subject = contents.subject
    records = "; ".join(
        f"{markup.text(name)} {markup.text(_listed(ids))}" for name, ids in _by_table(subject)
    )
    shown = [
        ("log", markup.text(contents.origin)),
        ("entries here", f"{len(contents.entries)} of {contents.tree_size} in the log"),
        ("made at, as the sender says", _human(contents.created_at)),
        ("said to be complete for", records or '<span class="none">no record</span>'),
    ]
    if subject.range:
        shown.append(
            ("said to be complete for indices", f"{subject.range[0]} to {subject.range[1]}")
        )
    if old := _old_log(contents):
        shown.append(("continues the log", markup.text(old)))
    if contents.completeness.seal is not None:
        shown.append(("sealed as of", _sealed(contents)))
    return markup.pairs(shown)


def _by_table(subject: Subject) -> Iterator[tuple[str, list[str]]]:
    """Yield the tables of the subject's records in order, each with the keys of its records."""
    for name, group in groupby(sorted(subject.records), key=lambda record: record[0]):
        yield name, [record_id for _, record_id in group]


def _listed(ids: Sequence[str]) -> str:
    """Return a few keys as they are, and of many how many there are."""
    if len(ids) <= 12:
        return ", ".join(ids)
    return f"{', '.join(ids[:3])} and {len(ids) - 3} more (all are in manifest.json)"


def _human(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "seconds") + " UTC"


def _old_log(contents: Contents) -> str:
    """Return what the first entry says of the log before this one; empty for most logs."""
    first = contents.entries[0] if contents.entries else None
    try:
        old = documents.old_log(entry_form.parse(first.body)) if first and not first.index else None
    except (NotCanonical, EntryMalformed, shapes.Wrong):
        return ""
    return old.origin if old else ""


def _sealed(contents: Contents) -> str:
    index = contents.completeness.seal
    place = f'<a href="#e{index}">entry {index}</a>'
    body = next((one.body for one in contents.entries if one.index == index), b"")
    try:
        return f"{place}, {html.escape(entry_form.parse(body)['at'])}"
    except (NotCanonical, EntryMalformed):
        return place


def _problems(result: Result | None) -> Iterator[str]:
    if result is None or not result.problems:
        return
    yield "<h2>Problems</h2>\n"
    yield markup.table(
        "Everything that keeps this bundle from being verified",
        ("verdict", "place", "what is wrong"),
        (
            (str(one.verdict), markup.text(one.place), markup.text(one.message))
            for one in result.problems
        ),
    )


def _checkpoints(contents: Contents) -> str:
    rows = []
    for size in sorted(contents.checkpoints):
        signed = contents.checkpoints[size]
        _, signatures = note.split(signed.note)
        signers = "<br>".join(
            f"{markup.text(one.name)} {markup.code(one.key_id.hex())}" for one in signatures
        )
        root = octets.to_base64(signed.checkpoint().root)
        rows.append((str(size), markup.code(root), signers))
    return markup.table("Signed states of the log", ("size", "root", "signed by"), rows)


def _times(contents: Contents, result: Result | None) -> Iterator[str]:
    yield "<h2>Time stamps</h2>\n"
    if not contents.timestamps:
        yield '<p class="none">None in this bundle.</p>\n'
        return
    proven = {} if result is None else result.proven_times
    rows = (
        (
            str(size),
            markup.code(sha256(contents.timestamps[size].response).hexdigest()),
            _human(proven[size]) if size in proven else "not verified here",
        )
        for size in sorted(contents.timestamps)
    )
    yield markup.table(
        "Tokens of time-stamping authorities over checkpoints",
        ("size", "SHA-256 of the token", "time, verified"),
        rows,
    )
