"""Draft specifications and make them effective (21 CFR 211.160(a), (b); EU GMP 4.14-4.16)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from batches.laboratory import states
from batches.laboratory.actions import Action
from batches.laboratory.models import (
    PlanPoint,
    ReportedAs,
    Rounding,
    Specification,
    SpecificationState,
    SpecificationTest,
    SpecificationUse,
    SpecificationVersion,
    TestKind,
)
from batches.laboratory.states import SpecificationStep
from batches.recipes.models import Product
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording
from compliance.trail.tlog import canonical


class SpecificationInvalid(Refused):
    """The specification says something that cannot be, or lacks what it needs."""

    code = "specification-invalid"
    status = 422


class SpecificationKnown(Refused):
    code = "specification-known"


class AuthorIsApprover(Refused):
    """One person writes a specification, the quality unit's approves it (211.160(a), 211.22(c))."""

    code = "author-is-approver"


@dataclass(frozen=True)
class TestDraft:
    """One test as its author writes it; see `SpecificationTest` for what each member means."""

    __test__ = False  # no test case

    tag: str
    name: str
    method_code: str
    method_version: str
    kind: TestKind = TestKind.NUMERIC
    unit: str = ""
    low: Decimal | None = None
    high: Decimal | None = None
    conforming_text: str = ""
    alert_low: Decimal | None = None
    alert_high: Decimal | None = None
    decimals: int = 0
    rounding: Rounding = Rounding.HALF_UP
    replicates: int = 1
    reported_as: ReportedAs = ReportedAs.MEAN
    is_each_judged: bool = True
    is_mandatory: bool = True
    may_be_skipped: bool = False
    point: str = ""


@dataclass(frozen=True)
class PointDraft:
    """One point of the sampling plan."""

    point: str
    samples: int
    amount: str
    storage: str = ""
    instruction: str = ""


def create(
    *, code: str, title: str, use: SpecificationUse, actor: User, at: datetime,
    product: Product | None = None, material: str = "",
) -> Specification:  # fmt: skip
    """Begin the specification of a product or a material; its versions say what must be met."""
    authority.demand(actor, Duty.AUTHOR_SPECIFICATION)
    if (use == SpecificationUse.MATERIAL) != (product is None) or bool(material) == bool(product):
        raise SpecificationInvalid(
            "a specification for release or shelf life names a product, one of a material its code"
        )
    with recording.recording(
        Action.SPECIFICATION_CREATED, actor=actor, at=at, reason=f"specification {code}"
    ):
        known = Specification.objects.filter(code=code)
        if product is not None:
            known = known | Specification.objects.filter(product=product, use=use)
        if known.exists():
            raise SpecificationKnown(
                f"{known.get()} is there already: draft its next version instead"
            )
        return Specification.objects.create(
            code=code, title=title, use=use, product=product, material=material
        )


def draft(
    specification: Specification, *, tests: Sequence[TestDraft], actor: User, at: datetime,
    reason: str, plan: Sequence[PointDraft] = (),
) -> SpecificationVersion:  # fmt: skip
    """Write the next version; it has no effect until quality approves it."""
    authority.demand(actor, Duty.AUTHOR_SPECIFICATION)
    text = recording.demand_reason(reason)
    if not tests:
        raise SpecificationInvalid(f"{specification}: a specification needs at least one test")
    for test in tests:
        _demand_possible(test)
    _demand_once([f"{test.tag} {test.point}" for test in tests], "test")
    _demand_once([point.point for point in plan], "point of the sampling plan")
    with recording.recording(Action.SPECIFICATION_DRAFTED, actor=actor, at=at, reason=text):
        Specification.objects.select_for_update().get(pk=specification.pk)
        last = specification.versions.order_by("-version").first()
        version = SpecificationVersion.objects.create(
            specification=specification,
            version=last.version + 1 if last else 1,
            author=actor,
            drafted_at=at,
            reason=text,
        )
        SpecificationTest.objects.bulk_create(
            SpecificationTest(version=version, **vars(test)) for test in tests
        )
        PlanPoint.objects.bulk_create(PlanPoint(version=version, **vars(point)) for point in plan)
    return version


def approve(version: SpecificationVersion, *, confirmed: Confirmed) -> SpecificationVersion:
    """Make a version effective by signature; the one before is superseded at the same moment."""
    approver, at = confirmed.signer, confirmed.at
    authority.demand(approver, Duty.APPROVE_SPECIFICATION)
    if approver.pk == version.author_id:
        raise AuthorIsApprover(f"{version}: its author cannot approve it; ask a second person")
    with recording.recording(
        Action.SPECIFICATION_APPROVED, actor=approver, at=at, reason=f"approval of {version}"
    ):
        Specification.objects.select_for_update().get(pk=version.specification_id)
        locked = SpecificationVersion.objects.select_for_update().get(pk=version.pk)
        states.demand(locked, locked.state, SpecificationStep.APPROVE)
        signing.sign(locked, meaning=Meaning.APPROVED, confirmed=confirmed)
        for former in SpecificationVersion.objects.filter(
            specification=locked.specification_id, state=SpecificationState.EFFECTIVE
        ):
            former.state = SpecificationState.SUPERSEDED
            former.superseded_at = at
            former.save(update_fields=["state", "superseded_at"])
        locked.state = SpecificationState.EFFECTIVE
        locked.approver = approver
        locked.effective_at = at
        locked.save(update_fields=["state", "approver", "effective_at"])
    return locked


@signing.signable(SpecificationVersion, meanings=[Meaning.APPROVED])
def content(version: SpecificationVersion) -> Mapping[str, canonical.Value]:
    """Everything of a version that judges results, and its sampling plan."""
    return {
        "specification": version.specification.code,
        "version": version.version,
        "author": version.author.username,
        "reason": version.reason,
        "tests": [_plain(test) for test in version.tests.order_by("tag", "point")],
        "plan": [_plain(point) for point in version.plan.order_by("point")],
    }


def _plain(part: SpecificationTest | PlanPoint) -> dict[str, canonical.Value]:
    return {
        field.attname: _text(getattr(part, field.attname))
        for field in part._meta.concrete_fields
        if field.name not in ("id", "version")
    }


def _text(value: object) -> canonical.Value:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value  # type: ignore[return-value]  # what columns of a test hold


def _demand_once(names: Sequence[str], what: str) -> None:
    twice = sorted({name.strip() for name in names if names.count(name) > 1})
    if twice:
        raise SpecificationInvalid(f"there twice: {what} {', '.join(twice)}")


def _demand_possible(test: TestDraft) -> None:
    """Say kindly what the constraints of the table say too."""
    problems = []
    limits = (test.low, test.high, test.alert_low, test.alert_high)
    if test.kind == TestKind.TEXT:
        if not test.conforming_text or any(limit is not None for limit in limits):
            problems.append("an attribute has a conforming text and no numeric limits")
        if test.replicates != 1:
            problems.append("an attribute has one determination")
    elif not test.unit or test.conforming_text:
        problems.append("a numeric test has a unit and no conforming text")
    for low, high in ((test.low, test.high), (test.alert_low, test.alert_high)):
        if low is not None and high is not None and low > high:
            problems.append(f"the lower limit {low} is above the upper one {high}")
    if not 1 <= test.replicates <= 50 or not 0 <= test.decimals <= 6:
        problems.append("1 to 50 replicates and 0 to 6 decimal places")
    for limit in limits:
        if limit is not None and -int(limit.normalize().as_tuple().exponent) > test.decimals:
            problems.append(f"the limit {limit} has more decimal places than are reported")
    if not (test.tag and test.name and test.method_code and test.method_version):
        problems.append("a test has a tag, a name and a method with its version")
    if problems:
        raise SpecificationInvalid(f"test {test.tag or test.name}: {'; '.join(problems)}")
