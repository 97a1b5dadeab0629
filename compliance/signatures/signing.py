"""Sign a record: authenticated again, with a meaning, under the digest of exactly this version."""

import copy
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, models, transaction

from compliance.access import identity
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.signatures import accountability, binding, contents, verdicts
from compliance.signatures.actions import Action
from compliance.signatures.confirming import (
    ConfirmationSpent,
    Confirmed,
    NotOwnCredentials,
    confirm,
)
from compliance.signatures.contents import MeaningNotAllowed, NotSignable, digest, signable
from compliance.signatures.models import Meaning, Signature
from compliance.signatures.verdicts import Verdict, verify
from compliance.trail import capture, recording

__all__ = [
    "ConfirmationSpent",
    "Confirmed",
    "MeaningNotAllowed",
    "NotOwnCredentials",
    "NotSignable",
    "Verdict",
    "confirm",
    "digest",
    "is_current",
    "need",
    "of",
    "sign",
    "signable",
    "verify",
]


class NoRole(Refused):
    """A signature shows the role it was given in (Annex 11 draft 2025, 13)."""

    code = "no-role"
    status = 403


class ConfirmedForAnother(Refused):
    """A security key's answer is for one version of one record, and one meaning."""

    code = "confirmed-for-another"


def sign(
    record: models.Model, *, meaning: Meaning, confirmed: Confirmed, comment: str = ""
) -> Signature:
    """Put a signature under the record as it is stored now, in an act of its own or the caller's."""
    at = confirmed.at
    contents.demand_meaning(type(record), meaning)
    signer = _signer(confirmed)
    identity.demand_proven(signer, at=at)
    if not accountability.is_acknowledgement(record, meaning):
        accountability.demand(signer)
    confirmed.spend(str(record))
    stored = type(record)._default_manager.get(pk=record.pk)
    signature = _written(stored, meaning, confirmed, signer, comment)
    _demand_same(signature, confirmed)
    signature.binding = binding.of(signature)
    reason = f"{meaning.label} of {record}"
    with recording.recording(Action.SIGNED, actor=signer, at=at, reason=reason):
        try:
            with transaction.atomic():
                signature.save(force_insert=True)
        except IntegrityError as error:
            if "confirmation" in str(error) or "reauthentication" in str(error):
                raise ConfirmationSpent(
                    "this confirmation has given a signature already; confirm again"
                ) from error
            raise
    return signature


def _signer(confirmed: Confirmed) -> User:
    """Return the person as stored now: name and role are frozen from this."""
    signer = User.objects.get(pk=confirmed.signer.pk)
    if not signer.is_active or not signer.roles:
        raise NoRole(f"{signer.username} holds no role now, and signs nothing")
    return signer


def _written(
    stored: models.Model, meaning: Meaning, confirmed: Confirmed, signer: User, comment: str
) -> Signature:
    parts = contents.parts(stored)
    record, record_id = capture.record_of(type(stored)), str(stored.pk)
    return Signature(
        record=record,
        record_id=record_id,
        record_digest=contents.digest_of_parts(record, record_id, parts),
        content_parts=parts,
        meaning=Meaning(meaning),
        signer=signer,
        printed_name=signer.full_name,
        username=signer.username,
        role=signer.role_names,
        comment=comment,
        signed_at=confirmed.at,
        zone=settings.SITE_ZONE,
        means=confirmed.means,
        confirmation=confirmed.nonce,
        reauthentication=confirmed.by,
    )


def _demand_same(signature: Signature, confirmed: Confirmed) -> None:
    """Compare what is signed with what a security key was shown."""
    asked = confirmed.by
    if asked is None or not asked.record:
        return
    if (asked.record, asked.record_id, asked.record_digest, asked.meaning) != (
        signature.record, signature.record_id, signature.record_digest, signature.meaning,
    ):  # fmt: skip
        raise ConfirmedForAnother(
            "the security key confirmed another record, version or meaning; read the record as it "
            "is now, and confirm again"
        )


def of(record: models.Model) -> list[Signature]:
    """Return every signature under a record, oldest first, superseded ones too."""
    return list(
        Signature.objects.filter(record=capture.record_of(type(record)), record_id=str(record.pk))
        .select_related("reauthentication")
        .order_by("pk")
    )


def local_time(signature: Signature) -> datetime:
    """Return when it was signed, as the clocks of the site showed it."""
    return signature.signed_at.astimezone(ZoneInfo(signature.zone))


def need(record: models.Model, column: str) -> str | None:
    """Say why a column is not erased: the record's signatures would not fit any more (11.70)."""
    if not contents.is_signable(type(record)):
        return None
    emptied = copy.copy(record)
    field = next(one for one in record._meta.concrete_fields if one.column == column)
    setattr(emptied, field.attname, None if field.null else "")
    if digest(emptied) == digest(record):
        return None
    count = sum(is_current(one, record) for one in of(record))
    return f"{count} signatures cover it" if count else None


def is_current(signature: Signature, record: models.Model) -> bool:
    """Say whether the record is still the version that was signed (21 CFR 11.70)."""
    return verdicts.covers(signature, record)
