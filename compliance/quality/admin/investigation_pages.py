"""Show what an investigation considered, and what its closure still waits for."""

from collections.abc import Sequence

from compliance.access import page_parts, record_admin
from compliance.access.page_parts import Cell, Note, Part, Section, Table, Text
from compliance.quality import gaps, recurrences
from compliance.quality.admin import fields
from compliance.quality.models import Deviation, Escalation


def sections(deviation: Deviation) -> list[Section]:
    """Return the sections of one deviation's page that are about its investigation."""
    made = [
        _missing(deviation),
        _classifications(deviation),
        _causes(deviation),
        _scope(deviation),
        _recurrences(deviation),
        _dates(deviation),
        _capas(deviation),
    ]
    return [one for one in made if one is not None]


def _missing(deviation: Deviation) -> Section | None:
    if not deviation.is_open:
        return None
    found = gaps.of(deviation)
    if not found:
        return Section("Its closure", [Note("Nothing is missing: sign, and let it be closed.")])
    table = Table(["Its closure waits for"], [[one[0].upper() + one[1:]] for one in found])
    return Section("Its closure", [table])


def _classifications(deviation: Deviation) -> Section:
    rows: list[Sequence[Cell]] = [
        [
            page_parts.moment(one.made_at),
            fields.name(one.made_by),
            f"{one.get_by_rule_display()} by rule {one.rule}",
            page_parts.state(one.severity, one.get_severity_display()),
            one.rationale,
        ]
        for one in deviation.classifications.select_related("made_by").order_by("pk")
    ]
    columns = ["At", "By", "The rule gives", "Classified", "Rationale"]
    return Section("Classification", [Table(columns, rows, empty="Not classified yet.")])


def _causes(deviation: Deviation) -> Section:
    rows: list[Sequence[Cell]] = [
        [
            one.get_category_display(), one.cause, one.get_finding_display(), one.how,
            fields.name(one.considered_by),
        ]
        for one in deviation.causes.select_related("considered_by").order_by("pk")
    ]  # fmt: skip
    columns = ["Kind", "Cause", "Finding", "How", "By"]
    return Section("Causes considered", [Table(columns, rows, empty="None considered yet.")])


def _scope(deviation: Deviation) -> Section:
    rows: list[Sequence[Cell]] = [
        [
            f"{one.kind} {one.name}", one.because,
            one.get_effect_display() or page_parts.badge("to be considered", "warn"),
            one.reason, fields.name(one.decided_by),
        ]
        for one in deviation.neighbours.select_related("decided_by").order_by("kind", "name")
    ]  # fmt: skip
    columns = ["Neighbour", "Suggested because", "Effect", "Reason", "By"]
    return Section("Scope", [Table(columns, rows, empty="No neighbour is listed.")])


def _recurrences(deviation: Deviation) -> Section:
    earlier: list[Sequence[Cell]] = [
        [record_admin.link(one), page_parts.moment(one.occurred_at), one.title]
        for one in recurrences.of(deviation)
    ]
    empty = "No deviation of the two years before looks like this one."
    parts: list[Part] = [Table(["Earlier", "Occurred", "Title"], earlier, empty=empty)]
    for one in deviation.recurrence_answers.select_related("answered_by").order_by("pk"):
        said = "a recurrence" if one.is_recurrence else "no recurrence"
        label = f"{said}, says {one.answered_by.username}, {page_parts.moment(one.answered_at)}"
        parts.append(Text(one.text, label=label))
    return Section("Recurrence", parts)


def _dates(deviation: Deviation) -> Section | None:
    wishes: list[Sequence[Cell]] = [
        [
            page_parts.day(one.due_after), one.reason, fields.name(one.requested_by),
            {None: "waits", True: "granted", False: "denied"}[one.is_granted],
            one.answer, fields.name(one.answered_by),
        ]
        for one in deviation.extensions.select_related("requested_by", "answered_by").order_by("pk")
    ]  # fmt: skip
    told: list[Sequence[Cell]] = [
        [
            page_parts.moment(one.escalated_at),
            str(one.level),
            one.addressed_to,
            str(one.days_overdue),
        ]
        for one in Escalation.objects.filter(number=deviation.number).order_by("pk")
    ]
    if not wishes and not told:
        return None
    parts: list[Part] = []
    if wishes:
        parts.append(Table(["Until", "Why", "Asked by", "Answer", "Because", "By"], wishes))
    if told:
        parts.append(Table(["Escalated", "Level", "Told", "Days overdue"], told))
    return Section("Dates", parts)


def _capas(deviation: Deviation) -> Section | None:
    rows: list[Sequence[Cell]] = [
        [record_admin.link(one), one.title, page_parts.state(one.state, one.get_state_display())]
        for one in deviation.capas.order_by("pk")
    ]
    return Section("CAPA", [Table(["CAPA", "Title", "State"], rows)]) if rows else None
