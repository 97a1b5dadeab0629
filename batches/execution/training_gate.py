"""Let people do what they are trained in: the procedure of the phase (21 CFR 11.10(i), 211.25)."""

from datetime import datetime

from batches.execution.models import BatchPhase
from compliance.access import training
from compliance.access.authority import Principal
from compliance.access.models import Procedure, User


def demand(actor: Principal, *, phase: BatchPhase, at: datetime) -> None:
    """Pass for a system, and for a person whose training is current; else raise `NotTrained`."""
    if isinstance(actor, User) and phase.procedure:
        procedure = Procedure.objects.get(code=phase.procedure)
        training.demand(actor, procedure=procedure, at=at)
