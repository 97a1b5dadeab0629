"""Keep what was refused on record, also when the transaction that tried it is rolled back."""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from compliance.api_contract import error_codes
from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.actions import Action
from compliance.trail.models import Refusal
from compliance.trail.recording import Actor, Identity

ALIAS = "outside"
_CHECK = "23514"
# What the database says no with: the codes that the guards of the rooms raise, and those of the
# constraints. Every ERRCODE in a migration or in sql/ is here; tests hold that.
_BY_SQLSTATE = {
    "23514": ("record-rule", 409, "a rule of the record does not allow it"),
    "23505": ("already-recorded", 409, "this is recorded already"),
    "GM001": ("no-act", 409, "the change was in no act of the trail"),
    "GM002": ("append-only", 409, "what is recorded is not altered or deleted"),
    "GM003": ("reason-needed", 422, "the change needs a reason"),
    "GM004": ("roles-conflict", 409, "the roles exclude each other"),
    "GM005": ("segment-too-long", 422, "the readings span too long a time"),
    "GM006": ("own-matter", 403, "nobody acts in their own matter"),
    "GM007": ("password-own", 409, "a password that another person set is changed by its owner"),
    "GM010": ("disposition-rule", 409, "the disposition of the batch does not allow it"),
    "GM011": ("retention-rule", 409, "retention and legal hold do not allow it"),
    "GM020": ("model-life", 409, "the qualification of the model does not allow it"),
    "GM040": ("signature-not-true", 422, "the signature is not what it says"),
    "GM041": ("accountability-not-acknowledged", 403, "the statement is to be acknowledged first"),
    "GM043": ("identity-not-proven", 403, "the identity of the signer is not established"),
    "GM044": ("second-factor-kept", 409, "a second factor or an identity stays as recorded"),
    "GM042": ("statement-published", 409, "a published statement stays as it is"),
}
for _code, _status, _means in _BY_SQLSTATE.values():
    error_codes.also(_code, _status, f"The database: {_means}.")


# A check of a column's values, in the words of its name; a trigger's has none, and words of its own.
_VALUES = ("value-rule", 422, "the values break a rule of the record")


class RefusedByDatabase(Refused):
    """A rule that the database holds said no, where no rule of ours had said it kindly before."""

    def __init__(self, sqlstate: str, message: str, *, constraint: str = "") -> None:
        self.constraint = constraint
        is_check = sqlstate == _CHECK and bool(constraint)
        self.code, self.status, said = _VALUES if is_check else _BY_SQLSTATE[sqlstate]
        # PostgreSQL's own message of a constraint speaks of tables, and not to people.
        super().__init__(f"{said}: {constraint.replace('_', ' ') or message}")


@dataclass(frozen=True)
class Unidentified:
    """Whoever did not show who they are; `name` is what they called themselves."""

    name: str = "unidentified"

    def trail_identity(self) -> Identity:
        return Identity(
            id="unidentified", name=_plain(self.name, 150) or "unidentified", role="none"
        )


def record(
    refused: Refused,
    *,
    action: StrEnum | str,
    actor: Actor,
    at: datetime,
    subject: str = "",
    repeat: str | None = None,
) -> Refusal | None:
    """Write a refusal with its entry, in a connection that the caller's rollback does not reach.

    What is recorded already is not recorded again: the same exception on its way up (None), and
    the same refusal of the same request sent again within the hour. `repeat` is what names the
    request, by default its correlation id; "" makes each attempt count.
    """
    if refused.is_recorded:
        return None
    identity = actor.trail_identity()
    refusal = Refusal(
        action=_plain(str(action), 100),
        code=refused.code,
        message=_plain(str(refused), 4000),
        subject=_plain(subject, 200),
        actor=_plain(identity.name, 200),
        actor_id=identity.id,
        role=_plain(identity.role, 200),
        source=recording.source.get()[:200],
        recorded_at=at,
    )
    refusal.key = _key(refusal, repeat)
    with recording.recording(
        Action.ACT_REFUSED, actor=actor, at=at, reason=refused.code, using=ALIAS
    ):
        # A client that sends the same again at the same time waits here for the first one.
        Refusal.objects.using(ALIAS).bulk_create([refusal], ignore_conflicts=True)
        kept = Refusal.objects.using(ALIAS).get(key=refusal.key)
    refused.is_recorded = True
    return kept


def of_database(error: BaseException) -> RefusedByDatabase | None:
    """Return what the database refused, or None for an error of another kind."""
    cause = error.__cause__ or error
    sqlstate = getattr(cause, "sqlstate", None)
    if sqlstate not in _BY_SQLSTATE:
        return None
    said = getattr(cause, "diag", None)
    return RefusedByDatabase(
        sqlstate,
        getattr(said, "message_primary", None) or str(cause),
        constraint=getattr(said, "constraint_name", None) or "",
    )


def _key(refusal: Refusal, repeat: str | None) -> str:
    if repeat is None:  # a source without a correlation id names no request
        repeat = refusal.source if ":" in refusal.source else ""
    if not repeat:
        return uuid.uuid4().hex
    parts = (
        *(repeat, refusal.action, refusal.code, refusal.message, refusal.subject),
        # Callers choose the correlation id: one of them for ever must not hide all that follows.
        *(refusal.actor_id, f"{refusal.recorded_at:%Y-%m-%dT%H}"),
    )
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _plain(text: str, most: int) -> str:
    """Return text that can be stored: what was refused may be refused for its very characters."""
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()[:most]
