"""Describe how deviations go over the wire."""

from typing import Any

from rest_framework import serializers

from compliance import times
from compliance.quality import gaps, recurrences
from compliance.quality.messages.signatures import Signed
from compliance.quality.models import Category, Deviation, Effect, Finding, RootCause, Severity
from compliance.quality.trends import Trends
from compliance.signatures.models import Meaning
from compliance.trail.tlog import canonical
from compliance.wire import In, Moment, Out, Text


class DeviationIn(In):
    title = Text(max_length=200)
    description = Text(max_length=20_000)
    severity = serializers.ChoiceField(choices=Severity.choices)
    occurred_at = Moment()
    category = serializers.ChoiceField(choices=Category.choices, default="", allow_blank=True)
    concerns = Text(max_length=120, default="", allow_blank=True)
    immediate_action = Text(max_length=20_000, default="", allow_blank=True)
    follows = Text(max_length=40, default="", allow_blank=True)


class ClassificationIn(In):
    """The questions of the rule; a severity only where quality departs from the rule."""

    harms_patient = serializers.BooleanField()
    is_integrity_in_doubt = serializers.BooleanField()
    touches_cqa = serializers.BooleanField()
    touches_cpp = serializers.BooleanField()
    is_released = serializers.BooleanField()
    breaks_procedure = serializers.BooleanField()
    severity = serializers.ChoiceField(choices=Severity.choices, default="", allow_blank=True)
    rationale = Text(max_length=20_000)


class DeviationCauseIn(In):
    category = serializers.ChoiceField(choices=[one for one in RootCause.choices if one[0]])
    cause = Text(max_length=20_000)
    finding = serializers.ChoiceField(choices=Finding.choices)
    how = Text(max_length=20_000)


class NeighbourIn(In):
    kind = Text(max_length=40)
    name = Text(max_length=120)
    because = Text(max_length=300)


class NeighbourEffectIn(In):
    effect = serializers.ChoiceField(choices=[one for one in Effect.choices if one[0]])
    reason = Text(max_length=2000)


class RecurrenceIn(In):
    is_recurrence = serializers.BooleanField()
    text = Text(max_length=20_000)


class ExtensionIn(In):
    until = serializers.DateField()
    reason = Text(max_length=2000)


class ExtensionAnswerIn(In):
    is_granted = serializers.BooleanField()
    reason = Text(max_length=2000)


class CancellationIn(In):
    original = Text(max_length=40, help_text="Number of the deviation that it duplicates.")
    password = Text(max_length=200, write_only=True)
    reason = Text(max_length=2000)


class ImportIn(In):
    """Another system's report: its text unchanged, and what it claims, field by field."""

    number = Text(max_length=40)
    title = Text(max_length=200)
    severity = serializers.ChoiceField(choices=Severity.choices)
    occurred_at = Text(max_length=40, help_text="With its zone; without one only beside `zone`.")
    zone = Text(max_length=60, required=False, help_text="IANA zone to assume.")
    claims = serializers.DictField(child=Text(max_length=1000), required=False)
    source_text = Text(max_length=100_000)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        text, zone = attrs["occurred_at"], attrs.pop("zone", None)
        try:
            attrs["occurred_at"] = times.parse_local(text, zone=zone) if zone else times.parse(text)
            canonical.dumps(attrs.setdefault("claims", {}))
        except times.NotAMoment as error:
            raise serializers.ValidationError({"occurred_at": str(error)}) from error
        except canonical.NotCanonical as error:
            raise serializers.ValidationError({"claims": str(error)}) from error
        return attrs


class DeviationNoteIn(In):
    text = Text(max_length=20_000)


class InvestigationIn(In):
    root_cause_category = serializers.ChoiceField(
        choices=[choice for choice in RootCause.choices if choice[0]]
    )
    root_cause = Text(max_length=20_000)
    impact = Text(max_length=20_000)
    conclusion = Text(max_length=20_000)
    alternatives_considered = Text(max_length=20_000, allow_blank=True, default="")
    immediate_action = Text(max_length=20_000, allow_blank=True, default="")
    corrective_action = Text(max_length=20_000, allow_blank=True, default="")
    reason = Text(max_length=1000)


class SignatureIn(In):
    meaning = serializers.ChoiceField(choices=[(Meaning.INVESTIGATED.value, "Investigation")])
    password = Text(max_length=200, write_only=True)


class ClosureIn(In):
    password = Text(max_length=200, write_only=True)
    reason = Text(max_length=1000)


class DeviationOut(Out):
    number = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    severity = serializers.CharField()
    state = serializers.CharField()
    origin = serializers.CharField()
    occurred_at = serializers.DateTimeField()
    opened_at = serializers.DateTimeField()
    opened_by = serializers.CharField()
    due_on = serializers.DateField()
    closed_at = serializers.DateTimeField(allow_null=True)
    immediate_action = serializers.CharField()
    root_cause_category = serializers.CharField()
    root_cause = serializers.CharField()
    alternatives_considered = serializers.CharField()
    impact = serializers.CharField()
    corrective_action = serializers.CharField()
    conclusion = serializers.CharField()
    category = serializers.CharField()
    concerns = serializers.CharField()
    duplicate_of = serializers.CharField(source="duplicate_of.number", default="")
    follows = serializers.CharField(source="follows.number", default="")


class DeviationNoteOut(Out):
    text = serializers.CharField()
    written_by = serializers.CharField(source="written_by.username")
    written_at = serializers.DateTimeField()


class ClassificationOut(Out):
    rule = serializers.CharField()
    answers = serializers.JSONField()
    by_rule = serializers.CharField()
    severity = serializers.CharField()
    rationale = serializers.CharField()
    made_by = serializers.CharField(source="made_by.username")
    made_at = serializers.DateTimeField()


class DeviationCauseOut(Out):
    category = serializers.CharField()
    cause = serializers.CharField()
    finding = serializers.CharField()
    how = serializers.CharField()
    considered_by = serializers.CharField(source="considered_by.username")
    considered_at = serializers.DateTimeField()


class NeighbourOut(Out):
    id = serializers.IntegerField()
    rule = serializers.CharField()
    kind = serializers.CharField()
    name = serializers.CharField()
    because = serializers.CharField()
    effect = serializers.CharField()
    reason = serializers.CharField()
    decided_by = serializers.CharField(source="decided_by.username", default="")
    decided_at = serializers.DateTimeField(allow_null=True)


class RecurrenceOut(Out):
    earlier = serializers.JSONField()
    is_recurrence = serializers.BooleanField()
    text = serializers.CharField()
    answered_by = serializers.CharField(source="answered_by.username")
    answered_at = serializers.DateTimeField()


class ExtensionOut(Out):
    id = serializers.IntegerField()
    due_before = serializers.DateField()
    due_after = serializers.DateField()
    reason = serializers.CharField()
    requested_by = serializers.CharField(source="requested_by.username")
    is_granted = serializers.BooleanField(allow_null=True)
    answer = serializers.CharField()
    answered_by = serializers.CharField(source="answered_by.username", default="")


class DeviationDetailOut(DeviationOut, Signed):
    notes = DeviationNoteOut(many=True)
    classifications = ClassificationOut(many=True)
    causes = DeviationCauseOut(many=True)
    neighbours = NeighbourOut(many=True)
    recurrence_answers = RecurrenceOut(many=True)
    extensions = ExtensionOut(many=True)
    earlier = serializers.SerializerMethodField(help_text="Earlier ones that look alike.")
    missing = serializers.SerializerMethodField(help_text="What its closure waits for.")

    def get_earlier(self, deviation: Deviation) -> list[str]:
        return [one.number for one in recurrences.of(deviation)]

    def get_missing(self, deviation: Deviation) -> list[str]:
        return gaps.of(deviation) if deviation.is_open else []


class TrendMonthOut(Out):
    month = serializers.CharField(source="label")
    count = serializers.IntegerField()
    by_severity = serializers.DictField(child=serializers.IntegerField())


class FigureShareOut(Out):
    part = serializers.IntegerField()
    whole = serializers.IntegerField()
    percent = serializers.DecimalField(max_digits=5, decimal_places=1, allow_null=True)


class MonthsOut(Out):
    months = TrendMonthOut(many=True)
    by_category = serializers.SerializerMethodField()
    by_severity = serializers.SerializerMethodField()
    by_cause = serializers.SerializerMethodField()

    def get_by_category(self, found: Trends) -> dict[str, int]:
        return dict(found.by_category)

    def get_by_severity(self, found: Trends) -> dict[str, int]:
        return dict(found.by_severity)

    def get_by_cause(self, found: Trends) -> dict[str, int]:
        return dict(found.by_cause)


class FigureOfRoomOut(Out):
    name = serializers.CharField()
    title = serializers.CharField()
    share = FigureShareOut()


class FigurePackOut(Out):
    deviations_on_time = FigureShareOut()
    capa_on_time = FigureShareOut()
    capa_effective = FigureShareOut()
    recurrences = FigureShareOut()
    days_to_close = serializers.DecimalField(max_digits=8, decimal_places=1, allow_null=True)
    others = FigureOfRoomOut(many=True, help_text="Of the twelve months until `on`.")


class TrendsOut(Out):
    on = serializers.DateField()
    trends = MonthsOut()
    pack = FigurePackOut()
