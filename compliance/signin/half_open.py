"""Know what a session still lacks: the second factor, or the enrolment of one."""

from enum import StrEnum

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase

from compliance.access.models import User
from compliance.signin import factors, policy
from compliance.signin.models import FactorKind, SecondFactor

_GIVEN = "second_factor"
PROVIDER = "identity-provider"  # in the place of a factor's number


class Lacks(StrEnum):
    """What a signed-in session needs before it is good for anything else."""

    FACTOR = "second-factor-needed"
    ENROLMENT = "second-factor-enrolment-needed"


def lacks(session: SessionBase, person: User) -> Lacks | None:
    """Say what is missing, from what is enrolled now: a removed factor opens nothing more."""
    enrolled = {str(one.pk): one for one in factors.active(person)}
    counting = [one for one in enrolled.values() if one.kind != FactorKind.RECOVERY_CODES]
    given = session.get(_GIVEN, {})
    is_own = given.get("person") == session.get(SESSION_KEY)
    if is_own and (given.get("factor") == PROVIDER or given.get("factor") in enrolled):
        return None
    if counting:
        return Lacks.FACTOR
    return Lacks.ENROLMENT if policy.is_compulsory(person) else None


def complete(session: SessionBase, factor: SecondFactor | None) -> None:
    """Note that the factor was given (None: the identity provider asked for it), under a new key."""
    session.cycle_key()
    session[_GIVEN] = {
        "factor": str(factor.pk) if factor else PROVIDER,
        "person": session.get(SESSION_KEY),
    }
