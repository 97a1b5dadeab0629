"""Judge a signature: is it the one that was given, and is the record still what it covers?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, models

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
    entries, now = _entries(found), contents.parts(record)
    return [_verdict(one, record, now, entries) for one in found]


def of_many(signatures: Sequence[Signature]) -> list[Verdict]:
    """Judge signatures under any records, in their order; each record is read once."""
    groups: dict[tuple[str, str], list[Signature]] = {}
    for one in signatures:
        groups.setdefault((one.record, one.record_id), []).append(one)
    entries = _entries(signatures)
    found: dict[int, Verdict] = {}
    for (name, key), under in groups.items():
        record = _record(name, key)
        now = contents.parts(record) if record is not None else {}
        found |= {one.pk: _verdict(one, record, now, entries) for one in under}
    return [found[one.pk] for one in signatures]


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


def _record(name: str, key: str) -> models.Model | None:
    """Return the signed record; a key that its table cannot have names none."""
    model = contents.model_of(name)
    if model is None:
        return None
    try:
        value = model._meta.pk.to_python(key)
    except ValidationError:
        return None
    return model._default_manager.filter(pk=value).first()


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


def _values(body: str) -> Any:
    entry: Any = canonical.loads(body.encode())
    return entry["new"]
