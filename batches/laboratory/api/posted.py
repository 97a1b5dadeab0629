"""Describe what people post about the laboratory."""

from rest_framework import serializers

from batches.laboratory.api.views import LaboratorySignedIn, LaboratorySignedWithReasonIn
from batches.laboratory.models import (
    CauseCategory,
    Conclusion,
    CustodyKind,
    InjectionKind,
    InjectionOutcome,
    PlanKind,
    ReagentKind,
    ReportedAs,
    Rounding,
    SpecificationUse,
    StudyKind,
    TestDecisionKind,
    TestKind,
)
from compliance.wire import In, Moment, Text


def _limit() -> serializers.DecimalField:
    return serializers.DecimalField(
        max_digits=20, decimal_places=6, required=False, allow_null=True, default=None
    )


class SpecificationIn(In):
    code = Text(max_length=40)
    title = Text(max_length=200)
    use = serializers.ChoiceField(choices=SpecificationUse.choices)
    product = Text(max_length=40, allow_blank=True, default="")
    material = Text(max_length=100, allow_blank=True, default="")


class TestIn(In):
    __test__ = False  # no test case

    tag = Text(max_length=60)
    name = Text(max_length=100)
    method_code = Text(max_length=40)
    method_version = Text(max_length=20)
    kind = serializers.ChoiceField(choices=TestKind.choices, default=TestKind.NUMERIC)
    unit = Text(max_length=30, allow_blank=True, default="")
    low = _limit()
    high = _limit()
    conforming_text = Text(max_length=40, allow_blank=True, default="")
    alert_low = _limit()
    alert_high = _limit()
    decimals = serializers.IntegerField(min_value=0, max_value=6, default=0)
    rounding = serializers.ChoiceField(choices=Rounding.choices, default=Rounding.HALF_UP)
    replicates = serializers.IntegerField(min_value=1, max_value=50, default=1)
    reported_as = serializers.ChoiceField(choices=ReportedAs.choices, default=ReportedAs.MEAN)
    is_each_judged = serializers.BooleanField(default=True)
    is_mandatory = serializers.BooleanField(default=True)
    may_be_skipped = serializers.BooleanField(default=False)
    point = Text(max_length=100, allow_blank=True, default="")


class PointIn(In):
    point = Text(max_length=100)
    samples = serializers.IntegerField(min_value=1, max_value=1000)
    amount = Text(max_length=60)
    storage = Text(max_length=100, allow_blank=True, default="")
    instruction = Text(max_length=2000, allow_blank=True, default="")


class VersionIn(In):
    tests = TestIn(many=True)
    plan = PointIn(many=True, required=False, default=list)
    reason = Text(max_length=1000)


class TestDecisionIn(LaboratorySignedWithReasonIn):
    __test__ = False  # no test case

    tag = Text(max_length=60)
    point = Text(max_length=100, allow_blank=True, default="")
    kind = serializers.ChoiceField(choices=TestDecisionKind.choices)


class CustodyIn(In):
    kind = serializers.ChoiceField(
        choices=[one for one in CustodyKind.choices if one[0] != CustodyKind.SPLIT]
    )
    happened_at = Moment()
    location = Text(max_length=100, allow_blank=True, default="")
    reason = Text(max_length=1000)


class AliquotIn(In):
    number = Text(max_length=80)
    reason = Text(max_length=1000)


class ReagentIn(In):
    code = Text(max_length=40)
    lot = Text(max_length=60)
    name = Text(max_length=200)
    kind = serializers.ChoiceField(choices=ReagentKind.choices)
    expires_on = serializers.DateField()
    opened_on = serializers.DateField(required=False, allow_null=True, default=None)
    purity = Text(max_length=60, allow_blank=True, default="")


class LaboratoryReasonIn(In):
    reason = Text(max_length=1000)


class LotIn(In):
    code = Text(max_length=40)
    lot = Text(max_length=60)


class RunIn(In):
    instrument = Text(max_length=60)
    method_code = Text(max_length=40)
    method_version = Text(max_length=20)
    planned_injections = serializers.IntegerField(min_value=1, max_value=10_000)
    started_at = Moment()
    reagents = LotIn(many=True, required=False, default=list)


class InjectionIn(In):
    number = serializers.IntegerField(min_value=1, max_value=100_000)
    kind = serializers.ChoiceField(choices=InjectionKind.choices)
    injected_at = Moment()
    batch = Text(max_length=60, allow_blank=True, default="")
    sample = Text(max_length=80, allow_blank=True, default="")
    outcome = serializers.ChoiceField(
        choices=InjectionOutcome.choices, default=InjectionOutcome.COMPLETED
    )
    reason = Text(max_length=1000, allow_blank=True, default="")


class SuitabilityIn(In):
    has_passed = serializers.BooleanField()
    text = Text(max_length=2000)


class EndIn(In):
    ended_at = Moment()
    aborted = serializers.BooleanField(default=False)
    reason = Text(max_length=1000, allow_blank=True, default="", help_text="Needed for an abort.")


class ExplanationIn(In):
    orphan = Text(max_length=120)
    text = Text(max_length=2000)


class RunReviewIn(LaboratorySignedIn):
    entries_seen = serializers.IntegerField(
        min_value=0, help_text="How many entries of the run's audit trail you looked at."
    )
    comment = Text(max_length=1000, allow_blank=True, default="")


class MeasuredIn(In):
    value = Text(max_length=40)
    injection = serializers.IntegerField(required=False, allow_null=True, default=None)


class RunResultIn(In):
    batch = Text(max_length=60)
    sample = Text(max_length=80)
    tag = Text(max_length=60)
    unit = Text(max_length=30, allow_blank=True, default="")
    reported_at = Moment()
    value = Text(max_length=40, allow_blank=True, default="")
    replicates = MeasuredIn(many=True, required=False, default=list)
    version = serializers.IntegerField(min_value=1, max_value=1000, default=1)
    reason = Text(max_length=1000, allow_blank=True, default="")


class ResultReviewIn(LaboratorySignedIn):
    comment = Text(max_length=1000, allow_blank=True, default="")


class ChecklistAnswerIn(In):
    item = Text(max_length=30)
    answer = serializers.ChoiceField(choices=["yes", "no", "not-applicable"])
    remark = Text(max_length=1000, allow_blank=True, default="")


class PhaseOneIn(In):
    checklist = ChecklistAnswerIn(many=True)
    is_preparation_retained = serializers.BooleanField()
    interview = Text(max_length=20_000)
    reason = Text(max_length=1000)


class CauseIn(In):
    category = serializers.ChoiceField(choices=[one for one in CauseCategory.choices if one[0]])
    text = Text(max_length=20_000)
    evidence = Text(max_length=20_000)


class PhaseOneClosureIn(LaboratorySignedIn):
    cause = CauseIn(required=False, allow_null=True, default=None)


class FoundCauseIn(LaboratorySignedIn):
    cause = CauseIn()


class ProductionReviewIn(In):
    text = Text(max_length=20_000)
    reason = Text(max_length=1000)


class PlanIn(In):
    kind = serializers.ChoiceField(choices=[one for one in PlanKind.choices if one[0]])
    count = serializers.IntegerField(min_value=1, max_value=20)
    analyst = Text(max_length=60, help_text="Username of whoever retests.")
    rationale = Text(max_length=20_000)
    resample_justification = Text(max_length=20_000, allow_blank=True, default="")
    reason = Text(max_length=1000)


class RetestIn(In):
    value = Text(max_length=40)
    tested_at = Moment()
    sample = Text(max_length=80, allow_blank=True, default="")
    run = Text(max_length=40, allow_blank=True, default="")


class ConclusionIn(LaboratorySignedIn):
    conclusion = serializers.ChoiceField(choices=[one for one in Conclusion.choices if one[0]])
    text = Text(max_length=20_000)


class OosLinkIn(In):
    deviation = Text(max_length=40)
    reason = Text(max_length=1000)


class StudyIn(In):
    batch = Text(max_length=60)
    specification = Text(max_length=40)
    version = serializers.IntegerField(min_value=1)
    kind = serializers.ChoiceField(choices=StudyKind.choices)
    condition = Text(max_length=80)
    container = Text(max_length=120, allow_blank=True, default="")
    started_on = serializers.DateField()
    months = serializers.ListField(child=serializers.IntegerField(min_value=0, max_value=120))
    days_before = serializers.IntegerField(min_value=0, max_value=60, default=7)
    days_after = serializers.IntegerField(min_value=0, max_value=60, default=14)
    reason = Text(max_length=1000)


class PullIn(In):
    pulled_at = Moment(required=False, help_text="Left out when the pull was missed.")
    remark = Text(max_length=1000, allow_blank=True, default="")


class StabilityResultIn(In):
    tag = Text(max_length=60)
    value = Text(max_length=40)
    tested_at = Moment()
    version = serializers.IntegerField(min_value=1, max_value=1000, default=1)
    reason = Text(max_length=1000, allow_blank=True, default="")


class ComplaintIn(In):
    complainant = Text(max_length=200)
    product_text = Text(max_length=120)
    lot_text = Text(max_length=60, allow_blank=True, default="")
    nature = Text(max_length=20_000)
    is_serious = serializers.BooleanField()
    received_at = Moment()


class ConsideredIn(In):
    batch = Text(max_length=60)
    is_affected = serializers.BooleanField()
    finding = Text(max_length=2000)


class ComplaintAnswerIn(In):
    needs_investigation = serializers.BooleanField()
    findings = Text(max_length=20_000, allow_blank=True, default="")
    follow_up = Text(max_length=20_000, allow_blank=True, default="")
    no_investigation_reason = Text(max_length=20_000, allow_blank=True, default="")
    reply = Text(max_length=20_000, allow_blank=True, default="")
    deviation = Text(max_length=40, allow_blank=True, default="")
    reason = Text(max_length=1000)
