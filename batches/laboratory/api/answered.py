"""Describe what is answered about specifications, samples, runs and results."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from batches.laboratory import orphans, results
from batches.laboratory.api.shown import WithSignatures, text
from batches.laboratory.models import (
    Result,
    Run,
    Sample,
    SampleState,
    SpecificationVersion,
)
from compliance.wire import Out


class SpecificationOut(Out):
    code = text()
    title = text()
    use = text()
    product = text("product.code", default=None, allow_null=True)
    material = text()


class TestOut(Out):
    __test__ = False  # no test case

    tag = text()
    name = text()
    point = text()
    method = serializers.SerializerMethodField()
    kind = text()
    unit = text()
    limits = text("limits_text")
    low = text(allow_null=True)
    high = text(allow_null=True)
    conforming_text = text()
    alert_low = text(allow_null=True)
    alert_high = text(allow_null=True)
    decimals = serializers.IntegerField()
    rounding = text()
    replicates = serializers.IntegerField()
    reported_as = text()
    is_each_judged = serializers.BooleanField()
    is_mandatory = serializers.BooleanField()
    may_be_skipped = serializers.BooleanField()

    def get_method(self, test: Any) -> str:
        return f"{test.method_code} v{test.method_version}"


class PlanPointOut(Out):
    point = text()
    samples = serializers.IntegerField()
    amount = text()
    storage = text()
    instruction = text()


class VersionOut(Out):
    specification = text("specification.code")
    version = serializers.IntegerField()
    state = text()
    author = text("author.username")
    approver = text("approver.username", default=None, allow_null=True)
    effective_at = serializers.DateTimeField(allow_null=True)
    superseded_at = serializers.DateTimeField(allow_null=True)
    reason = text()


class VersionDetailOut(VersionOut, WithSignatures):
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

    batch = text("batch.number")
    tag = text("test.tag")
    kind = text()
    reason = text()
    decided_by = text("decided_by.username")
    decided_at = serializers.DateTimeField()


class LaboratorySampleOut(Out):
    batch = text("batch.number")
    number = text()
    point = text()
    taken_at = serializers.DateTimeField()
    taken_by = text()
    aliquot_of = text("parent.number", default=None, allow_null=True)
    state = serializers.SerializerMethodField()
    location = serializers.SerializerMethodField()

    def get_location(self, sample: Sample) -> str:
        return sample.standing.location if hasattr(sample, "standing") else ""

    def get_state(self, sample: Sample) -> str:
        return sample.standing.state if hasattr(sample, "standing") else SampleState.TAKEN.value


class CustodyOut(Out):
    sample = text("sample.number")
    state = text()
    location = text()


class ReagentOut(Out):
    code = text()
    lot = text()
    name = text()
    kind = text()
    purity = text()
    opened_on = serializers.DateField(allow_null=True)
    expires_on = serializers.DateField()
    is_withdrawn = serializers.BooleanField()


class RunOut(Out):
    number = text()
    instrument = text()
    method_code = text()
    method_version = text()
    analyst = text("analyst.username")
    planned_injections = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    state = text()
    was_aborted = serializers.BooleanField()
    suitability = text()
    suitability_text = text()
    reviewer = text("reviewer.username", default=None, allow_null=True)
    reviewed_at = serializers.DateTimeField(allow_null=True)


class InjectionOut(Out):
    number = serializers.IntegerField()
    kind = text()
    sample = text("sample.number", default=None, allow_null=True)
    outcome = text()
    reason = text()
    injected_at = serializers.DateTimeField()
    raw_data_digest = text()


class OrphanOut(Out):
    name = text()
    explanation = text()


class RunDetailOut(RunOut, WithSignatures):
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
    orphan = text()
    text = text()


class LaboratoryResultOut(Out):
    id = serializers.IntegerField()
    batch = text("sample.batch.number")
    sample = text("sample.number")
    tag = text()
    version = serializers.IntegerField()
    value = text("value_text")
    unit = text()
    judgement = text()
    limits = text("test.limits_text", default=None, allow_null=True)
    trend = text()
    analyst = text()
    run = text("run.number", default=None, allow_null=True)
    reported_at = serializers.DateTimeField()
    recorded_at = serializers.DateTimeField()
    reason = text()


class ReplicateOut(Out):
    number = serializers.IntegerField()
    value = text("value_text")
    injection = serializers.IntegerField(source="injection.number", default=None, allow_null=True)


class ResultDetailOut(LaboratoryResultOut, WithSignatures):
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
    reviewer = text("reviewer.username")
    comment = text()
    reviewed_at = serializers.DateTimeField()
