"""Say which unit a source means by what it writes: by approved aliases, and never by a guess."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max

from batches.exchange import declaring, shipped_aliases
from batches.exchange.actions import Action
from batches.exchange.models.messages import DeclarationState, UnitAlias
from batches.quantities import units
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail import recording

LONGEST = 60


class AliasInvalid(Refused):
    code = "unit-alias-invalid"
    status = 422


class UnitNotApproved(Refused):
    """Nobody has approved what this unit means."""

    code = "unit-unknown"
    status = 422


class DimensionDiffers(Refused):
    """The unit measures another thing than what was expected: pH is no picohenry."""

    code = "dimension-differs"
    status = 422


@dataclass(frozen=True)
class Meant:
    """What a source means by a unit, and which alias or table says so."""

    raw: str
    code: str
    display: str
    dimension: str
    by: str


def meant(raw: str) -> Meant:
    """Return what is approved for a text as written, or raise `UnitNotApproved`.

    The site's aliases come first, then those that came with the product, then the spellings of its
    table of units. What the site has decided on once, the product says no more.
    """
    decided = UnitAlias.objects.filter(raw=raw).exclude(state=DeclarationState.PROPOSED)
    alias = decided.filter(state=DeclarationState.EFFECTIVE).first()
    if alias is not None:
        return Meant(raw, alias.code, alias.display, alias.dimension, f"alias v{alias.version}")
    if decided.exists():
        raise UnitNotApproved(f"the site took back what “{raw}” means: propose an alias for it")
    if raw in shipped_aliases.BY_TEXT:
        return Meant(raw, *shipped_aliases.BY_TEXT[raw], shipped_aliases.VERSION)
    try:
        unit = units.parse(raw)
    except units.UnitUnknown as error:
        raise UnitNotApproved(
            f"nobody approved what the unit “{raw[:LONGEST]}” means: propose an alias for it"
        ) from error
    return Meant(raw, unit.code, unit.code, unit.kind, f"units {units.VERSION}")


def demand(raw: str, *, expected: str) -> Meant:
    """Return what a unit means when it is the expected one; nothing is converted on the way in.

    Raise `UnitNotApproved`, `DimensionDiffers`, or `units.UnitMismatch` for another unit of the
    same dimension.
    """
    said = meant(raw)
    wanted = meant(expected)
    if said.dimension != wanted.dimension:
        raise DimensionDiffers(
            f"“{raw}” measures {said.dimension}, and {expected} measures {wanted.dimension}"
        )
    if said.code != wanted.code:
        raise units.UnitMismatch(f"“{raw}” is {said.code}; it is recorded in {expected}")
    return said


def propose(
    raw: str, *, code: str, display: str, dimension: str, actor: User, at: datetime, reason: str
) -> UnitAlias:
    """Propose what a unit means; it counts when a second person has approved it."""
    authority.demand(actor, Duty.AUTHOR_SPECIFICATION)
    text = recording.demand_reason(reason)
    if not 0 < len(raw) <= LONGEST or not code.strip() or not display.strip():
        raise AliasInvalid(f"an alias has 1 to {LONGEST} characters, a UCUM code and a display")
    known = units.UNITS.get(code)
    if known is not None and known.kind != dimension:
        raise AliasInvalid(f"{code} measures {known.kind}, not {dimension}")
    if not dimension.strip():
        raise AliasInvalid("say what the unit measures")
    with recording.recording(Action.UNIT_ALIAS_PROPOSED, actor=actor, at=at, reason=text):
        declaring.queue(f"unit-alias:{raw}")
        last = UnitAlias.objects.filter(raw=raw).aggregate(last=Max("version"))["last"] or 0
        return UnitAlias.objects.create(
            raw=raw, version=last + 1, code=code.strip(), display=display.strip(),
            dimension=dimension.strip(), reason=text, proposed_by=actor, proposed_at=at,
        )  # fmt: skip


def approve(alias: UnitAlias, *, actor: User, at: datetime, reason: str) -> UnitAlias:
    """Approve an alias as a second person; it takes the place of the version before it."""
    with recording.recording(
        Action.UNIT_ALIAS_DECIDED, actor=actor, at=at, reason=recording.demand_reason(reason)
    ):
        declaring.queue(f"unit-alias:{alias.raw}")
        before = UnitAlias.objects.filter(raw=alias.raw, state=DeclarationState.EFFECTIVE)
        return declaring.approve(alias, before=before, actor=actor, at=at)


def withdraw(alias: UnitAlias, *, actor: User, at: datetime, reason: str) -> UnitAlias:
    """Take an alias back; messages with this unit wait in quarantine from now on."""
    with recording.recording(
        Action.UNIT_ALIAS_DECIDED, actor=actor, at=at, reason=recording.demand_reason(reason)
    ):
        return declaring.withdraw(alias, actor=actor)
