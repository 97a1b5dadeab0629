"""Judge a signature: is it the one that was given, and is the record still what it covers?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from django.db import connection, models

from compliance.access.models import PasswordChange
from compliance.signatures import binding, contents, security_key
from compliance.signatures.models import Means, Signature
from compliance.trail import capture
from compliance.trail.tlog import canonical

_ENTRIES = """
    SELECT record_id, body FROM audit.entry_view
    WHERE record = %s AND record_id = ANY(%s) AND op = 'insert'
"""


class Standing(StrEnum):
    """What a signature is worth now."""

    INTACT = "intact"
    SUPERSEDED = "superseded"
    COPIED = "copied"


LABELS = {
    Standing.INTACT: "Valid for the present version",
    Standing.SUPERSEDED: "Superseded: the record was changed after signing, and is unsigned now",
    Standing.COPIED: "Not genuine: this is not the signature that was given",
}


@dataclass(frozen=True)
class Verdict:
    """How a signature stands, why, and which parts of the record have changed since."""

    signature: Signature
    standing: Standing
    reasons: Sequence[str] = ()
    changed: Sequence[str] = ()
    record: models.Model | None = None
    reset: PasswordChange | None = None  # somebody else set the signer's password before it

    @property
    def is_valid(self) -> bool:
        return self.standing == Standing.INTACT

    @property
    def label(self) -> str:
        return LABELS[self.standing]

    @property
    def explanation(self) -> str:
        """The standing in one sentence, with what has changed since or what does not fit."""
        if self.changed:
            names = ", ".join(name.replace("_", " ") for name in self.changed)
            return f"{self.label} (changed since: {names})"
        return f"{self.label} ({'; '.join(self.reasons)})" if self.reasons else self.label

    @property
    def confirmed_by(self) -> str:
        """How the signer was authenticated, with what an inspector should know of it."""
        means = self.signature.get_means_display()
        if self.reset is None:
            return means
        when = f"{self.reset.changed_at:%Y-%m-%d %H:%M:%S} UTC"
        return f"{means}; the password was reset by {self.reset.set_by} before, at {when}"


def verify(signature: Signature) -> Verdict:
    """Judge one signature against its row, its entry in the trail and the record."""
    return of_many([signature])[0]


def of_record(record: models.Model) -> list[Verdict]:
    """Judge every signature under a record, oldest first."""
    found = list(
        Signature.objects.filter(record=capture.record_of(type(record)), record_id=str(record.pk))
        .select_related("reauthentication")
        .order_by("pk")
    )
    if not found:
        return []
    entries, now, resets = _entries(found), contents.parts(record), _resets(found)
    judged = [_verdict(one, record, now, entries) for one in found]
    return [replace(one, reset=_last_reset(one.signature, resets)) for one in judged]


def of_many(signatures: Sequence[Signature]) -> list[Verdict]:
    """Judge signatures under any records, in their order; each record is read once."""
    groups: dict[tuple[str, str], list[Signature]] = {}
    for one in signatures:
        groups.setdefault((one.record, one.record_id), []).append(one)
    entries, resets = _entries(signatures), _resets(signatures)
    found: dict[int, Verdict] = {}
    for (name, key), under in groups.items():
        record = contents.record_of(name, key)
        now = contents.parts(record) if record is not None else {}
        found |= {one.pk: _verdict(one, record, now, entries) for one in under}
    return [replace(found[one.pk], reset=_last_reset(one, resets)) for one in signatures]


def covers(signature: Signature, record: models.Model) -> bool:
    """Say whether a record is the version that a signature was given under (21 CFR 11.70)."""
    is_under = (signature.record, signature.record_id) == (
        capture.record_of(type(record)),
        str(record.pk),
    )
    if not is_under:
        return False
    if not signature.binding:
        return signature.record_digest == contents.first_digest(record)
    return binding.holds(signature) and signature.record_digest == contents.digest(record)


def _verdict(
    signature: Signature, record: models.Model | None, now: Mapping[str, str],
    entries: Mapping[str, Any],
) -> Verdict:  # fmt: skip
    if wrong := _not_genuine(signature, record, entries):
        return Verdict(signature, Standing.COPIED, wrong, record=record)
    if record is not None and not signature.binding:
        is_same = signature.record_digest == contents.first_digest(record)
        standing = Standing.INTACT if is_same else Standing.SUPERSEDED
        return Verdict(signature, standing, record=record)
    then = signature.content_parts
    changed = sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name))
    standing = Standing.SUPERSEDED if changed else Standing.INTACT
    return Verdict(signature, standing, changed=changed, record=record)


def _not_genuine(
    signature: Signature, record: models.Model | None, entries: Mapping[str, Any]
) -> list[str]:
    """Say what does not fit; nothing for the signature that was given."""
    found = []
    if record is None:
        found.append("the signed record does not exist")
    if signature.binding:
        if not binding.holds(signature):
            found.append("its fields do not belong together")
        if signature.record_digest != contents.digest_of_parts(
            signature.record, signature.record_id, signature.content_parts
        ):
            found.append("its digest is of another record")
    entry = entries.get(str(signature.pk))
    if entry is None:
        found.append("the audit trail does not know it")
    elif entry is not _ARCHIVED and entry.get("binding", "") != signature.binding:
        found.append("it is not what the audit trail recorded")
    if signature.means == Means.SECURITY_KEY:
        found += security_key.problems(signature)
    return found


_ARCHIVED = object()


def _entries(signatures: Sequence[Signature]) -> dict[str, Any]:
    """Return what the trail recorded of each signature."""
    if not signatures:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            _ENTRIES, [capture.record_of(Signature), [str(one.pk) for one in signatures]]
        )
        found = cursor.fetchall()
    return {record_id: _ARCHIVED if body is None else _values(body) for record_id, body in found}


def _resets(signatures: Sequence[Signature]) -> list[PasswordChange]:
    """Return when somebody else set a signer's password, the first one at the start left out."""
    signers = {one.signer_id for one in signatures}
    first = (
        PasswordChange.objects.filter(person=models.OuterRef("person")).order_by("pk").values("pk")
    )
    return list(
        PasswordChange.objects.filter(person__in=signers, is_own=False)
        .exclude(pk=models.Subquery(first[:1]))
        .order_by("pk")
    )


def _last_reset(signature: Signature, resets: Sequence[PasswordChange]) -> PasswordChange | None:
    """Return the last reset before a signature (21 CFR 11.200(a)(3))."""
    before = [
        one
        for one in resets
        if one.person_id == signature.signer_id and one.changed_at <= signature.signed_at
    ]
    return before[-1] if before else None


def _values(body: str) -> Any:
    entry: Any = canonical.loads(body.encode())
    return entry["new"]
