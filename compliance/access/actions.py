"""Name the acts of access."""

from enum import StrEnum


class Action(StrEnum):
    PERSON_CREATED = "access.person-created"
    PERSON_DEACTIVATED = "access.person-deactivated"
    PASSWORD_CHANGED = "access.password-changed"  # noqa: S105 -- the name of an act
    ROLE_GRANTED = "access.role-granted"
    ROLE_ENDED = "access.role-ended"
    DEVICE_ENROLLED = "access.device-enrolled"
    DEVICE_REVOKED = "access.device-revoked"
    SIGN_IN = "access.sign-in"
