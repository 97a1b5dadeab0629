"""Write the sections of a batch report from the records, as plain values."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from batches.disposition import excursions
from batches.disposition.models import Decision
from batches.execution import measurements, series
from batches.execution.models import Batch, BatchEvent, BatchException, EventKind
from batches.laboratory.models import Judgement, Result
from batches.quantities import unit_words, units
from batches.recipes.models import Parameter, ParameterKind
from compliance.inspection.models import CheckResult, FindingClass, Inspection, Verdict
from compliance.quality.models import Deviation
from compliance.reports import charts, signed_blocks
from compliance.reports.document import (
    Align,
    Block,
    Chart,
    Column,
    Fact,
    Facts,
    Finding,
    Paragraph,
    Severity,
    Table,
    Tile,
    Tone,
)
from compliance.reports.drawing import Drawing
from compliance.trail.models import Checkpoint, Entry

CHART_POINTS = 1500
Write = Callable[[Batch], list[Block]]


def manufacture(batch: Batch) -> list[Block]:
    """Give the phases in their order, with start and end."""
    rows = tuple(
        (
            str(phase.order), phase.unit_procedure, phase.name, phase.get_state_display(),
            moment(phase.started_at), moment(phase.ended_at),
        )
        for phase in batch.phases.order_by("order")
    )  # fmt: skip
    columns = (
        Column("No.", 0.4, Align.RIGHT),
        Column("Unit procedure", 1.6),
        Column("Phase", 1.4),
        Column("State", 0.8),
        Column("Started", 1.6),
        Column("Ended", 1.6),
    )
    return [Table(columns, rows)]


def parameters(batch: Batch) -> list[Block]:
    """Give extremes against limits, and a chart for each parameter that was measured on line."""
    found = list(excursions.of(batch))
    outside = {one.tag for one in found}
    rows = []
    drawn: list[Block] = []
    for parameter in batch.recipe.parameters.filter(kind=ParameterKind.READING).order_by("tag"):
        points = _points(batch, parameter)
        values = [value for _, value in points]
        lowest, highest = min(values, default=None), max(values, default=None)
        is_outside = parameter.tag in outside or any(
            value is not None and excursions.is_outside(parameter, value)
            for value in (lowest, highest)
        )
        rows.append(
            (
                parameter.name, parameter.get_criticality_display(), parameter.limits_text,
                _recorded(lowest), _recorded(highest),
                _judged(parameter, is_measured=bool(values), is_outside=is_outside),
            )
        )  # fmt: skip
        if points:
            drawn.append(Chart(_chart(parameter, points)))
    columns = (
        Column("Parameter", 1.6),
        Column("Criticality", 1.6),
        Column("Limits", 1.6),
        Column("Lowest", 0.8, Align.RIGHT),
        Column("Highest", 0.8, Align.RIGHT),
        Column("Verdict", 1.0),
    )
    said = [Paragraph(str(one)) for one in found]
    return [Table(columns, tuple(rows)), *said, *drawn]


def unit_codes(batch: Batch) -> list[Block]:
    """Give the code on record (UCUM) of each unit that is written otherwise here."""
    codes = sorted(set(batch.recipe.parameters.values_list("unit", flat=True)))
    rows = tuple((shown, code) for code in codes if (shown := unit_words.shown(code)) != code)
    return [Table((Column("As written here"), Column("On record")), rows)] if rows else []


def laboratory(batch: Batch) -> list[Block]:
    """Give every result in every version, against its limits where it counts."""
    every = Result.objects.filter(sample__batch=batch)
    verdict = _verdicts(batch)
    rows = tuple(
        (
            result.sample.number, result.tag, str(result.version),
            f"{result.value_text} {unit_words.shown(result.unit)}", verdict(result),
            moment(result.sample.taken_at), moment(result.reported_at), result.analyst,
        )
        for result in every.select_related("sample").order_by("sample__taken_at", "tag", "version")
    )  # fmt: skip
    columns = (
        Column("Sample", 1.3),
        Column("Test", 1.3),
        Column("Vers.", 0.4, Align.RIGHT),
        Column("Result", 1.0, Align.RIGHT),
        Column("Verdict", 1.3),
        Column("Taken", 1.2),
        Column("Reported", 1.2),
        Column("Analyst", 0.9),
    )
    return [Table(columns, rows)]


def _verdicts(batch: Batch) -> Callable[[Result], str]:
    """Return what says of a result how it was judged, or why it does not count."""
    limits = {
        one.tag: one
        for one in batch.recipe.parameters.filter(kind=ParameterKind.RESULT)
        if one.low is not None or one.high is not None
    }
    newest = Result.objects.current().filter(sample__batch=batch)
    current = set(newest.values_list("pk", flat=True))
    standing = set(newest.filter(invalidation=None).values_list("pk", flat=True))
    judged = {one.pk for one in excursions.judged(batch, limits)}

    def verdict(result: Result) -> str:
        if result.judgement != Judgement.NONE:
            said = "out of specification" if result.judgement == Judgement.OOS else "conforms"
            if result.pk in standing:
                return said
            return f"{said}, {'invalidated' if result.pk in current else 'replaced'}"
        if result.tag not in limits:
            return ""
        if result.pk not in judged:
            return f"not judged: {'earlier sample' if result.pk in current else 'replaced'}"
        is_outside = excursions.is_outside(limits[result.tag], result.value)
        return "outside limits" if is_outside else "within limits"

    return verdict


def events(batch: Batch) -> list[Block]:
    """Give every event with the source's own time text beside ours."""
    rows = tuple(
        (
            event.occurred_text, event.get_kind_display(), event.phase,
            _event_text(event), event.performed_by, moment(event.recorded_at),
        )
        for event in batch.events.order_by("occurred_at", "pk")
    )  # fmt: skip
    columns = (
        Column("Occurred (source's clock)", 1.4),
        Column("Kind", 1.0),
        Column("Phase", 1.0),
        Column("What", 2.2),
        Column("By", 0.9),
        Column("Recorded", 1.4),
    )
    return [Table(columns, rows)]


def exceptions(batch: Batch) -> list[Block]:
    """Give what was flagged as it was entered, and how a second person assessed it (211.192)."""
    found = batch.exceptions.select_related("assessed_by", "deviation").order_by("pk")
    rows = tuple(
        (
            moment(one.detected_at), one.get_kind_display(), one.text, _assessed(one),
        )
        for one in found
    )  # fmt: skip
    columns = (
        Column("Detected", 1.2),
        Column("Kind", 1.3),
        Column("What", 3.2),
        Column("Assessment", 2.0),
    )
    return [Table(columns, rows)] if rows else [Paragraph("None flagged.")]


def _assessed(one: BatchException) -> str:
    if one.assessed_by is None:
        return f"open, see {one.deviation}" if one.deviation else "open"
    said = f"{one.assessment} ({one.assessed_by.username}, {moment(one.assessed_at)})"
    return f"{said}, see {one.deviation}" if one.deviation else said


def deviations(batch: Batch) -> list[Block]:
    """Give every linked deviation with its investigation and signatures."""
    blocks: list[Block] = []
    for deviation in batch.deviations.order_by("number"):
        blocks.append(Paragraph(f"{deviation.number}: {deviation.title}"))
        blocks.append(Facts(tuple(_deviation_facts(deviation))))
        blocks += manifested(deviation)
    return blocks or [Paragraph("None recorded.")]


def disposition(batch: Batch) -> list[Block]:
    """Give the decision with its signatures."""
    decision = Decision.objects.filter(batch=batch).first()
    said = (
        f"{decision.get_outcome_display()}: {decision.reason}"
        if decision
        else "No disposition has been decided."
    )
    return [Paragraph(said), *manifested(batch)]


def inspection(batch: Batch) -> tuple[Tile, list[Block]]:
    """Give the newest finished inspection that covers this batch, as tile and as section."""
    finished = Inspection.objects.filter(state="finished").order_by("-pk")
    newest = next((one for one in finished if not one.scope or batch.number in one.scope), None)
    if newest is None:
        return Tile("Inspection", "not inspected"), [
            Paragraph("No inspection covers this batch yet.")
        ]
    results = list(newest.results.order_by("order"))
    found = [one for one in results if one.verdict == Verdict.FINDING]
    counted = {
        verdict: sum(1 for one in results if one.verdict == verdict) for verdict in Verdict.values
    }
    worst = {one.finding_class for one in found}
    grave = worst & {FindingClass.CRITICAL, FindingClass.MAJOR}
    tone = Tone.BAD if grave else Tone.NEUTRAL if found else Tone.GOOD
    said = Paragraph(
        "SIMULATED review - not issued by any authority. "
        f"{newest.number}, rule pack {newest.rule_pack}, grade {newest.grade}, tree size "
        f"{newest.tree_size}: {counted['finding']} findings, {counted['clean']} checks clean, "
        f"{counted['not-assessable']} not assessable, {counted['not-applicable']} not applicable."
    )
    plural = "" if len(found) == 1 else "s"
    tile = Tile("Inspection", f"{len(found)} finding{plural}", tone, newest.number)
    return tile, [said, *(_finding(one) for one in found)]


def trail(batch: Batch, *, tree_size: int) -> list[Block]:
    """Give the batch's own entries and the checkpoint that covers them."""
    entries = Entry.objects.filter(record="execution_batch", record_id=str(batch.pk))
    rows = tuple(
        (
            str(entry.record_seq), "" if entry.index is None else str(entry.index),
            moment(entry.at),
            entry.actor, entry.role, entry.action, entry.reason,
        )
        for entry in entries.order_by("record_seq")
    )  # fmt: skip
    columns = (
        Column("Seq.", 0.4, Align.RIGHT),
        Column("Leaf", 0.6, Align.RIGHT),
        Column("At", 1.5),
        Column("Actor", 1.0),
        Column("Role", 1.0),
        Column("Action", 1.4),
        Column("Reason", 1.8),
    )
    checkpoint = Checkpoint.objects.filter(size=tree_size).first()
    return [
        Paragraph(
            "Entries of the batch itself. Those of its phases, events, segments, samples, results, "
            "deviations and signatures are in the attached evidence, each with its inclusion proof."
        ),
        Table(columns, rows),
        Paragraph("Signed checkpoint of the log (C2SP signed note):"),
        Paragraph(checkpoint.note if checkpoint else "None covers this record yet."),
    ]


def manifested(record: Batch | Deviation) -> list[Block]:
    """Give each signature under a record as 21 CFR 11.50 wants it shown."""
    return list(signed_blocks.of(record))


def moment(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC") if at else ""


def _points(batch: Batch, parameter: Parameter) -> list[tuple[datetime, Decimal]]:
    """Return a parameter's readings, thinned for a chart; else what was measured or entered.

    What is no number in the parameter's unit was flagged at its entry, and is among the events.
    """
    thinned = series.of(batch, tag=parameter.tag, max_points=CHART_POINTS)
    if thinned.points:
        return [(point.at, point.value) for point in thinned.points]
    measured = batch.events.filter(kind=EventKind.MEASUREMENT, tag=parameter.tag).order_by("pk")
    points = [
        (one.occurred_at, value)
        for one in measured
        if units.is_same(one.unit, parameter.unit)
        and (value := measurements.number(one.value)) is not None
    ]
    entered = batch.in_process_results.filter(parameter__tag=parameter.tag).order_by("pk")
    points += [(one.performed_at, Decimal(one.value_text)) for one in entered]
    return sorted(points, key=lambda point: point[0])


def _chart(parameter: Parameter, points: list[tuple[datetime, Decimal]]) -> Drawing:
    limits = [
        charts.Limit(side, float(value))
        for side, value in (("low", parameter.low), ("high", parameter.high))
        if value is not None
    ]
    return charts.time_series(
        [charts.Series(parameter.name, [(at, float(value)) for at, value in points])],
        limits=limits,
        title=parameter.name,
        unit=unit_words.shown(parameter.unit),
    )


def _event_text(event: BatchEvent) -> str:
    value = f"{event.tag} {event.value} {event.unit}".strip()
    details = ", ".join(f"{key} {value}" for key, value in event.details.items())
    return "; ".join(part for part in (event.text, value, details) if part)


def _deviation_facts(deviation: Deviation) -> list[Fact]:
    cause = f"{deviation.get_root_cause_category_display()}: {deviation.root_cause}"
    known = [
        Fact("State", deviation.get_state_display()),
        Fact("Severity", deviation.get_severity_display()),
        Fact("Origin", deviation.get_origin_display()),
        Fact("Occurred", moment(deviation.occurred_at)),
        Fact("Opened", f"{moment(deviation.opened_at)} by {deviation.opened_by}"),
        Fact("Description", deviation.description),
        Fact("Immediate action", deviation.immediate_action),
        Fact("Root cause", cause if deviation.root_cause else ""),
        Fact("Alternatives considered", deviation.alternatives_considered),
        Fact("Impact", deviation.impact),
        Fact("Corrective action", deviation.corrective_action),
        Fact("Conclusion", deviation.conclusion),
        Fact("Closed", moment(deviation.closed_at)),
    ]
    return [fact for fact in known if fact.value]


def _finding(result: CheckResult) -> Finding:
    return Finding(
        number=result.check_id,
        severity=Severity(result.finding_class),
        clause=result.clauses_text,
        text=result.text,
        evidence=(
            Fact("Examined", f"{result.examined}, of which {result.failing} fail"),
            Fact("Class", result.class_reason),
        ),
    )


def _judged(parameter: Parameter, *, is_measured: bool, is_outside: bool) -> str:
    if not is_measured:
        return "not measured"
    if parameter.low is None and parameter.high is None:
        return "no limits"
    return "outside limits" if is_outside else "within limits"


def _recorded(value: Decimal | None) -> str:
    """Write a value with the digits of its record: trailing zeros are data."""
    return "" if value is None else f"{value:f}"
