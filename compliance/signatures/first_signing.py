"""Lead a person to the accountability statement before the first signature."""

from django.urls import reverse
from django.utils import timezone

from compliance.access import identity
from compliance.access.models import User
from compliance.signatures import accountability


def address(person: User) -> str | None:
    """Return where the person acknowledges the statement in force; None when there is no need.

    Whoever could not sign it yet, with a password of somebody else's or an identity that is not
    established, is led there at a later sign-in.
    """
    statement = accountability.effective()
    if statement is None or person.must_change_password or not person.roles:
        return None
    if not identity.is_proven(person, at=timezone.now()) or accountability.acknowledgement(person):
        return None
    return reverse("admin:signatures_statement_changelist") + (f"{statement.pk}/acts/acknowledge/")
