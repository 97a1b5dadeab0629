"""Show people what a record was, who set each field, and how two versions differ."""

from typing import Any

from django import forms
from django.http import HttpRequest

from compliance.trail import openings, timeline_pages, versions
from compliance.trail.query_form import QueryForm
from compliance.trail.timeline_pages import Moment
from compliance.trail.versions import At, Setting


class VersionForm(QueryForm):
    """Which version is shown, and which one it is compared with."""

    number = forms.IntegerField(
        label="After the record's entry number", required=False, min_value=1, max_value=2**62
    )
    size = forms.IntegerField(
        label="At the log's size", required=False, min_value=1, max_value=2**62
    )
    moment = Moment(label="At the time (UTC)", required=False)
    against = forms.IntegerField(
        label="Compare with its entry number", required=False, min_value=1, max_value=2**62
    )

    def __init__(self, data: Any) -> None:
        super().__init__(data, auto_id="version_%s")


def context(request: HttpRequest, table: str, record_id: str) -> dict[str, Any]:
    """Return what the template of versions needs, or raise what `versions` raises."""
    form = VersionForm(request.GET)
    asked = {
        "title": f"{table} {record_id}",
        "subtitle": "As it was",
        "form": form,
        "status": form.status,
        "timeline_url": timeline_pages.record_url(table, record_id),
        "clear_url": request.path,
    }
    if not form.is_valid():  # the newest version would look like the answer
        return {**asked, "compared": None, "version": None}
    given = form.cleaned_data
    at = At(number=given["number"], size=given["size"], moment=given["moment"])
    against = given["against"]
    found: dict[str, Any] = {"compared": None}
    if against:
        other, version, found["compared"] = versions.compared(
            table, record_id, At(number=against), at
        )
        found["other"] = other
    else:
        version = versions.as_of(table, record_id, at)
    return {
        **asked,
        **found,
        "version": version,
        "settings": _opened(request, version.settings),
    }


def _opened(request: HttpRequest, settings: tuple[Setting, ...]) -> list[tuple[Setting, str, bool]]:
    """Return each setting with the text that this person may see, and whether it is folded."""
    may_open = request.user.has_perm(openings.PERMISSION)
    found = openings.of_entries({one.entry.entry_id for one in settings}) if may_open else {}
    shown = [(one, found.get(one.entry.entry_id, {}).get(one.field, one.shown)) for one in settings]
    return [(one, text, len(text) > 400) for one, text in shown]
