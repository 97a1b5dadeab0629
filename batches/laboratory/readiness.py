"""Ask whether analyst and instrument are fit for a test, where the plant keeps records of them.

A method whose code is that of a procedure takes training in its effective version (211.25); an
instrument whose code is that of registered equipment is qualified and calibrated (211.160(b)(4)).
"""

from datetime import datetime

from batches.assets import equipment as equipment_register
from batches.assets.models import Equipment
from compliance.access import training
from compliance.access.authority import Principal
from compliance.access.models import Procedure, User


def demand_trained(actor: Principal, *, method_code: str, at: datetime) -> None:
    """Pass when the person is trained in the method, else raise `NotTrained`; devices pass."""
    if not isinstance(actor, User):
        return
    procedure = Procedure.objects.filter(code=method_code).first()
    if procedure is not None:
        training.demand(actor, procedure=procedure, at=at)


def usable_instrument(code: str, *, at: datetime) -> Equipment | None:
    """Return the equipment of this code, or None; raise `EquipmentNotUsable` when it is not fit."""
    found = Equipment.objects.filter(code=code).first()
    if found is not None:
        equipment_register.demand_usable(found, at=at)
    return found
