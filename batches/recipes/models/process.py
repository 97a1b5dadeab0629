"""The procedure of a recipe (ISA-88), and its formula: parameters with their ranges and limits."""

from decimal import Decimal

from django.db import models
from django.db.models import Deferrable, F, Q

from batches.quantities import unit_words
from batches.recipes.models.recipes import MasterRecipe
from compliance.access.models import Procedure
from compliance.trail.capture import controlled


@controlled(deletable=True, guards=("keep_parts",))
class RecipePhase(models.Model):
    """One phase of a recipe, in the unit procedure and operation it belongs to."""

    recipe = models.ForeignKey(MasterRecipe, models.PROTECT, related_name="phases")
    order = models.PositiveIntegerField()
    unit_procedure = models.CharField(max_length=100)
    operation = models.CharField(max_length=100, blank=True)
    name = models.CharField(max_length=100)
    instruction = models.TextField(blank=True)
    duration_min = models.PositiveIntegerField(
        null=True, blank=True, help_text="Expected duration in minutes."
    )
    hold_limit_min = models.PositiveIntegerField(
        null=True, blank=True,
        help_text="Longest time in minutes between its end and the start of the next phase.",
    )  # fmt: skip
    needs_verification = models.BooleanField(
        default=False, help_text="A second person verifies it (21 CFR 211.188(b)(11))."
    )
    equipment_kind = models.CharField(max_length=60, blank=True)
    procedure = models.ForeignKey(
        Procedure, models.PROTECT, related_name="+", null=True, blank=True,
        help_text="Whoever performs or verifies is trained in its effective version.",
    )  # fmt: skip
    parallel_group = models.CharField(
        max_length=40, blank=True,
        help_text="Neighbours of one group run in any order, or side by side.",
    )  # fmt: skip

    class Meta:
        constraints = [
            # Checked at the end of the act: phases may change places.
            models.UniqueConstraint(
                fields=["recipe", "order"],
                name="phase_order_unique",
                deferrable=Deferrable.DEFERRED,
            ),
            models.UniqueConstraint(
                fields=["recipe", "unit_procedure", "name"], name="phase_name_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.recipe} {self.order} {self.name}"

    @property
    def label(self) -> str:
        """How the other parts of a recipe name this phase."""
        return f"{self.unit_procedure}/{self.name}"


class Criticality(models.TextChoices):
    CPP = "cpp", "Critical process parameter"
    CQA = "cqa", "Critical quality attribute"
    OTHER = "other", "Not critical"


class ParameterKind(models.TextChoices):
    READING = "reading", "On-line reading"
    RESULT = "result", "Laboratory result"
    IN_PROCESS = "in-process", "In-process control"


def range_text(low: Decimal | None, high: Decimal | None, unit: str) -> str:
    """Write a range as people read it; nothing for no bound at all."""
    unit = unit_words.shown(unit)
    match low, high:
        case None, None:
            return ""
        case _, None:
            return f"at least {plain(low)} {unit}"
        case None, _:
            return f"at most {plain(high)} {unit}"
    return f"{plain(low)} to {plain(high)} {unit}"


def plain(value: Decimal | None) -> str:
    """Write a decimal without exponent and without zeros that say nothing."""
    return "" if value is None else f"{value.normalize():f}"


def _in_order(low: str, high: str) -> Q:
    return Q(**{low: None}) | Q(**{high: None}) | Q(**{f"{low}__lte": F(high)})


def _inside(*, inner: str, outer: str, side: str) -> Q:
    """Return that the inner bound is there and not beyond the outer one, where there is one."""
    compare = "gte" if side == "low" else "lte"
    return Q(**{f"{outer}_{side}": None}) | Q(
        **{f"{inner}{side}__isnull": False, f"{inner}{side}__{compare}": F(f"{outer}_{side}")}
    )


@controlled(deletable=True, guards=("keep_parts",))
class Parameter(models.Model):
    """A measured parameter with its unit, and the ranges and limits a batch must keep."""

    recipe = models.ForeignKey(MasterRecipe, models.PROTECT, related_name="parameters")
    phase = models.ForeignKey(
        RecipePhase, models.PROTECT, related_name="parameters", null=True, blank=True
    )
    tag = models.CharField(max_length=60, help_text="As the source systems post it.")
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=ParameterKind.choices)
    unit = models.CharField(max_length=30, help_text="UCUM code.")
    criticality = models.CharField(max_length=6, choices=Criticality.choices)
    # Normal operating range, or the limits of an attribute: what a batch must keep.
    low = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    high = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    target = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    # Proven acceptable range (ICH Q8(R2)): the normal operating range lies within it.
    proven_low = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    proven_high = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    alert_low = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    alert_high = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    action_low = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    action_high = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    is_required = models.BooleanField(
        default=False, help_text="A batch is not released without a value of it."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recipe", "tag"], name="parameter_tag_unique"),
            models.CheckConstraint(
                name="parameter_kind_known", condition=Q(kind__in=ParameterKind.values)
            ),
            models.CheckConstraint(
                name="limits_low_not_above_high", condition=_in_order("low", "high")
            ),
            models.CheckConstraint(
                name="target_within_limits",
                condition=_in_order("low", "target") & _in_order("target", "high"),
            ),
            models.CheckConstraint(
                name="normal_range_within_proven",
                condition=_inside(inner="", outer="proven", side="low")
                & _inside(inner="", outer="proven", side="high")
                & _in_order("proven_low", "proven_high"),
            ),
            models.CheckConstraint(
                name="alert_limits_within_action_limits",
                condition=_in_order("action_low", "alert_low")
                & _in_order("alert_low", "alert_high")
                & _in_order("alert_high", "action_high")
                & _in_order("action_low", "action_high"),
            ),
            models.CheckConstraint(
                name="action_limits_within_proven",
                condition=_in_order("proven_low", "action_low")
                & _in_order("action_high", "proven_high"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.recipe} {self.tag}"

    @property
    def limits_text(self) -> str:
        """The limits as people read them, e.g. `36.5 to 37.5 °C`."""
        return range_text(self.low, self.high, self.unit) or "no limits"
