"""Describe what is answered about the laboratory."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from batches.laboratory import orphans, results, stability_results
from batches.laboratory.models import (
    OosInvestigation,
    Result,
    Run,
    Sample,
    SampleState,
    SpecificationVersion,
    StabilityStudy,
)
from compliance.signatures.messages import VerdictOut
from compliance.signatures.verdicts import of_record
from compliance.wire import Out


def _text(source: str | None = None, **more: Any) -> serializers.CharField:
    return serializers.CharField(source=source, **more) if source else serializers.CharField(**more)


class SpecificationOut(Out):
    code = _text()
    title = _text()
    use = _text()
    product = _text("product.code", default=None, allow_null=True)
    material = _text()


class TestOut(Out):
    __test__ = False  # no test case

    tag = _text()
    name = _text()
    point = _text()
    method = serializers.SerializerMethodField()
    kind = _text()
    unit = _text()
    limits = _text("limits_text")
    low = _text(allow_null=True)
    high = _text(allow_null=True)
    conforming_text = _text()
    alert_low = _text(allow_null=True)
    alert_high = _text(allow_null=True)
    decimals = serializers.IntegerField()
    rounding = _text()
    replicates = serializers.IntegerField()
    reported_as = _text()
    is_each_judged = serializers.BooleanField()
    is_mandatory = serializers.BooleanField()
    may_be_skipped = serializers.BooleanField()

    def get_method(self, test: Any) -> str:
        return f"{test.method_code} v{test.method_version}"


class PlanPointOut(Out):
    point = _text()
    samples = serializers.IntegerField()
    amount = _text()
    storage = _text()
    instruction = _text()


class VersionOut(Out):
    specification = _text("specification.code")
    version = serializers.IntegerField()
    state = _text()
    author = _text("author.username")
    approver = _text("approver.username", default=None, allow_null=True)
    effective_at = serializers.DateTimeField(allow_null=True)
    superseded_at = serializers.DateTimeField(allow_null=True)
    reason = _text()


class _WithSignatures(Out):
    signatures = serializers.SerializerMethodField()

    @extend_schema_field(VerdictOut(many=True))
    def get_signatures(self, record: Any) -> list[dict[str, Any]]:
        return list(VerdictOut(of_record(record), many=True).data)


class VersionDetailOut(VersionOut, _WithSignatures):
    tests = serializers.SerializerMethodField()
    plan = serializers.SerializerMethodField()

    @extend_schema_field(TestOut(many=True))
    def get_tests(self, version: SpecificationVersion) -> list[dict[str, Any]]:
        return list(TestOut(version.tests.order_by("tag", "point"), many=True).data)

    @extend_schema_field(PlanPointOut(many=True))
    def get_plan(self, version: SpecificationVersion) -> list[dict[str, Any]]:
        return list(PlanPointOut(version.plan.order_by("point"), many=True).data)


class TestDecisionOut(Out):
    __test__ = False  # no test case

    batch = _text("batch.number")
    tag = _text("test.tag")
    kind = _text()
    reason = _text()
    decided_by = _text("decided_by.username")
    decided_at = serializers.DateTimeField()


class LaboratorySampleOut(Out):
    batch = _text("batch.number")
    number = _text()
    point = _text()
    taken_at = serializers.DateTimeField()
    taken_by = _text()
    aliquot_of = _text("parent.number", default=None, allow_null=True)
    state = serializers.SerializerMethodField()
    location = _text("standing.location", default="")

    def get_state(self, sample: Sample) -> str:
        return sample.standing.state if hasattr(sample, "standing") else SampleState.TAKEN.value


class CustodyOut(Out):
    sample = _text("sample.number")
    state = _text()
    location = _text()


class ReagentOut(Out):
    code = _text()
    lot = _text()
    name = _text()
    kind = _text()
    purity = _text()
    opened_on = serializers.DateField(allow_null=True)
    expires_on = serializers.DateField()
    is_withdrawn = serializers.BooleanField()


class RunOut(Out):
    number = _text()
    instrument = _text()
    method_code = _text()
    method_version = _text()
    analyst = _text("analyst.username")
    planned_injections = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    state = _text()
    was_aborted = serializers.BooleanField()
    suitability = _text()
    suitability_text = _text()
    reviewer = _text("reviewer.username", default=None, allow_null=True)
    reviewed_at = serializers.DateTimeField(allow_null=True)


class InjectionOut(Out):
    number = serializers.IntegerField()
    kind = _text()
    sample = _text("sample.number", default=None, allow_null=True)
    outcome = _text()
    reason = _text()
    injected_at = serializers.DateTimeField()
    raw_data_digest = _text()


class OrphanOut(Out):
    name = _text()
    explanation = _text()


class RunDetailOut(RunOut, _WithSignatures):
    injections = serializers.SerializerMethodField()
    orphans = serializers.SerializerMethodField()
    reagents = serializers.SerializerMethodField()
    trail_entries = serializers.SerializerMethodField(
        help_text="How many entries its audit trail has; a review says how many were seen."
    )

    @extend_schema_field(InjectionOut(many=True))
    def get_injections(self, run: Run) -> list[dict[str, Any]]:
        found = run.injections.select_related("sample").order_by("number")
        return list(InjectionOut(found, many=True).data)

    @extend_schema_field(OrphanOut(many=True))
    def get_orphans(self, run: Run) -> list[dict[str, Any]]:
        return list(OrphanOut(orphans.of(run), many=True).data)

    def get_reagents(self, run: Run) -> list[str]:
        return [str(one.reagent) for one in run.reagents.select_related("reagent").order_by("pk")]

    def get_trail_entries(self, run: Run) -> int:
        return orphans.trail_entries(run)


class ExplanationOut(Out):
    orphan = _text()
    text = _text()


class LaboratoryResultOut(Out):
    id = serializers.IntegerField()
    batch = _text("sample.batch.number")
    sample = _text("sample.number")
    tag = _text()
    version = serializers.IntegerField()
    value = _text("value_text")
    unit = _text()
    judgement = _text()
    limits = _text("test.limits_text", default=None, allow_null=True)
    trend = _text()
    analyst = _text()
    run = _text("run.number", default=None, allow_null=True)
    reported_at = serializers.DateTimeField()
    recorded_at = serializers.DateTimeField()
    reason = _text()


class ReplicateOut(Out):
    number = serializers.IntegerField()
    value = _text("value_text")
    injection = serializers.IntegerField(source="injection.number", default=None, allow_null=True)


class ResultDetailOut(LaboratoryResultOut, _WithSignatures):
    state = serializers.SerializerMethodField()
    replicates = serializers.SerializerMethodField()

    def get_state(self, result: Result) -> str:
        return results.state_of(result).value

    @extend_schema_field(ReplicateOut(many=True))
    def get_replicates(self, result: Result) -> list[dict[str, Any]]:
        found = result.replicates.select_related("injection").order_by("number")
        return list(ReplicateOut(found, many=True).data)


class ResultReviewOut(Out):
    result = serializers.IntegerField(source="result_id")
    reviewer = _text("reviewer.username")
    comment = _text()
    reviewed_at = serializers.DateTimeField()


class OosOut(Out):
    number = _text()
    batch = _text("batch.number")
    test = _text("test.tag")
    value = _text("value_text")
    limits = _text("limits_text")
    state = _text()
    conclusion = _text()
    opened_at = serializers.DateTimeField()
    due_on = serializers.DateField()
    closed_at = serializers.DateTimeField(allow_null=True)


class RetestOut(Out):
    number = serializers.IntegerField()
    sample = _text("sample.number", default=None, allow_null=True)
    value = _text("value_text")
    is_outside = serializers.BooleanField()
    analyst = _text("analyst.username")
    tested_at = serializers.DateTimeField()


class OosDetailOut(OosOut, _WithSignatures):
    investigator = _text("investigator.username", default=None, allow_null=True)
    checklist = serializers.DictField()
    is_preparation_retained = serializers.BooleanField(allow_null=True)
    interview = _text()
    has_cause = serializers.BooleanField(allow_null=True)
    cause_category = _text()
    cause = _text()
    cause_evidence = _text()
    production_review = _text()
    plan_kind = _text()
    retest_count = serializers.IntegerField(allow_null=True)
    retest_analyst = _text("retest_analyst.username", default=None, allow_null=True)
    plan_rationale = _text()
    resample_justification = _text()
    conclusion_text = _text()
    approver = _text("approver.username", default=None, allow_null=True)
    retests = serializers.SerializerMethodField()
    deviations = serializers.SerializerMethodField()

    @extend_schema_field(RetestOut(many=True))
    def get_retests(self, oos: OosInvestigation) -> list[dict[str, Any]]:
        found = oos.retests.select_related("sample", "analyst").order_by("number")
        return list(RetestOut(found, many=True).data)

    def get_deviations(self, oos: OosInvestigation) -> list[str]:
        links = oos.deviation_links.order_by("pk")
        return list(links.values_list("deviation__number", flat=True))


class OosLinkOut(Out):
    oos = _text("oos.number")
    deviation = _text("deviation.number")
    reason = _text()


class StudyOut(Out):
    number = _text()
    batch = _text("batch.number")
    specification = _text()
    kind = _text()
    condition = _text()
    container = _text()
    started_on = serializers.DateField()
    state = _text()


class PullOut(Out):
    study = _text("study.number")
    month = serializers.IntegerField()
    due_on = serializers.DateField()
    opens_on = serializers.DateField()
    closes_on = serializers.DateField()
    state = _text()
    pulled_at = serializers.DateTimeField(allow_null=True)
    pulled_by = _text()
    remark = _text()


class StabilityResultOut(Out):
    id = serializers.IntegerField()
    month = serializers.IntegerField(source="pull.month")
    tag = _text("test.tag")
    version = serializers.IntegerField()
    value = _text("value_text")
    judgement = _text()
    entered_by = _text("entered_by.username")
    tested_at = serializers.DateTimeField()


class StabilityReviewOut(Out):
    result = serializers.IntegerField(source="result_id")
    reviewer = _text("reviewer.username")
    reviewed_at = serializers.DateTimeField()


class TrendOut(Out):
    tag = _text("test.tag")
    limits = _text("test.limits_text")
    points = serializers.SerializerMethodField()
    slope_per_month = serializers.SerializerMethodField()
    months_within_limits = serializers.IntegerField(source="months", allow_null=True)

    def get_points(self, trend: stability_results.Trend) -> list[list[str]]:
        return [[str(month), str(value)] for month, value in trend.points]

    def get_slope_per_month(self, trend: stability_results.Trend) -> str | None:
        return None if trend.line is None else f"{float(trend.line.slope):.6g}"


class StudyDetailOut(StudyOut, _WithSignatures):
    pulls = serializers.SerializerMethodField()
    results = serializers.SerializerMethodField()
    trends = serializers.SerializerMethodField()

    @extend_schema_field(PullOut(many=True))
    def get_pulls(self, study: StabilityStudy) -> list[dict[str, Any]]:
        found = study.pulls.select_related("study").order_by("month")
        return list(PullOut(found, many=True).data)

    @extend_schema_field(StabilityResultOut(many=True))
    def get_results(self, study: StabilityStudy) -> list[dict[str, Any]]:
        found = stability_results.current(study).select_related("pull", "test", "entered_by")
        return list(StabilityResultOut(found.order_by("pull__month", "test__tag"), many=True).data)

    @extend_schema_field(TrendOut(many=True))
    def get_trends(self, study: StabilityStudy) -> list[dict[str, Any]]:
        return list(TrendOut(stability_results.trends(study), many=True).data)


class ComplaintOut(Out):
    number = _text()
    product_text = _text()
    lot_text = _text()
    nature = _text()
    is_serious = serializers.BooleanField()
    state = _text()
    received_at = serializers.DateTimeField()
    due_on = serializers.DateField()
    needs_investigation = serializers.BooleanField(allow_null=True)
    no_investigation_reason = _text()
    findings = _text()
    follow_up = _text()
    reply = _text()
    closed_at = serializers.DateTimeField(allow_null=True)


class ConsideredOut(Out):
    batch = _text("batch.number")
    is_affected = serializers.BooleanField()
    finding = _text()
