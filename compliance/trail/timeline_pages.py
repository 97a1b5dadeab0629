"""Show timelines to people: of a record, a person or a period, with filters and a small chart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.admin.utils import quote
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from compliance.trail import activity_chart, differences, entry_keys, openings, standing, timeline
from compliance.trail.differences import Difference
from compliance.trail.entry_text import EntryUnreadable
from compliance.trail.models import Entry
from compliance.trail.query_form import QueryForm
from compliance.trail.standing import EXPLAINED, Mark, Standing
from compliance.trail.timeline import Asked, Page

SHOWN_FIELDS = 12
USUAL = timedelta(days=7)
TONES = {
    Mark.UNSEALED: "busy", Mark.SEALED: "quiet", Mark.CHECKPOINTED: "good",
    Mark.WITNESSED: "good", Mark.TIME_STAMPED: "good",
}  # fmt: skip


class Moment(forms.DateTimeField):
    """A moment of UTC, as the browser's own control writes it."""

    widget = forms.DateTimeInput(
        attrs={"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S"
    )


class FilterForm(QueryForm):
    """What a timeline is narrowed by; nothing is required."""

    others = ("before", "after")

    start = Moment(label="From (UTC)", required=False)
    end = Moment(label="To (UTC)", required=False)
    actor = forms.CharField(label="Who", required=False, max_length=200)
    role = forms.CharField(required=False, max_length=200)
    action = forms.CharField(label="Act", required=False, max_length=100)
    record = forms.CharField(label="Table", required=False, max_length=63)
    record_id = forms.CharField(label="Key of the record", required=False, max_length=200)
    op = forms.ChoiceField(
        label="Change",
        required=False,
        choices=[("", "any"), *((one, one) for one in ("insert", "update", "delete"))],
    )
    reason = forms.CharField(label="Part of the reason", required=False, max_length=200)
    act = forms.CharField(label="Number of the act", required=False, max_length=60)

    def __init__(self, data: Any, *, without: Sequence[str] = ()) -> None:
        super().__init__(data, auto_id="filter_%s")
        for name in without:
            del self.fields[name]
        for name in ("actor", "role", "action", "record"):
            if name in self.fields:
                self.fields[name].widget.attrs["list"] = f"known_{name}"
        for field in self.fields.values():
            field.widget.attrs["autocomplete"] = "off"

    def clean(self) -> dict[str, Any]:
        found = super().clean()
        start, end = found.get("start"), found.get("end")
        if start and end and end <= start:
            raise forms.ValidationError("The period ends before it begins.")
        if any("\x00" in value for value in found.values() if isinstance(value, str)):
            raise forms.ValidationError("A character is in it that no entry can have.")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One entry as a page shows it."""

    entry: Entry
    url: str
    record_url: str
    person_url: str
    marks: Sequence[tuple[str, str, str]]
    changes: Sequence[Difference]
    more: int


def context(
    request: HttpRequest, *, title: str, subtitle: str, fixed: Mapping[str, str]
) -> dict[str, Any]:
    """Return what the template of timelines needs, for one page of one."""
    form = FilterForm(request.GET, without=tuple(fixed))
    for name in ("before", "after"):
        if form.is_valid() and (text := request.GET.get(name)) and _number(text) is None:
            form.add_error(None, f"{name} is the number of an entry, not “{text[:40]}”")
    asked = Asked(**{**_given(form), **fixed})
    if not asked.equal and not asked.reason and not form.errors and "start" not in request.GET:
        return _usual(request, title=title, subtitle=subtitle)
    return _context(request, form, asked, title=title, subtitle=subtitle, fixed=fixed)


def _usual(request: HttpRequest, *, title: str, subtitle: str) -> dict[str, Any]:
    """Show the newest entries of all when nothing is asked, with a chart of the last days."""
    form = FilterForm(request.GET)
    found = _context(request, form, Asked(), title=title, subtitle=subtitle, fixed={}, chart=False)
    now = timezone.now()
    spread = timeline.activity(Asked(start=now - USUAL, end=now), now=now)
    return {**found, "chart": activity_chart.draw(spread.parts)}


def _context(
    request: HttpRequest,
    form: FilterForm,
    asked: Asked,
    *,
    title: str,
    subtitle: str,
    fixed: Mapping[str, str],
    chart: bool = True,
) -> dict[str, Any]:
    before, after = (_number(request.GET.get(name)) for name in ("before", "after"))
    # What cannot be read is no filter: all entries would look like its answer.
    page = (
        timeline.page(asked, before=before, after=after)
        if not form.errors
        else Page(entries=(), older=None, newer=None)
    )
    secured = standing.now()
    spread = timeline.activity(asked, now=timezone.now()) if chart and not form.errors else None
    return {
        "title": title,
        "subtitle": subtitle,
        "form": form,
        "status": form.status,
        "is_filtered": any(_given(form).values()),
        "known": [(name, timeline.known(name)) for name in form.fields if name in timeline.LISTED],
        "rows": rows(page.entries, secured, may_open=request.user.has_perm(openings.PERMISSION)),
        "older_url": _turned(request, before=page.older),
        "newer_url": _turned(request, after=page.newer),
        "newest_url": _turned(request) if before is not None or after is not None else "",
        "searched_to": page.searched_to,
        "looked_at": entry_keys.LOOKED_AT,
        "chart": activity_chart.draw(spread.parts) if spread else None,
        "is_newest_only": bool(spread and spread.is_newest_only),
        "explained": [(str(mark), TONES[mark], text) for mark, text in EXPLAINED.items()],
        "clear_url": request.path,
        "evidence_url": _evidence_url(asked, fixed),
    }


def rows(
    entries: Sequence[Entry], secured: Standing, *, may_open: bool, most: int = SHOWN_FIELDS
) -> list[Row]:
    """Return entries as pages show them, each with at most so many of the fields it changed."""
    opened = openings.of_entries(one.entry_id for one in entries) if may_open else {}
    made = []
    for entry in entries:
        marked = marks(entry, secured)
        try:
            changes = differences.of_body(entry.body, opened=opened.get(entry.entry_id))
        except EntryUnreadable as error:  # one such entry hides no other
            changes = []
            marked.append(("unreadable", "bad", str(error)))
        if len(changes) > most:
            changes.sort(key=lambda one: one.is_empty)
        made.append(
            Row(
                entry=entry,
                url=reverse("admin:trail_entry_change", args=[entry.pk]),
                record_url=record_url(entry.record, entry.record_id),
                person_url=person_url(entry.actor),
                marks=marked,
                changes=changes[:most],
                more=max(0, len(changes) - most),
            )
        )
    return made


def marks(entry: Entry, secured: Standing) -> list[tuple[str, str, str]]:
    """Return how far an entry is secured: word, tone and explanation."""
    return [(str(mark), TONES[mark], EXPLAINED[mark]) for mark in secured.of(entry.index)]


def record_url(table: str, record_id: str) -> str:
    """Return the address of a record's timeline; anything may be in a key."""
    return reverse("admin:trail_record", args=[quote(table), quote(record_id)])


def person_url(name: str) -> str:
    """Return the address of a person's timeline."""
    return reverse("admin:trail_person", args=[quote(name)])


def evidence_url(**asked: str) -> str:
    """Return the address where a bundle is asked for."""
    return f"{reverse('admin:trail_evidence')}?{urlencode(asked)}"


def _evidence_url(asked: Asked, fixed: Mapping[str, str]) -> str:
    """Return where to ask for evidence of what is shown, when a bundle can be about that."""
    period = {
        name: f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
        for name, at in (("start", asked.start), ("end", asked.end))
        if at
    }
    if "record" in fixed:
        return evidence_url(kind="record", record=asked.record, record_id=asked.record_id)
    if "actor" in fixed:
        return evidence_url(kind="person", name=asked.actor, **period)
    if asked.equal.keys() == {"act"}:
        return evidence_url(kind="act", name=asked.act)
    if not asked.equal and not asked.reason and len(period) == 2:
        return evidence_url(kind="period", **period)
    return ""


def _given(form: FilterForm) -> dict[str, Any]:
    return form.cleaned_data if form.is_valid() else {}


def _turned(request: HttpRequest, **place: int | None) -> str:
    if place and None in place.values():
        return ""
    kept = [
        (name, value)
        for name, value in request.GET.items()
        if name not in ("before", "after") and value
    ]
    return f"{request.path}?{urlencode([*kept, *((n, str(v)) for n, v in place.items())])}"


def _number(text: str | None) -> int | None:
    is_number = text is not None and text.isascii() and text.isdigit() and len(text) < 19
    return int(text) if text and is_number else None
