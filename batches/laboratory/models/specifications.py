"""Specifications with versions: which tests, by which method, within which limits (211.160(b))."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from batches.execution.models import Batch
from batches.recipes.models import Product
from compliance.trail.capture import controlled


class SpecificationUse(models.TextChoices):
    RELEASE = "release", "Release"
    STABILITY = "stability", "Shelf life"
    MATERIAL = "material", "Material"


@controlled()
class Specification(models.Model):
    """What a product or material must meet, in all its versions."""

    code = models.CharField(max_length=40, unique=True)
    title = models.CharField(max_length=200)
    use = models.CharField(max_length=10, choices=SpecificationUse.choices)
    product = models.ForeignKey(
        Product, models.PROTECT, related_name="specifications", null=True, blank=True
    )
    material = models.CharField(max_length=100, blank=True, help_text="Code of a material.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["product", "use"], name="one_specification_a_use"),
            models.CheckConstraint(
                name="specification_of_product_or_material",
                condition=(Q(use="material") & Q(product=None) & ~Q(material=""))
                | (Q(use__in=["release", "stability"]) & Q(product__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return self.code


class SpecificationState(models.TextChoices):
    DRAFT = "draft", "Draft"
    EFFECTIVE = "effective", "Effective"
    SUPERSEDED = "superseded", "Superseded"


@controlled(guards=("follow_states",))
class SpecificationVersion(models.Model):
    """One version; once effective it never changes (a trigger says so too)."""

    specification = models.ForeignKey(Specification, models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    state = models.CharField(
        max_length=12, choices=SpecificationState.choices, default=SpecificationState.DRAFT
    )
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    drafted_at = models.DateTimeField()
    effective_at = models.DateTimeField(null=True, blank=True)
    superseded_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(help_text="Why there is this version.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["specification", "version"], name="specification_version_once"
            ),
            models.UniqueConstraint(
                fields=["specification"],
                condition=Q(state="effective"),
                name="one_effective_specification",
            ),
            models.CheckConstraint(
                name="specification_approved_by_another",
                condition=Q(approver=None) | ~Q(approver=F("author")),
            ),
            models.CheckConstraint(
                name="specification_effective_only_approved",
                condition=Q(state="draft", approver=None, effective_at=None)
                | (~Q(state="draft") & Q(approver__isnull=False) & Q(effective_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="specification_superseded_at_a_moment",
                condition=Q(state="superseded", superseded_at__isnull=False)
                | (~Q(state="superseded") & Q(superseded_at=None)),
            ),
            models.CheckConstraint(
                name="specification_state_known", condition=Q(state__in=SpecificationState.values)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.specification.code} v{self.version}"


class TestKind(models.TextChoices):
    NUMERIC = "numeric", "Numeric"
    TEXT = "text", "Attribute"

    __test__ = False  # no test case


class Rounding(models.TextChoices):
    HALF_UP = "half-up", "Half up (USP 7.20)"
    HALF_EVEN = "half-even", "Half to even"


class ReportedAs(models.TextChoices):
    MEAN = "mean", "Mean"
    LOWEST = "lowest", "Lowest"
    HIGHEST = "highest", "Highest"


@controlled(guards=("only_in_draft",))
class SpecificationTest(models.Model):
    """One test of a version: its method, its limits, and how its value is reported."""

    version = models.ForeignKey(SpecificationVersion, models.PROTECT, related_name="tests")
    tag = models.CharField(max_length=60, help_text="As the laboratory's system posts it.")
    name = models.CharField(max_length=100)
    point = models.CharField(
        max_length=100, blank=True, help_text="Of samples of this point only; empty: of every one."
    )
    method_code = models.CharField(max_length=40)
    method_version = models.CharField(max_length=20)
    kind = models.CharField(max_length=8, choices=TestKind.choices, default=TestKind.NUMERIC)
    unit = models.CharField(max_length=30, blank=True, help_text="UCUM code.")
    low = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    high = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    conforming_text = models.CharField(max_length=40, blank=True)
    alert_low = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    alert_high = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    decimals = models.PositiveSmallIntegerField(default=0)
    rounding = models.CharField(max_length=10, choices=Rounding.choices, default=Rounding.HALF_UP)
    replicates = models.PositiveSmallIntegerField(default=1)
    reported_as = models.CharField(
        max_length=8, choices=ReportedAs.choices, default=ReportedAs.MEAN
    )
    is_each_judged = models.BooleanField(
        default=True, help_text="Each replicate must meet the limits, not only what is reported."
    )
    is_mandatory = models.BooleanField(default=True)
    may_be_skipped = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "tag", "point"], name="test_once"),
            models.CheckConstraint(
                name="test_limits_in_order",
                condition=Q(low=None) | Q(high=None) | Q(low__lte=F("high")),
            ),
            models.CheckConstraint(
                name="test_alerts_in_order",
                condition=Q(alert_low=None)
                | Q(alert_high=None)
                | Q(alert_low__lte=F("alert_high")),
            ),
            models.CheckConstraint(
                name="test_limits_of_its_kind",
                condition=(Q(kind="numeric") & Q(conforming_text="") & ~Q(unit=""))
                | (
                    Q(kind="text", low=None, high=None, alert_low=None, alert_high=None)
                    & ~Q(conforming_text="")
                    & Q(replicates=1)
                ),
            ),
            models.CheckConstraint(
                name="test_replicates_possible",
                condition=Q(replicates__gte=1, replicates__lte=50, decimals__lte=6),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} {self.tag}" + (f" at {self.point}" if self.point else "")

    @property
    def limits_text(self) -> str:
        """The limits as people read them, with the declared decimals: `2.50 to 3.50 g/L`."""
        if self.kind == TestKind.TEXT:
            return f"“{self.conforming_text}”"
        low = None if self.low is None else self._text(self.low)
        high = None if self.high is None else self._text(self.high)
        match low, high:
            case None, None:
                return "for information"
            case _, None:
                return f"at least {low} {self.unit}"
            case None, _:
                return f"at most {high} {self.unit}"
        return f"{low} to {high} {self.unit}"

    def _text(self, limit: object) -> str:
        return f"{limit:.{self.decimals}f}"


@controlled(guards=("only_in_draft",))
class PlanPoint(models.Model):
    """One point of the sampling plan: where, how many samples, how much, kept how (211.165(c))."""

    version = models.ForeignKey(SpecificationVersion, models.PROTECT, related_name="plan")
    point = models.CharField(max_length=100)
    samples = models.PositiveSmallIntegerField(help_text="How many, at least.")
    amount = models.CharField(max_length=60, help_text="Of each sample, e.g. `3 x 10 mL`.")
    storage = models.CharField(max_length=100, blank=True)
    instruction = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "point"], name="plan_point_once"),
            models.CheckConstraint(name="plan_point_has_samples", condition=Q(samples__gte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.version} {self.point}"


class TestDecisionKind(models.TextChoices):
    HOLD = "hold", "On hold"
    RESUME = "resume", "Resumed"
    SKIP = "skip", "Skipped"

    __test__ = False  # no test case


@controlled(append_only=True)
class TestDecision(models.Model):
    """Quality put a test of a batch on hold, resumed it or skipped it, by signature."""

    __test__ = False  # no test case

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="test_decisions")
    test = models.ForeignKey(SpecificationTest, models.PROTECT, related_name="decisions")
    kind = models.CharField(max_length=8, choices=TestDecisionKind.choices)
    reason = models.TextField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="test_decision_known", condition=Q(kind__in=TestDecisionKind.values)
            ),
            models.CheckConstraint(name="test_decision_has_reason", condition=~Q(reason="")),
        ]

    def __str__(self) -> str:
        return f"{self.batch} {self.test.tag} {self.kind} ({self.pk})"
