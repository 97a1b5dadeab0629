"""Who may do what: people, roles, devices, and what is on record about them."""

from compliance.access.models.devices import Device, DeviceKind
from compliance.access.models.identity import IdentityProof, ProofMethod
from compliance.access.models.people import RoleAssignment, User, UserManager
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
    "Assessment", "Curriculum", "Device", "DeviceKind", "IdentityProof", "Procedure",
    "ProcedureVersion", "ProofMethod", "RoleAssignment", "SignIn", "SignInOutcome", "Training",
    "TrainingMethod", "User", "UserManager",
]  # fmt: skip
