"""What an analyst does on the pages: register samples and reagents, run, inject, report."""

import uuid
from typing import Any

from django import forms

from batches.execution import states
from batches.execution.models import Batch
from batches.execution.states import Step
from batches.laboratory import governing, injections, reagents, results, runs, samples
from batches.laboratory.injections import RawData
from batches.laboratory.models import (
    Injection,
    InjectionKind,
    InjectionOutcome,
    Reagent,
    ReagentKind,
    Run,
    RunState,
    Sample,
    Suitability,
)
from batches.laboratory.pages import fields
from batches.laboratory.results import Measured
from compliance.access import acts
from compliance.access.acts import Act, Done, Occasion
from compliance.access.duties import Duty

NEWEST = 200


def _day(label: str, *, required: bool = True) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"})
    return forms.DateField(label=label, required=required, widget=widget)


class SampleForm(forms.Form):
    number = forms.CharField(max_length=80)
    point = forms.ChoiceField(required=False, label="Point of the sampling plan")
    taken_at = fields.at_utc("Taken at")
    taken_by = forms.CharField(max_length=100, required=False, help_text="Empty: you.")


class ReagentForm(forms.Form):
    code = forms.CharField(max_length=40)
    lot = forms.CharField(max_length=60)
    name = forms.CharField(max_length=200)
    kind = forms.ChoiceField(choices=ReagentKind.choices)
    purity = forms.CharField(max_length=60, required=False)
    opened_on = _day("Opened on", required=False)
    expires_on = _day("Expires on")


class StartForm(forms.Form):
    instrument = forms.CharField(max_length=60, help_text="Its code.")
    method_code = forms.CharField(max_length=40)
    method_version = forms.CharField(max_length=20)
    planned_injections = forms.IntegerField(min_value=1, max_value=10_000)
    started_at = fields.at_utc("Started at")
    reagents = forms.MultipleChoiceField(
        required=False, label="Reagents and standards", widget=forms.CheckboxSelectMultiple
    )


class InjectForm(forms.Form):
    number = forms.IntegerField(min_value=1, help_text="As the instrument counts.")
    kind = forms.ChoiceField(choices=InjectionKind.choices)
    sample = forms.ChoiceField(required=False)
    injected_at = fields.at_utc("Injected at")
    outcome = forms.ChoiceField(choices=InjectionOutcome.choices)
    reason = fields.text(rows=2, required=False, help_text="Needed when it is not completed.")
    raw_data = forms.FileField(required=False, help_text="As the instrument wrote it.")


class ReportForm(forms.Form):
    sample = forms.ChoiceField()
    tag = forms.CharField(max_length=60, label="Test", help_text="Its tag in the specification.")
    unit = forms.CharField(max_length=30, required=False)
    replicates = fields.text(
        label="Determinations",
        help_text="One a line: value, then the number of its injection. As in: 3.04 injection 3.",
    )
    reported_at = fields.at_utc("Reported at")


# --- Acts


def _take(occasion: Occasion) -> Done:
    made = samples.take(occasion.record, **occasion.values, actor=occasion.actor, at=occasion.at)
    return Done(f"{made} is registered.", made)


def _register(occasion: Occasion) -> Done:
    said = dict(occasion.values)
    made = reagents.register(
        **{**said, "kind": ReagentKind(said["kind"])}, actor=occasion.actor, at=occasion.at
    )
    return Done(f"{made} is registered.", made)


def _start(occasion: Occasion) -> Done:
    said = dict(occasion.values)
    used = list(Reagent.objects.filter(pk__in=said.pop("reagents")).order_by("pk"))
    made = runs.start(**said, used=used, actor=occasion.actor, at=occasion.at)
    return Done(f"{made} runs; you are its analyst.", made)


def _inject(occasion: Occasion) -> Done:
    given = occasion.values
    raw = given["raw_data"]
    made = injections.record(
        occasion.record,
        number=given["number"],
        kind=InjectionKind(given["kind"]),
        sample=Sample.objects.get(pk=given["sample"]) if given["sample"] else None,
        outcome=InjectionOutcome(given["outcome"]),
        injected_at=given["injected_at"],
        reason=given["reason"],
        raw_data=RawData(raw, raw.name, raw.content_type or "") if raw else None,
        actor=occasion.actor,
        at=occasion.at,
    )
    return Done(f"{made} is recorded.")


def _report(occasion: Occasion) -> Done:
    given, run = occasion.values, occasion.record
    made = results.report(
        Sample.objects.select_related("batch").get(pk=given["sample"]),
        tag=given["tag"],
        unit=given["unit"],
        reported_at=given["reported_at"],
        replicates=[_measured(run, line) for line in given["replicates"].splitlines() if line],
        run=run,
        message_id=str(uuid.uuid4()),
        actor=occasion.actor,
        at=occasion.at,
    )
    return Done(f"{made}: {made.get_judgement_display().lower()}.", made)


def _measured(run: Run, line: str) -> Measured:
    words = line.split()
    if len(words) not in (1, 3) or (len(words) == 3 and words[1] != "injection"):
        raise results.ResultInvalid(f"“{line}” is not as in: 3.04 injection 3")
    if len(words) == 1:
        return Measured(words[0])
    found = (
        Injection.objects.filter(run=run, number=words[2]).first() if words[2].isdigit() else None
    )
    if found is None:
        raise results.ResultInvalid(f"{run} has no injection {words[2]}")
    return Measured(words[0], found)


def _points(batch: Batch) -> list[tuple[str, str]]:
    version = governing.version_of(batch)
    named = set(batch.sampling.values_list("name", flat=True))
    named |= set(version.plan.values_list("point", flat=True)) if version else set()
    return [("", "-"), *((one, one) for one in sorted(named))]


def _reagents(record: None) -> list[tuple[str, str]]:
    found = Reagent.objects.filter(is_withdrawn=False).order_by("code", "-expires_on")[:NEWEST]
    return [(str(one.pk), f"{one} {one.name}, until {one.expires_on}") for one in found]


def _samples(run: Run) -> list[tuple[str, str]]:
    found = Sample.objects.select_related("batch").order_by("-pk")[:NEWEST]
    return [("", "-"), *((str(one.pk), str(one)) for one in found)]


def _injected(run: Run) -> list[tuple[str, str]]:
    found = Sample.objects.filter(injections__run=run).select_related("batch").distinct()
    return [(str(one.pk), str(one)) for one in found.order_by("pk")]


def _next(run: Run) -> dict[str, Any]:
    last = run.injections.order_by("-number").first()
    return {"number": last.number + 1 if last else 1, **fields.now("injected_at")(run)}


def _may_report(run: Run) -> bool:
    return run.suitability == Suitability.PASSED and run.state in (
        RunState.RUNNING, RunState.COMPLETED,
    )  # fmt: skip


_ENTER = Duty.ENTER_RESULTS
acts.offer(
    Batch,
    Act(
        "register-sample", "Register a sample", _ENTER, _take, form=SampleForm,
        is_offered=lambda batch: states.is_possible(batch, Step.TAKE_SAMPLE),
        choices={"point": _points}, initial=fields.now("taken_at"),
        explanation="Its custody begins here: record next that the laboratory received it.",
    ),
)  # fmt: skip
acts.offer(
    Reagent,
    Act(
        "register", "Register a lot", _ENTER, _register, form=ReagentForm, is_for_list=True,
        explanation="Of a reagent, a reference standard or a column.",
    ),
)  # fmt: skip
acts.offer(
    Run,
    Act(
        "start", "Start a run", _ENTER, _start, form=StartForm, is_for_list=True,
        choices={"reagents": _reagents}, initial=fields.now("started_at"),
        explanation="Whoever starts it is its analyst, and does not review it.",
    ),
    Act(
        "inject", "Record an injection", _ENTER, _inject, form=InjectForm, initial=_next,
        is_offered=lambda run: run.state == RunState.RUNNING, choices={"sample": _samples},
        explanation="Every one, under the instrument's number, whatever became of it.",
    ),
    Act(
        "report", "Report a result", _ENTER, _report, form=ReportForm, is_offered=_may_report,
        choices={"sample": _injected}, initial=fields.now("reported_at"),
        explanation="Its value is calculated from all determinations, as the specification says.",
    ),
)  # fmt: skip
