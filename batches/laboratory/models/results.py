"""Results of samples. A result is never overwritten; a correction is a new version.

`source` is the system that sent it; it is empty when a person entered it.
"""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q

from batches.laboratory.models.runs import Injection, Run
from batches.laboratory.models.samples import Sample
from batches.laboratory.models.specifications import SpecificationTest
from compliance.access.models import Device
from compliance.signatures.models import Signature
from compliance.trail.capture import controlled


class Judgement(models.TextChoices):
    NONE = "", "Not judged"
    CONFORMS = "conforms", "Conforms"
    OOS = "oos", "Out of specification"


class ResultState(models.TextChoices):
    """Where a result stands; it follows from its review, its invalidation and later versions."""

    ENTERED = "entered", "Entered"
    REVIEWED = "reviewed", "Reviewed"
    INVALIDATED = "invalidated", "Invalidated"
    CORRECTED = "corrected", "Corrected"


class ResultQuerySet(models.QuerySet["Result"]):
    def current(self) -> Self:
        """Keep the newest version of each test of each sample."""
        return self.filter(~Exists(_newer()))

    def standing(self) -> Self:
        """Keep the newest versions that were not invalidated."""
        return self.current().filter(invalidation=None)

    def unreviewed(self) -> Self:
        return self.standing().filter(review=None)

    def in_state(self, state: str) -> Self:
        """Keep the results that stand so; see `ResultState`."""
        match state:
            case ResultState.INVALIDATED:
                return self.filter(invalidation__isnull=False)
            case ResultState.CORRECTED:
                return self.filter(Exists(_newer()), invalidation=None)
            case ResultState.REVIEWED:
                return self.standing().filter(review__isnull=False)
        return self.unreviewed()


def _newer() -> models.QuerySet["Result"]:
    return Result.objects.filter(
        sample=OuterRef("sample"), tag=OuterRef("tag"), version__gt=OuterRef("version")
    )


@controlled(append_only=True, guards=("judged_and_allowed", "oos_is_investigated"))
class Result(models.Model):
    """One reported value of one test of one sample, in the version the laboratory sent."""

    sample = models.ForeignKey(Sample, models.PROTECT, related_name="results")
    tag = models.CharField(max_length=60)
    version = models.PositiveIntegerField(default=1)
    value_text = models.CharField(max_length=40, help_text="As reported: trailing zeros are data.")
    value = models.DecimalField(
        max_digits=24, decimal_places=9, help_text="Of an attribute: 1 conforms, 0 does not."
    )
    unit = models.CharField(max_length=30)
    analyst = models.CharField(max_length=100, blank=True)
    reported_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    reason = models.TextField(blank=True, help_text="Why a later version replaces an earlier one.")
    source = models.ForeignKey(Device, models.PROTECT, related_name="+", null=True, blank=True)
    message_id = models.CharField(max_length=120)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    run = models.ForeignKey(Run, models.PROTECT, related_name="results", null=True, blank=True)
    # The judgement at entry, by the specification effective when the batch was issued.
    test = models.ForeignKey(
        SpecificationTest, models.PROTECT, related_name="results", null=True, blank=True
    )
    judged_value = models.DecimalField(
        max_digits=24, decimal_places=9, null=True, blank=True, help_text="Rounded as declared."
    )
    judgement = models.CharField(max_length=8, choices=Judgement.choices, blank=True)
    trend = models.TextField(blank=True, help_text="Why it is out of trend; empty: it is not.")

    objects = ResultQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "message_id"], name="result_message_once"),
            models.UniqueConstraint(
                fields=["sample", "tag", "version"], name="result_version_once"
            ),
            models.CheckConstraint(
                name="result_correction_has_reason", condition=Q(version=1) | ~Q(reason="")
            ),
            models.CheckConstraint(
                name="result_judged_by_a_test",
                condition=Q(test=None, judgement="")
                | Q(test__isnull=False, judgement__in=["conforms", "oos"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sample} {self.tag} v{self.version}"


@controlled(append_only=True, guards=("not_hidden_by_mean", "of_own_injection"))
class Replicate(models.Model):
    """One of the values that a result is calculated from."""

    result = models.ForeignKey(Result, models.PROTECT, related_name="replicates")
    number = models.PositiveIntegerField()
    value_text = models.CharField(max_length=40)
    value = models.DecimalField(max_digits=24, decimal_places=9)
    injection = models.ForeignKey(
        Injection, models.PROTECT, related_name="replicates", null=True, blank=True
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["result", "number"], name="replicate_number_once"),
            models.UniqueConstraint(
                fields=["result", "injection"], name="replicate_injection_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.result} replicate {self.number}"


@controlled(append_only=True, guards=("reviewed_by_another",))
class ResultReview(models.Model):
    """A second person reviewed a result, by signature (211.194(a)(8))."""

    result = models.OneToOneField(Result, models.PROTECT, related_name="review")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    signature = models.OneToOneField(Signature, models.PROTECT, related_name="+")
    comment = models.TextField(blank=True)
    reviewed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.result} reviewed"


@controlled(append_only=True, guards=("only_with_cause",))
class ResultInvalidation(models.Model):
    """An OOS investigation with an assignable cause invalidated a result; nothing else does."""

    result = models.OneToOneField(Result, models.PROTECT, related_name="invalidation")
    oos = models.OneToOneField(
        "laboratory.OosInvestigation", models.PROTECT, related_name="invalidation"
    )
    invalidated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.result} invalidated"
