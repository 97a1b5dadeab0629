"""Show the signatures under a record on its page (21 CFR 11.50)."""

from datetime import UTC, timedelta

from django.db import models

from compliance.access.page_parts import Note, Part, Section, Signed
from compliance.signatures import signing, verdicts
from compliance.signatures.models import Means, Signature
from compliance.signatures.verdicts import Verdict


def section(record: models.Model, *, is_wide: bool = True) -> Section:
    """Return every signature under a record, superseded ones too."""
    found = verdicts.of_record(record)
    parts: list[Part] = [judged(one) for one in found]
    if not found:
        parts = [Note("Not signed yet.")]
    elif not any(one.is_valid for one in found):
        parts.insert(0, Note("Unsigned in its present version.", "warn"))
    return Section("Signatures", parts, is_wide=is_wide)


def judged(verdict: Verdict) -> Signed:
    """Return a signature with name, user, role, meaning and moment, and how it stands."""
    signature = verdict.signature
    is_usual = signature.means == Means.PASSWORD and verdict.reset is None
    return Signed(
        printed_name=signature.printed_name,
        username=signature.username,
        role=signature.role,
        meaning=signature.get_meaning_display(),
        at=moment(signature),
        comment=signature.comment,
        is_current=verdict.is_valid,
        standing=verdict.explanation,
        means="" if is_usual else f"Confirmed by: {verdict.confirmed_by}",
    )


def shown(signature: Signature, *, is_current: bool | None = None) -> Signed:
    """Return a signature by itself, verified now, whatever the caller knows of it."""
    return judged(signing.verify(signature))


def moment(signature: Signature) -> str:
    """Write when it was signed, by the clocks of the site and in UTC (21 CFR 11.50(a)(2))."""
    local = signing.local_time(signature)
    in_utc = f"{local.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    offset = local.utcoffset()
    if not offset:
        return in_utc
    sign = "-" if offset < timedelta(0) else "+"
    minutes = int(abs(offset).total_seconds()) // 60
    shown_offset = f"UTC{sign}{minutes // 60:02d}:{minutes % 60:02d}"
    return f"{local:%Y-%m-%d %H:%M:%S} {signature.zone} ({shown_offset}); {in_utc}"
