"""What goes over the wire about versions of twins and their qualification."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from compliance.wire import In, Out, Text
from twins.hub.models import ModelVersion, SealedTestSet
from twins.models.qualification import scoring
from twins.models.qualification.criteria import Comparison


def _number(**options: Any) -> serializers.DecimalField:
    """Return a field for a finite number."""
    return serializers.DecimalField(max_digits=20, decimal_places=9, **options)


class ModelSignatureIn(In):
    reason = Text(max_length=2000)
    password = Text(max_length=200, write_only=True)


class BatchRowsIn(In):
    name = Text(max_length=120)
    rows = serializers.ListField(child=serializers.DictField(), max_length=100_000)


class DossierIn(In):
    subgroups = serializers.ListField(child=Text(max_length=60), max_length=100)
    limits = Text(max_length=4000)
    training = Text(max_length=4000)
    trainers = serializers.ListField(
        child=Text(max_length=60), max_length=100, help_text="User names of whoever trained it."
    )
    batches = BatchRowsIn(many=True, help_text="Digests are taken of the rows; they are not kept.")
    password = Text(max_length=200, write_only=True)


class TruthIn(In):
    subgroup = Text(max_length=60)
    onset_h = _number(allow_null=True)
    harm_h = _number(allow_null=True, required=False, default=None)
    values = serializers.ListField(child=_number(), required=False, default=list)


class LabelledBatchIn(BatchRowsIn):
    truth = TruthIn()


class TestSetExclusionIn(In):
    batch = Text(max_length=120)
    reason = Text(max_length=1000)


class TestSetIn(In):
    name = Text(max_length=120)
    provenance = Text(max_length=4000)
    label_provenance = Text(max_length=4000)
    is_generated = serializers.BooleanField()
    exclusions = TestSetExclusionIn(many=True)
    batches = LabelledBatchIn(many=True)
    password = Text(max_length=200, write_only=True)


class ModelCriterionIn(In):
    metric = serializers.ChoiceField(choices=scoring.METRICS)
    comparison = serializers.ChoiceField(choices=[one.value for one in Comparison])
    threshold = _number()
    population = Text(max_length=60, required=False, default=scoring.EVERYBODY)


class ModelQualificationIn(In):
    version = serializers.IntegerField(min_value=1)
    test_set = Text(max_length=20)
    criteria = ModelCriterionIn(many=True)
    replaces = Text(max_length=4000)
    change_number = Text(max_length=40, required=False, default="", allow_blank=True)
    drift_alpha = _number(required=False, default="0.05")
    false_alarm_contract = _number(required=False, default="0.05")
    miss_contract = _number(required=False, default="0.35")


class LabelOfBatchIn(TruthIn):
    batch = Text(max_length=64, help_text="Digest of the content, as sealed.")


class AnswerOfBatchIn(In):
    batch = Text(max_length=64, help_text="Digest of the content, as sealed.")
    first_alarm_h = _number(allow_null=True)
    probability = _number(
        allow_null=True, required=False, default=None, min_value=0, max_value=1
    )  # fmt: skip
    intervals = serializers.ListField(
        child=serializers.ListField(child=_number(), min_length=2, max_length=2),
        required=False,
        default=list,
    )
    is_undecided = serializers.BooleanField(required=False, default=False)


class ModelTestIn(In):
    why = Text(max_length=2000)
    labels = LabelOfBatchIn(many=True)
    answers = AnswerOfBatchIn(
        many=True, required=False, help_text="What the version said; not for a trained batch twin."
    )  # fmt: skip
    batches = BatchRowsIn(
        many=True, required=False, help_text="Rows, of which a trained batch twin answers itself."
    )
    password = Text(max_length=200, write_only=True)


class ModelVersionDossierOut(Out):
    id = serializers.IntegerField()
    name = serializers.CharField()
    state = serializers.CharField()
    code_digest = serializers.CharField()
    parameters_digest = serializers.CharField()
    intended_use = serializers.CharField()
    valid_range = serializers.CharField()
    registered_at = serializers.DateTimeField()
    qualified_at = serializers.DateTimeField(allow_null=True)
    retired_at = serializers.DateTimeField(allow_null=True)
    dossier = serializers.SerializerMethodField()

    @extend_schema_field({"type": ["object", "null"]})
    def get_dossier(self, version: ModelVersion) -> dict[str, Any] | None:
        dossier = getattr(version, "dossier", None)
        if dossier is None:
            return None
        return {
            "subgroups": dossier.subgroups,
            "limits": dossier.limits,
            "training": dossier.training,
            "is_training_repeated": dossier.is_training_repeated,
            "prepared_by": dossier.prepared_by.username,
            "trainers": sorted(
                dossier.trainers.values_list("person__username", flat=True)
            ),
            "batches": [
                {"label": one.label, "content_digest": one.content_digest, "rows": one.rows}
                for one in dossier.batches.order_by("pk")
            ],
        }  # fmt: skip


class TestSetOut(Out):
    number = serializers.CharField()
    name = serializers.CharField()
    provenance = serializers.CharField()
    label_provenance = serializers.CharField()
    is_generated = serializers.BooleanField()
    labels_digest = serializers.CharField()
    coverage = serializers.JSONField()
    exclusions = serializers.JSONField()
    sealed_by = serializers.CharField(source="sealed_by.username")
    sealed_at = serializers.DateTimeField()
    batches = serializers.SerializerMethodField()
    looks = serializers.SerializerMethodField()

    @extend_schema_field({"type": "array", "items": {"type": "object"}})
    def get_batches(self, test_set: SealedTestSet) -> list[dict[str, Any]]:
        return [
            {"label": one.label, "content_digest": one.content_digest, "subgroup": one.subgroup}
            for one in test_set.batches.all()
        ]

    @extend_schema_field({"type": "array", "items": {"type": "object"}})
    def get_looks(self, test_set: SealedTestSet) -> list[dict[str, Any]]:
        return [
            {
                "number": one.number,
                "qualification": one.qualification.number,
                "why": one.why,
                "looked_by": one.looked_by.username,
                "looked_at": one.looked_at.isoformat(),
            }
            for one in test_set.looks.order_by("number")
        ]


class ModelCriterionOut(Out):
    metric = serializers.CharField()
    comparison = serializers.CharField()
    threshold = serializers.CharField()
    population = serializers.CharField()


class TestRunOut(Out):
    """A test run; numbers in it are the decimal strings that are signed."""

    look = serializers.IntegerField(source="look.number")
    is_second_look = serializers.BooleanField()
    outcome = serializers.CharField()
    answered_by = serializers.CharField()
    scores = serializers.JSONField()
    verdicts = serializers.JSONField()
    deviation = serializers.CharField(
        source="deviation.number", default=None, allow_null=True
    )  # fmt: skip
    run_by = serializers.CharField(source="run_by.username")
    run_at = serializers.DateTimeField()


class ModelQualificationOut(Out):
    number = serializers.CharField()
    version = serializers.IntegerField(source="version_id")
    test_set = serializers.CharField(source="test_set.number")
    state = serializers.CharField()
    replaces = serializers.CharField()
    change_number = serializers.CharField()
    drift_alpha = serializers.CharField()
    false_alarm_contract = serializers.CharField()
    miss_contract = serializers.CharField()
    author = serializers.CharField(source="author.username")
    drafted_at = serializers.DateTimeField()
    approver = serializers.CharField(source="approver.username", default=None, allow_null=True)
    approved_at = serializers.DateTimeField(allow_null=True)
    criteria = ModelCriterionOut(many=True)
    run = TestRunOut(default=None, allow_null=True)


class DriftCheckOut(Out):
    version = serializers.IntegerField(source="version_id")
    number = serializers.IntegerField()
    batches = serializers.JSONField()
    alpha = serializers.CharField()
    results = serializers.JSONField()
    checked_at = serializers.DateTimeField()
