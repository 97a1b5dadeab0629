"""Let people ask for an evidence bundle, and hand it out."""

from typing import Any, cast

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from compliance.trail import issuing, openings, standing, timeline_pages
from compliance.trail.issuing import Issued
from compliance.trail.query_form import QueryForm
from compliance.trail.recording import Actor
from compliance.trail.subjects import Wanted
from compliance.trail.timeline_pages import Moment
from compliance.trail.verifier.contents import Kind

WORDS = {
    Kind.RECORD: "a record", Kind.BATCH: "a batch", Kind.PERSON: "what somebody did",
    Kind.PERIOD: "a period", Kind.ACT: "an act",
}  # fmt: skip


class SubjectForm(QueryForm):
    """What the bundle is about, as a page's link says it."""

    kind = forms.ChoiceField(choices=[(str(kind), words) for kind, words in WORDS.items()])
    record = forms.CharField(required=False, max_length=63, strip=False)
    record_id = forms.CharField(required=False, max_length=400, strip=False)
    name = forms.CharField(required=False, max_length=200, strip=False)
    start = Moment(required=False)
    end = Moment(required=False)

    def clean(self) -> dict[str, Any]:
        found = super().clean()
        needed = {"record": ("record", "record_id"), "period": ("start", "end")}
        kind = found.get("kind")
        if kind and not all(found.get(name) for name in needed.get(kind, ("name",))):
            raise forms.ValidationError("The address does not say what the bundle is about.")
        return found


class ReasonForm(forms.Form):
    """For whom the bundle is; it is recorded with the bundle's digest."""

    reason = forms.CharField(
        label="For whom, and why", max_length=500, required=False,
        help_text="Recorded in the trail, with your name and the digest of the file.",
    )  # fmt: skip
    held = forms.CharField(
        label="Checkpoint that the receiver holds", required=False, max_length=20_000,
        strip=False, widget=forms.Textarea(attrs={"rows": 6}),
        help_text="A signed note, as published. The bundle then shows that the log still has it.",
    )  # fmt: skip

    def clean_held(self) -> bytes | None:
        text = str(self.cleaned_data["held"]).replace("\r\n", "\n")
        return f"{text.strip()}\n".encode() if text.strip() else None


def answer(request: HttpRequest) -> HttpResponse | dict[str, Any]:
    """Return the file that was asked for, or what the page needs to ask; raise what is refused."""
    subject = SubjectForm(request.GET)
    if not subject.is_valid():
        return {"title": "Evidence bundle", "problem": _first(subject), "status": subject.status}
    wanted = _wanted(subject.cleaned_data)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        held = form.cleaned_data["held"]
        issued = issuing.issue(
            wanted,
            actor=cast(Actor, request.user),
            at=timezone.now(),
            reason=form.cleaned_data["reason"],
            held=[held] if held else [],
            may_open=request.user.has_perm(openings.PERMISSION),
        )
        return download(issued)
    return {
        "title": "Evidence bundle",
        "subtitle": about(wanted),
        "form": form,
        "secured": standing.now(),
        "back_url": _back(wanted),
    }


def download(issued: Issued) -> HttpResponse:
    """Return the file, with what is said of it in headers for machines."""
    return HttpResponse(
        issued.data,
        content_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="{issued.file_name}"',
            "Cache-Control": "no-store",
            "Evidence-Tree-Size": str(issued.tree_size),
            "Evidence-SHA-256": issued.sha256,
            "Evidence-Late-Entries": str(issued.late),
        },
    )


def about(wanted: Wanted) -> str:
    """Return in words what a bundle will be about."""
    name = wanted.name or " ".join(wanted.records[0] if wanted.records else ())
    period = " to ".join(f"{at:%Y-%m-%d %H:%M}" for at in (wanted.start, wanted.end) if at)
    return f"Of {WORDS[wanted.kind]}: {' '.join(part for part in (name, period) if part)}"


def _wanted(given: dict[str, Any]) -> Wanted:
    record = (given["record"], given["record_id"])
    return Wanted(
        kind=Kind(given["kind"]),
        records=(record,) if given["record"] else (),
        name=given["name"],
        start=given["start"],
        end=given["end"],
    )


def _back(wanted: Wanted) -> str:
    if wanted.records:
        return timeline_pages.record_url(*wanted.records[0])
    return timeline_pages.person_url(wanted.name) if wanted.kind is Kind.PERSON else ""


def _first(form: forms.Form) -> str:
    return next((str(one) for errors in form.errors.values() for one in errors), "")
