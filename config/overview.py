"""Gather what needs attention in the plant, for the front page."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db import DataError
from django.urls import reverse

from batches.execution.models import Batch, BatchState
from compliance.access import alarms, page_parts, record_admin
from compliance.access.models import SecurityAlarm
from compliance.access.page_parts import Cell, Note, Part, Section, Table, Tone
from compliance.inspection.models import Inspection, InspectionState
from compliance.quality import deviations
from compliance.quality.models import Deviation
from compliance.trail import status
from compliance.trail.stored import Damaged
from config import queue_status
from twins.predictions import admin as prediction_pages
from twins.predictions import outputs
from twins.predictions.models import Alert, AlertState, Prediction, PredictionState

SHOWN = 8
SEALED_WITHIN_S = 60.0


@dataclass(frozen=True)
class Tile:
    """One number that says how things stand, and where to read more."""

    label: str
    value: str
    note: str
    tone: Tone
    url: str = ""


@dataclass(frozen=True)
class Overview:
    tiles: list[Tile]
    sections: list[Section] = field(default_factory=list)


def of_plant(*, at: datetime) -> Overview:
    """Return the state of the plant as of now."""
    running = Batch.objects.filter(state=BatchState.RUNNING).count()
    open_alerts = Alert.objects.filter(state=AlertState.OPEN).count()
    still_open = Deviation.objects.in_work().count()
    late = deviations.overdue(on=at.date()).count()
    return Overview(
        tiles=[
            Tile(
                "Running batches", str(running), "of all products", "busy" if running else "quiet",
                f"{record_admin.list_url(Batch)}?state__exact=running",
            ),
            Tile(
                "Open alerts", str(open_alerts),
                "wait for an answer" if open_alerts else "nothing to answer",
                "warn" if open_alerts else "good",
                f"{record_admin.list_url(Alert)}?state__exact=open",
            ),
            Tile(
                "Open deviations", str(still_open),
                f"{late} overdue" if late else "none overdue",
                "bad" if late else "warn" if still_open else "good",
                f"{record_admin.list_url(Deviation)}?due={'overdue' if late else 'open'}",
            ),
            _alarmed(),
            _inspected(),
            _trail(at),
            _queues(at),
        ],
        sections=[
            Section("Running batches", [_running()]),
            Section("Open alerts", [_alerts()], is_wide=False),
            Section("Open deviations", [_deviations(at)], is_wide=False),
        ],
    )  # fmt: skip


def _alarmed() -> Tile:
    waiting = alarms.waiting().count()
    return Tile(
        "Security alarms", str(waiting),
        "wait for an acknowledgement" if waiting else "none waits",
        "bad" if waiting else "good",
        f"{record_admin.list_url(SecurityAlarm)}?standing=waiting",
    )  # fmt: skip


def _inspected() -> Tile:
    label = "Last simulated inspection"
    last = Inspection.objects.filter(state=InspectionState.FINISHED).order_by("-pk").first()
    if last is None:
        return Tile(
            label, "none", "quality can request one", "quiet", record_admin.list_url(Inspection)
        )
    tone: Tone = {"A1": "good", "A2": "warn", "A3": "warn"}.get(last.grade, "bad")  # type: ignore[assignment]
    return Tile(label, last.grade, f"{last}, {last.coverage}", tone, record_admin.url(last))


def _trail(at: datetime) -> Tile:
    label = "Trail entries"
    try:
        now = status.read(at=at)
    except (Damaged, DataError) as error:
        return Tile(label, "damaged", f"{error}: trail verify", "bad")
    size = f"{now['size']:,}"
    if now["oldest_unsealed_s"] > SEALED_WITHIN_S:
        late = f"{now['unsealed']} not sealed for {now['oldest_unsealed_s']:.0f} s"
        return Tile(label, size, f"{late}: is the sequencer up?", "bad")
    if now["checkpoint_size"] is None:
        return Tile(label, size, "no checkpoint is signed yet", "warn")
    return Tile(label, size, f"signed up to {now['checkpoint_size']:,}", "good")


def _queues(at: datetime) -> Tile:
    label, url = "Stuck queues", reverse("admin:queues")
    if stuck := queue_status.stuck_lately(at=at):
        said = f"{', '.join(stuck)}: are the workers up?"
        return Tile(label, str(len(stuck)), said, "bad", url)
    return Tile(label, "0", "nothing has waited too long", "good", url)


def _running() -> Part:
    running = list(
        Batch.objects.filter(state=BatchState.RUNNING)
        .select_related("recipe__product")
        .order_by("-started_at")[:SHOWN]
    )
    if not running:
        return Note("No batch is running. The MES starts one over the API, once it is issued.")
    newest = {
        one.batch_id: one
        for one in Prediction.objects.filter(batch__in=running, state=PredictionState.DONE)
        .select_related("batch")
        .defer("input", "output")
        .order_by("batch_id", "-as_of")
        .distinct("batch_id")
    }
    foreseen: dict[int, list[str]] = {}
    for alert in Alert.objects.filter(batch__in=running, state=AlertState.OPEN).order_by("pk"):
        foreseen.setdefault(alert.batch_id, []).append(
            f"{outputs.foreseen(alert)}, {prediction_pages.percent(alert.probability)}"
        )
    rows: list[list[Cell]] = [
        [
            record_admin.link(batch),
            batch.recipe.product.code,
            page_parts.moment(batch.started_at),
            _predicted(batch, newest.get(batch.pk)),
            "; ".join(foreseen.get(batch.pk, [])),
        ]
        for batch in running
    ]
    return Table(["Batch", "Product", "Started", "Newest prediction", "Foreseen"], rows)


def _predicted(batch: Batch, prediction: Prediction | None) -> Cell:
    if prediction is None:
        return "not predicted yet" if batch.recipe.twin else "its recipe names no twin"
    text = f"{prediction.status.replace('-', ' ')}, as of {page_parts.moment(prediction.as_of)}"
    return page_parts.link(text, record_admin.url(prediction))


def _alerts() -> Part:
    rows: list[list[Cell]] = [
        [
            page_parts.link(outputs.foreseen(one), record_admin.url(one)),
            record_admin.link(one.batch),
            prediction_pages.percent(one.probability),
            prediction_pages.lead_time(one),
        ]
        for one in Alert.objects.filter(state=AlertState.OPEN)
        .select_related("batch")
        .order_by("-pk")[:SHOWN]
    ]
    if not rows:
        return Note("No alert waits for an answer.")
    return Table(["Foreseen", "Batch", "Probability", "Lead time"], rows, numeric=["Probability"])


def _deviations(at: datetime) -> Part:
    waiting = Deviation.objects.in_work().order_by("due_on", "pk")
    rows: list[list[Cell]] = [
        [
            record_admin.link(one),
            one.title,
            page_parts.state(one.severity, one.get_severity_display()),
            page_parts.badge(f"overdue since {one.due_on}", "bad")
            if one.due_on < at.date()
            else page_parts.day(one.due_on),
        ]
        for one in waiting[:SHOWN]
    ]
    if not rows:
        return Note("No deviation is open. Open one on the page of a batch.")
    return Table(["Deviation", "Title", "Severity", "Due"], rows)
