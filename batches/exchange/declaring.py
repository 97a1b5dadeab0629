"""Lead what one person declares to the approval of a second one (EU GMP Annex 11, 4 and 5)."""

import hashlib
from datetime import datetime
from typing import TypeVar

from django.db import connection
from django.db.models import QuerySet

from batches.exchange.models.messages import DeclarationState, Declared
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused

D = TypeVar("D", bound=Declared)


class ProposerApproves(Refused):
    """Whoever proposed it does not approve it."""

    code = "proposer-approves"


class DeclarationSettled(Refused):
    """It was decided already; propose the next version."""

    code = "declaration-settled"


def queue(name: str) -> None:
    """Let one transaction at a time give or approve a version under a name."""
    lock = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock])


def approve(declared: D, *, before: QuerySet[D], actor: User, at: datetime) -> D:
    """Make a proposal effective, inside the caller's act; the version before it is superseded."""
    authority.demand(actor, Duty.APPROVE_SPECIFICATION)
    held = _held(declared)
    if held.state != DeclarationState.PROPOSED:
        raise DeclarationSettled(f"{held} is {held.get_state_display().lower()}")
    if held.proposed_by_id == actor.pk:
        raise ProposerApproves(f"{held}: whoever proposed it does not approve it")
    for one in before.select_for_update():
        one.state = DeclarationState.SUPERSEDED
        one.save(update_fields=["state"])
    held.state, held.approved_by, held.approved_at = DeclarationState.EFFECTIVE, actor, at
    held.save(update_fields=["state", "approved_by", "approved_at"])
    return held


def withdraw(declared: D, *, actor: User) -> D:
    """Take a proposal or an effective version back, inside the caller's act."""
    authority.demand(actor, Duty.APPROVE_SPECIFICATION)
    held = _held(declared)
    if held.state not in (DeclarationState.PROPOSED, DeclarationState.EFFECTIVE):
        raise DeclarationSettled(f"{held} is {held.get_state_display().lower()}")
    held.state = DeclarationState.WITHDRAWN
    held.save(update_fields=["state"])
    return held


def _held(declared: D) -> D:
    return type(declared)._default_manager.select_for_update().get(pk=declared.pk)
