"""Keep re-authentications by other means than the password, each good for one signature."""

import hashlib
import secrets
from datetime import datetime, timedelta

from compliance.access.models import User
from compliance.refusals import Refused
from compliance.signatures.actions import Action
from compliance.signatures.models import Means, Reauthentication
from compliance.trail import recording, refusals

PREFIX = "gmp-once-"
GOOD_FOR = timedelta(seconds=120)  # a person may have to carry the code to the form


class CodeNotGood(Refused):
    """The code names no re-authentication of this person that can still be used."""

    code = "confirmation-code-not-good"
    status = 403


def is_code(given: str) -> bool:
    return given.startswith(PREFIX)


def keep(made: Reauthentication, *, at: datetime, reason: str) -> str:
    """Store a re-authentication as an act of its person; return the code that is used once."""
    code = PREFIX + secrets.token_urlsafe(24)
    made.code_digest = _digest(code)
    made.made_at = at
    with recording.recording(Action.REAUTHENTICATED, actor=made.person, at=at, reason=reason):
        made.save(force_insert=True)
    return code


def by_identity_provider(
    person: User, *, issuer: str, subject: str, address: str, at: datetime
) -> str:
    """Keep that the identity provider has just authenticated this person anew."""
    made = Reauthentication(
        person=person,
        means=Means.IDENTITY_PROVIDER,
        issuer=issuer,
        subject=subject,
        address=address[:64],
    )
    return keep(made, at=at, reason=f"signed in anew at {issuer}")


def take(signer: User, *, code: str, at: datetime) -> Reauthentication:
    """Return the re-authentication that a code names; raise `CodeNotGood` and record it."""
    found = (
        Reauthentication.objects.select_related("person").filter(code_digest=_digest(code)).first()
    )
    problem = ""
    if found is None or found.person_id != signer.pk:
        problem = "this code is not yours"
    elif not found.made_at <= at <= found.made_at + GOOD_FOR:
        problem = f"this code was good for {GOOD_FOR.seconds} seconds"
    elif hasattr(found, "signature"):
        problem = "this code has been used for a signature"
    elif not found.person.is_active:
        problem = "this name has been deactivated"
    if found is None or problem:
        refused = CodeNotGood(f"{problem}; confirm again")
        refusals.record(refused, action=Action.SIGNED, actor=signer, at=at, subject="signature")
        raise refused
    return found


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
