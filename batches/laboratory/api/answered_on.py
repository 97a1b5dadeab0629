"""Describe what is answered about investigations, stability and complaints."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from batches.laboratory import stability_results
from batches.laboratory.api.shown import WithSignatures, text
from batches.laboratory.models import (
    OosInvestigation,
    StabilityStudy,
)
from compliance.wire import Out


class OosOut(Out):
    number = text()
    batch = text("batch.number")
    test = text("test.tag")
    value = text("value_text")
    limits = text("limits_text")
    state = text()
    conclusion = text()
    opened_at = serializers.DateTimeField()
    due_on = serializers.DateField()
    closed_at = serializers.DateTimeField(allow_null=True)


class RetestOut(Out):
    number = serializers.IntegerField()
    sample = text("sample.number", default=None, allow_null=True)
    value = text("value_text")
    is_outside = serializers.BooleanField()
    analyst = text("analyst.username")
    tested_at = serializers.DateTimeField()


class OosDetailOut(OosOut, WithSignatures):
    investigator = text("investigator.username", default=None, allow_null=True)
    checklist = serializers.DictField()
    is_preparation_retained = serializers.BooleanField(allow_null=True)
    interview = text()
    has_cause = serializers.BooleanField(allow_null=True)
    cause_category = text()
    cause = text()
    cause_evidence = text()
    production_review = text()
    plan_kind = text()
    retest_count = serializers.IntegerField(allow_null=True)
    retest_analyst = text("retest_analyst.username", default=None, allow_null=True)
    plan_rationale = text()
    resample_justification = text()
    conclusion_text = text()
    approver = text("approver.username", default=None, allow_null=True)
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
    oos = text("oos.number")
    deviation = text("deviation.number")
    reason = text()


class StudyOut(Out):
    number = text()
    batch = text("batch.number")
    specification = text()
    kind = text()
    condition = text()
    container = text()
    started_on = serializers.DateField()
    state = text()


class PullOut(Out):
    study = text("study.number")
    month = serializers.IntegerField()
    due_on = serializers.DateField()
    opens_on = serializers.DateField()
    closes_on = serializers.DateField()
    state = text()
    pulled_at = serializers.DateTimeField(allow_null=True)
    pulled_by = text()
    remark = text()


class StabilityResultOut(Out):
    id = serializers.IntegerField()
    month = serializers.IntegerField(source="pull.month")
    tag = text("test.tag")
    version = serializers.IntegerField()
    value = text("value_text")
    judgement = text()
    entered_by = text("entered_by.username")
    tested_at = serializers.DateTimeField()


class StabilityReviewOut(Out):
    result = serializers.IntegerField(source="result_id")
    reviewer = text("reviewer.username")
    reviewed_at = serializers.DateTimeField()


class TrendOut(Out):
    tag = text("test.tag")
    limits = text("test.limits_text")
    points = serializers.SerializerMethodField()
    slope_per_month = serializers.SerializerMethodField()
    months_within_limits = serializers.IntegerField(source="months", allow_null=True)

    def get_points(self, trend: stability_results.Trend) -> list[list[str]]:
        return [[str(month), str(value)] for month, value in trend.points]

    def get_slope_per_month(self, trend: stability_results.Trend) -> str | None:
        return None if trend.line is None else f"{float(trend.line.slope):.6g}"


class StudyDetailOut(StudyOut, WithSignatures):
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
    number = text()
    product_text = text()
    lot_text = text()
    nature = text()
    is_serious = serializers.BooleanField()
    state = text()
    received_at = serializers.DateTimeField()
    due_on = serializers.DateField()
    needs_investigation = serializers.BooleanField(allow_null=True)
    no_investigation_reason = text()
    findings = text()
    follow_up = text()
    reply = text()
    closed_at = serializers.DateTimeField(allow_null=True)


class ConsideredOut(Out):
    batch = text("batch.number")
    is_affected = serializers.BooleanField()
    finding = text()
