"""Name the acts of sign-in."""

from enum import StrEnum


class Action(StrEnum):
    FACTOR_ENROLLED = "signin.factor-enrolled"
    FACTOR_REMOVED = "signin.factor-removed"
    FACTOR_GIVEN = "signin.factor-given"
    IDENTITY_LINKED = "signin.identity-linked"
    IDENTITY_UNLINKED = "signin.identity-unlinked"
    SIGNED_IN = "signin.signed-in"
