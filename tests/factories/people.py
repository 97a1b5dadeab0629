"""People of a plant, trained and proven, and devices."""

from datetime import datetime, timedelta

from compliance.access import alarms, devices, identity, people, procedures, training
from compliance.access.duties import Role
from compliance.access.models import (
    AlarmKind,
    Assessment,
    Device,
    DeviceKind,
    Procedure,
    ProcedureVersion,
    ProofMethod,
    SecurityAlarm,
    Training,
    TrainingMethod,
    User,
)
from compliance.signatures import accountability, statements
from compliance.signatures.models import Signature, Statement
from compliance.signatures.signing import Confirmed
from tests.factories import common
from tests.factories.common import NOON, PASSWORD, TEST


def person(
    *roles: Role, username: str = "", at: datetime = NOON, is_proven: bool = True,
    is_trained: bool = True, has_acknowledged: bool = True,
) -> User:  # fmt: skip
    """Return a person who holds these roles, with a password of their own (`PASSWORD`).

    The identity is proven, the person trained in every procedure that is effective, and the
    accountability statement acknowledged: whoever holds a role may sign.
    """
    number = next(common.numbers)
    label = "-".join(roles) or "nobody"
    made = people.create(
        username=username or f"{label}-{number}",
        full_name=f"{label.replace('-', ' ').title()} {number}",
        password=PASSWORD,
        roles=frozenset(roles),
        actor=TEST,
        at=at,
        reason="a person for a test",
        must_change_password=False,
    )
    if is_proven:
        proven(made, at=at)
    if is_trained:
        for version in procedures.effective(at=at):
            trained(made, version, at=at)
    if roles and is_proven and has_acknowledged:
        acknowledged(made, at=at)
    return made


_known: dict[tuple[object, ...], User] = {}


def somebody(role: Role, part: str = "", *, at: datetime = NOON) -> User:
    """Return whoever does this part of the work in this test: one person, whom the first call makes.

    For records whose maker does not matter. Where two people are needed they have two parts.
    """
    effective = frozenset(one.pk for one in procedures.effective(at=at))
    wanted = (role, part, effective, statement().pk)
    known = _known.get(wanted)
    if known and known.created_at <= at < known.created_at + timedelta(days=30):
        found = User.objects.filter(username=known.username, is_active=True).first()
        if found:  # no other test made them, and nobody has taken it back
            return found
    _known[wanted] = person(role, at=at)
    return _known[wanted]


def proven(whom: User, *, at: datetime = NOON) -> User:
    """Establish a person's identity."""
    identity.prove(
        whom,
        method=ProofMethod.INSTALLATION,
        document="a passport that the tests invented",
        proven_at=at,
        actor=TEST,
        at=at,
    )
    return whom


def procedure(*, at: datetime = NOON, retrain_after_days: int | None = None) -> Procedure:
    """Return a procedure whose first version is effective."""
    made = procedures.create(
        code=f"SOP-{next(common.numbers):04d}", title="How it is done", actor=TEST, at=at
    )
    procedure_version(made, at=at, retrain_after_days=retrain_after_days)
    return made


def procedure_version(
    of: Procedure, *, at: datetime = NOON, retrain_after_days: int | None = None
) -> ProcedureVersion:
    """Return the next version of a procedure, effective at once."""
    return procedures.add_version(
        of,
        summary="what is done, step by step",
        effective_from=at,
        retrain_after_days=retrain_after_days,
        actor=TEST,
        at=at,
    )


def trained(whom: User, what: Procedure | ProcedureVersion, *, at: datetime = NOON) -> Training:
    """Train a person in a version of a procedure, or in the effective one."""
    version = what
    if isinstance(what, Procedure):
        version = procedures.effective_version(what, at=at)
    return training.record(
        whom,
        version=version,
        method=TrainingMethod.READ,
        assessment=Assessment.PASSED,
        trained_at=at,
        actor=TEST,
        at=at,
    )


def acknowledged(signer: User, *, at: datetime = NOON) -> Signature:
    """Let a person acknowledge the accountability statement in force, as before a first signature."""
    return statements.acknowledge(statement(), confirmed=confirmed(signer, at=at))


def statement() -> Statement:
    """Return the accountability statement in force."""
    found = accountability.effective()
    assert found is not None
    return found


def device(kind: DeviceKind = DeviceKind.MES, *, at: datetime = NOON) -> Device:
    return device_and_token(kind, at=at)[0]


def device_and_token(
    kind: DeviceKind = DeviceKind.MES, *, at: datetime = NOON, is_qualified: bool = True
) -> tuple[Device, str]:
    """Return an enrolled, qualified device, and the token it shows as `Authorization: Bearer`."""
    number = next(common.numbers)
    made, token = devices.enrol(
        name=f"{kind}-{number}",
        kind=kind,
        actor=TEST,
        at=at,
        reason="a device for a test",
        bound_to=f"EQ-{number:04d}",
    )
    if not is_qualified:
        return made, token
    return devices.qualify(made, actor=TEST, at=at, reason="qualified for a test"), token


def alarm(about: User | None = None, *, at: datetime = NOON) -> SecurityAlarm:
    """Return an alarm that waits, in the connection of the test."""
    return alarms.raise_(
        AlarmKind.LOCKED,
        "somebody tried five passwords",
        about=about or person(at=at),
        at=at,
        using="default",
    )


def confirmed(signer: User, *, at: datetime = NOON) -> Confirmed:
    """Return a signer as after the password was given again."""
    return Confirmed(signer=signer, at=at)
