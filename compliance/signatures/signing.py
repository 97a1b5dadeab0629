"""Sign a record: the password again, a meaning, and the digest of exactly this version."""

import copy
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models

from compliance.access import credentials
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.signatures.actions import Action
from compliance.signatures.models import Meaning, Signature
from compliance.trail import capture, recording, refusals
from compliance.trail.tlog import canonical

_TAG = b"gmp-signature/content/v1\0"


class NotOwnCredentials(Refused):
    """A signature is given with the signer's own two components (21 CFR 11.200(a))."""

    code = "not-own-credentials"
    status = 403


class NotSignable(Refused):
    code = "not-signable"
    status = 422


Content = Callable[[Any], Mapping[str, canonical.Value]]
_contents: dict[type[models.Model], Content] = {}


def signable(model: type[models.Model]) -> Callable[[Content], Content]:
    """Declare what of a record a signature covers: a function from the record to plain values."""

    def declare(content: Content) -> Content:
        if model in _contents:
            raise ValueError(f"{model.__name__} has its signed content declared already")
        _contents[model] = content
        return content

    return declare


def digest(record: models.Model) -> str:
    """Return the SHA-256 of a record's signed content, bound to its table and identity."""
    try:
        content = _contents[type(record)]
    except KeyError as error:
        raise NotSignable(f"{record._meta.verbose_name} is not a record that is signed") from error
    document: dict[str, canonical.Value] = {
        "record": capture.record_of(type(record)),
        "record_id": str(record.pk),
        "content": dict(content(record)),
    }
    return hashlib.sha256(_TAG + canonical.dumps(document)).hexdigest()


@dataclass(frozen=True)
class Confirmed:
    """A signer whose password was given again, a moment ago, for one signature."""

    signer: User
    at: datetime


def confirm(*, signer: User, password: str, address: str, at: datetime) -> Confirmed:
    """Re-authenticate; raise `CredentialsWrong`, `Locked` or `NotOwnCredentials`.

    Call it before the transaction that signs: a refused attempt must stay on record.
    """
    person = credentials.check(
        username=signer.username, password=password, purpose="signature", address=address, at=at
    )
    if person.pk != signer.pk:
        raise _kept(NotOwnCredentials("sign with your own name and password"), person, at)
    if person.must_change_password:
        # 21 CFR 11.200(a)(3): whoever set this password could sign in your name
        refused = NotOwnCredentials("choose a password of your own before you sign")
        raise _kept(refused, person, at)
    return Confirmed(signer=person, at=at)


def _kept(refused: NotOwnCredentials, person: User, at: datetime) -> NotOwnCredentials:
    refusals.record(refused, action=Action.SIGNED, actor=person, at=at, subject="signature")
    return refused


def sign(
    record: models.Model, *, meaning: Meaning, confirmed: Confirmed, comment: str = ""
) -> Signature:
    """Put a signature under the record as it is stored now, in an act of its own or the caller's."""
    signer, at = confirmed.signer, confirmed.at
    stored = type(record)._default_manager.get(pk=record.pk)
    reason = f"{meaning.label} of {record}"
    with recording.recording(Action.SIGNED, actor=signer, at=at, reason=reason):
        return Signature.objects.create(
            record=capture.record_of(type(record)),
            record_id=str(record.pk),
            record_digest=digest(stored),
            meaning=meaning,
            signer=signer,
            printed_name=signer.full_name,
            username=signer.username,
            role=signer.role_names,
            comment=comment,
            signed_at=at,
        )


def of(record: models.Model) -> list[Signature]:
    """Return every signature under a record, oldest first, superseded ones too."""
    return list(
        Signature.objects.filter(
            record=capture.record_of(type(record)), record_id=str(record.pk)
        ).order_by("pk")
    )


def need(record: models.Model, column: str) -> str | None:
    """Say why a column is not erased: the record's signatures would not fit any more (11.70)."""
    if type(record) not in _contents:
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
    return (
        signature.record == capture.record_of(type(record))
        and signature.record_id == str(record.pk)
        and signature.record_digest == digest(record)
    )
