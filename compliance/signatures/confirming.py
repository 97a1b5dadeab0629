"""Authenticate a signer again, for one signature within a minute (21 CFR 11.200(a))."""

import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime

from compliance.access import credentials, identity
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.signatures import reauthentication
from compliance.signatures.actions import Action
from compliance.signatures.models import Means, Reauthentication
from compliance.trail import refusals

GOOD_FOR_SECONDS = 60


class NotOwnCredentials(Refused):
    """A signature is given with the signer's own two components (21 CFR 11.200(a))."""

    code = "not-own-credentials"
    status = 403


class ConfirmationSpent(Refused):
    """Records are signed one by one, each with a re-authentication of its own."""

    code = "confirmation-spent"
    status = 403


@dataclass(frozen=True, eq=False)
class Confirmed:
    """A signer who was authenticated again, a moment ago, for one signature.

    `born` is of the process's own clock, which nobody sets: the time between the password and the
    signature is measured, whatever moment `at` says.
    """

    signer: User
    at: datetime
    by: Reauthentication | None = None
    nonce: str = field(default_factory=lambda: uuid.uuid4().hex, repr=False)
    born: float = field(default_factory=time.monotonic, repr=False)
    _uses: list[str] = field(default_factory=list, repr=False)

    @property
    def means(self) -> Means:
        return Means(self.by.means) if self.by else Means.PASSWORD

    def spend(self, on: str) -> None:
        """Use it up for one signature; raise `ConfirmationSpent` the second time, or too late."""
        if self._uses:
            raise ConfirmationSpent(
                f"this confirmation has signed {self._uses[0]}; each record is signed by itself: "
                "confirm again for the next one"
            )
        if time.monotonic() - self.born > GOOD_FOR_SECONDS:
            raise ConfirmationSpent(
                f"the confirmation is older than {GOOD_FOR_SECONDS} seconds; confirm again"
            )
        self._uses.append(on)


def confirm(*, signer: User, password: str, address: str, at: datetime) -> Confirmed:
    """Re-authenticate; raise `CredentialsWrong`, `Locked`, `NotOwnCredentials`, `IdentityNotProven`.

    In the password's place the code of a re-authentication by security key or identity provider
    is taken too. Call it before the transaction that signs: a refused attempt must stay on record.
    """
    if reauthentication.is_code(password):
        credentials.demand_unlocked(signer.username, purpose="signature", address=address, at=at)
        made = reauthentication.take(signer, code=password, at=at)
        return Confirmed(signer=_own(made.person, at), at=at, by=made)
    person = credentials.check(
        username=signer.username, password=password, purpose="signature", address=address, at=at
    )
    if person.pk != signer.pk:
        raise kept(NotOwnCredentials("sign with your own name and password"), person, at)
    return Confirmed(signer=_own(person, at), at=at)


def _own(person: User, at: datetime) -> User:
    if person.must_change_password:
        # 21 CFR 11.200(a)(3): whoever set this password could sign in your name
        raise kept(NotOwnCredentials("choose a password of your own before you sign"), person, at)
    try:
        identity.demand_proven(person, at=at)  # 21 CFR 11.100(b)
    except identity.IdentityNotProven as refused:
        raise kept(refused, person, at) from None
    return person


def kept(refused: Refused, person: User, at: datetime) -> Refused:
    """Record a refusal where the caller's rollback does not reach, and return it."""
    refusals.record(refused, action=Action.SIGNED, actor=person, at=at, subject="signature")
    return refused
