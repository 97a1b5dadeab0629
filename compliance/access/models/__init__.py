"""Who may do what: people, roles, devices, and what is on record about them."""

from compliance.access.models.access_log import AccessEvent, AccessEventKind
from compliance.access.models.alarms import AlarmKind, SecurityAlarm
from compliance.access.models.clients import AccessToken, ApiClient, ClientSecret
from compliance.access.models.devices import Device, DeviceKind, Qualification
from compliance.access.models.form_uses import FormUse
from compliance.access.models.identity import IdentityProof, ProofMethod
from compliance.access.models.people import RoleAssignment, User, UserManager
from compliance.access.models.reviews import (
    AccessReview,
    AccessReviewLine,
    CertificationLetter,
    ReviewOutcome,
    ReviewState,
)
from compliance.access.models.sessions import PasswordChange, PersonSession, SessionEnd
from compliance.access.models.sign_ins import SignIn, SignInOutcome
from compliance.access.models.training import (
    Assessment,
    Curriculum,
    Procedure,
    ProcedureVersion,
    Training,
    TrainingMethod,
)

__all__ = [
    "AccessEvent", "AccessEventKind", "AccessReview", "AccessReviewLine", "AccessToken",
    "AlarmKind", "ApiClient", "Assessment", "CertificationLetter", "ClientSecret", "Curriculum",
    "Device", "DeviceKind", "FormUse", "IdentityProof", "PasswordChange", "PersonSession", "Procedure",
    "ProcedureVersion", "ProofMethod", "Qualification", "ReviewOutcome", "ReviewState",
    "RoleAssignment", "SecurityAlarm", "SessionEnd", "SignIn", "SignInOutcome", "Training",
    "TrainingMethod", "User", "UserManager",
]  # fmt: skip
