"""Name the acts of access."""

from enum import StrEnum


class Action(StrEnum):
    PERSON_CREATED = "access.person-created"
    PERSON_DEACTIVATED = "access.person-deactivated"
    LEAVING_RECORDED = "access.leaving-recorded"
    PASSWORD_CHANGED = "access.password-changed"  # noqa: S105 -- the name of an act
    ROLE_GRANTED = "access.role-granted"
    ROLE_ENDED = "access.role-ended"
    IDENTITY_PROVEN = "access.identity-proven"
    IDENTITY_PROOF_WITHDRAWN = "access.identity-proof-withdrawn"
    DEVICE_ENROLLED = "access.device-enrolled"
    DEVICE_QUALIFIED = "access.device-qualified"
    DEVICE_REVOKED = "access.device-revoked"
    CLIENT_REGISTERED = "access.client-registered"
    CLIENT_SCOPES_SET = "access.client-scopes-set"
    CLIENT_SECRET_ROTATED = "access.client-secret-rotated"  # noqa: S105 -- the name of an act
    CLIENT_SECRET_REVOKED = "access.client-secret-revoked"  # noqa: S105 -- the name of an act
    CLIENT_REVOKED = "access.client-revoked"
    ACCESS_TOKEN_ISSUED = "access.token-issued"  # noqa: S105 -- the name of an act
    SIGN_IN = "access.sign-in"
    SESSION_OPENED = "access.session-opened"
    SESSION_ENDED = "access.session-ended"
    PROCEDURE_CREATED = "access.procedure-created"
    PROCEDURE_VERSION_ADDED = "access.procedure-version-added"
    PROCEDURE_RETIRED = "access.procedure-retired"
    CURRICULUM_CHANGED = "access.curriculum-changed"
    TRAINED = "access.trained"
    TRAINING_ACKNOWLEDGED = "access.training-acknowledged"
    TRAINING_WITHDRAWN = "access.training-withdrawn"
    ALARM_RAISED = "access.alarm-raised"
    ALARM_ACKNOWLEDGED = "access.alarm-acknowledged"
    REVIEW_OPENED = "access.review-opened"
    REVIEW_DECIDED = "access.review-decided"
    REVIEW_CLOSED = "access.review-closed"
    CERTIFICATION_RECORDED = "access.certification-recorded"
