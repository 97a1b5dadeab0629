"""Say who must have a second factor (Annex 11 draft 2025, 11)."""

from django.conf import settings

from compliance.access.duties import ADMINISTRATIVE, GMP
from compliance.access.models import User

# Roles that administer the system or sign records: all but those that only read.
COMPULSORY_FOR = ADMINISTRATIVE | GMP


def is_compulsory(person: User) -> bool:
    """Say whether the installation lets this person in with a second factor only."""
    return settings.SECOND_FACTOR_COMPULSORY and bool(person.roles & COMPULSORY_FOR)
