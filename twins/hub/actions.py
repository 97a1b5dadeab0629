"""Name the acts of the twin hub."""

from enum import StrEnum


class Action(StrEnum):
    VERSION_REGISTERED = "hub.version-registered"
    DOSSIER_PREPARED = "hub.dossier-prepared"
    TEST_SET_SEALED = "hub.test-set-sealed"
    TEST_SET_OPENED = "hub.test-set-opened"
    QUALIFICATION_DRAFTED = "hub.qualification-drafted"
    QUALIFICATION_APPROVED = "hub.qualification-approved"
    VERSION_TESTED = "hub.version-tested"
    VERSION_QUALIFIED = "hub.version-qualified"
    VERSION_RETIRED = "hub.version-retired"
    DRIFT_CHECKED = "hub.drift-checked"
