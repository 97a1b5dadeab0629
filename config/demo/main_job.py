"""The main job: a plant posts, a twin warns, people decide, an inspector reads, a PDF results."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from compliance.access.duties import Role
from config.demo import registers
from config.demo.cast import USERNAMES, Cast
from config.demo.person import Person, Unexpected
from config.demo.progress import Display
from twins.plant import batch_details, client, process, recipe_draft
from twins.plant.batch_details import Train

FAULT = "feed-pump-degraded"
WORKER_S = 300.0


@dataclass(frozen=True)
class Outcome:
    """What the demonstration ends with."""

    pdf: Path
    inspection: dict[str, Any]
    batch: str


@dataclass(frozen=True)
class Stage:
    """Where and with whom the job runs."""

    url: str
    cast: Cast
    display: Display
    reports: Path

    def person(self, role: Role) -> Person:
        return Person(self.url, USERNAMES[role], self.cast.password)


def run(stage: Stage, *, now: datetime) -> Outcome:
    """Run the main job on two simulated batches, one of them going wrong."""
    series = now.strftime("%y%m%d-%H%M%S")
    good, bad = f"CHO-{series}-A", f"CHO-{series}-B"
    started_at = (now - timedelta(days=12, hours=6)).replace(minute=0, second=0, microsecond=0)
    plant = client.Plant(stage.url, stage.cast.tokens["plant"])
    trains = {good: batch_details.FIRST_TRAIN, bad: batch_details.SECOND_TRAIN}
    for number, seed, fault in ((good, 101, None), (bad, 202, process.FAULTS[FAULT])):
        what = "with a feed pump that will fail" if fault else "as it should be"
        stage.display.step(f"The simulated plant posts batch {number}, {what}")
        with stage.display.bar(number) as advance:
            plant.post_batch(
                number=number, product=recipe_draft.PRODUCT_CODE, seed=seed, fault=fault,
                started_at=started_at, train=trains[number], progress=advance,
            )  # fmt: skip
    _registered(stage, trains)
    alert = _warned(stage, bad)
    deviation = _deviation(stage, bad, alert)
    _decide(stage, good, "released", "every parameter within its limits, no deviation")
    _decide(stage, bad, "rejected", f"glucose fell below its limit, see {deviation}")
    inspection = inspect(stage, [good, bad])
    return Outcome(pdf=report(stage, bad), inspection=inspection, batch=bad)


def _registered(stage: Stage, trains: Mapping[str, Train]) -> None:
    """Carry over into ledgers and log books what the MES says that the batches used."""
    stage.display.step("People enter what the batches used in ledgers and log books")
    operator = stage.cast.person(Role.OPERATOR)
    for number, train in trains.items():
        for refused in registers.enter(number, train, operator=operator, at=timezone.now()):
            stage.display.say(f"{number}: {refused}")


def _warned(stage: Stage, number: str) -> dict[str, Any]:
    """Wait for the twin's alert on a batch and show what it says."""
    stage.display.step("A worker runs the twin beside the batch")
    with stage.person(Role.PROCESS_ENGINEER) as engineer:
        found = engineer.wait_for(
            f"alerts?batch={number}", lambda answer: answer["results"], at_most_s=WORKER_S
        )
    alert: dict[str, Any] = found["results"][0]
    causes = ", ".join(f"{name} {float(share):+.2f}" for name, share in alert["contributions"][:3])
    side = "below" if alert["side"] == "low" else "above"
    stage.display.say(
        f"as of {alert['as_of']} it foresaw {alert['tag']} {side} {alert['limit']} "
        f"{alert['unit']} with probability {float(alert['probability']):.2f}, "
        f"in about {float(alert['lead_time_h']):.0f} h "
        f"({float(alert['lead_time_low_h']):.0f} to {float(alert['lead_time_high_h']):.0f}); "
        f"because of {causes}"
    )
    return alert


def _deviation(stage: Stage, number: str, alert: dict[str, Any]) -> str:
    """Accept the alert, investigate, sign and close; a release in between is refused."""
    stage.display.step("People investigate, decide and sign")
    password = stage.cast.password
    with stage.person(Role.PROCESS_ENGINEER) as engineer:
        answered = engineer.post(
            f"alerts/{alert['id']}/answer",
            {
                "accept": True,
                "reason": "the glucose trend agrees with the forecast: to be investigated",
            },
        )
        deviation = str(answered["deviation"])
        stage.display.say(f"{deviation} opened from the alert by {engineer.username}")
        with stage.person(Role.QUALITY_ASSURANCE) as quality:
            refusal = quality.post(
                f"batches/{number}/disposition",
                {"outcome": "released", "reason": "attempt before closure", "password": password},
                refused=409,
            )
            if refusal.get("status") != 409:
                raise Unexpected(f"{number} was released with an open deviation")
            stage.display.say(f"release refused: {refusal['detail']}")
        engineer.put(
            f"deviations/{deviation}/investigation",
            {
                "root_cause_category": "equipment",
                "root_cause": "The feed pump FP-02 delivered less than half of the commanded rate "
                "from day 5 on; its service after 500 running hours had fallen due that day.",
                "impact": "Glucose fell below 11 mmol/L and the viability below its limit. "
                "No other batch used the pump in this period.",
                "conclusion": "The batch does not meet its specification and is to be rejected.",
                "alternatives_considered": "Probe drift: ruled out, the laboratory's glucose "
                "agrees with the probe.",
                "corrective_action": "Replace the pump head; weigh the feed bottle daily.",
                "immediate_action": "Feed checked by weight; batch put on hold.",
                "reason": "result of the investigation recorded",
            },
        )
        _consider(engineer, deviation)
        with stage.person(Role.QUALITY_ASSURANCE) as quality:
            # A severity that changes takes signatures with it: classified first, signed then.
            quality.post(f"deviations/{deviation}/classifications", CLASSIFIED)
        engineer.post(
            f"deviations/{deviation}/signatures", {"meaning": "investigated", "password": password}
        )
    with stage.person(Role.QUALITY_ASSURANCE) as quality:
        quality.post(
            f"deviations/{deviation}/closure",
            {"password": password, "reason": "investigation complete and plausible"},
        )
        stage.display.say(f"{deviation} investigated, signed and closed by two people")
    return deviation


CLASSIFIED = {
    "harms_patient": False, "is_integrity_in_doubt": False, "touches_cqa": False,
    "touches_cpp": True, "is_released": False, "breaks_procedure": False,
    "rationale": "the viability of the culture left its range; nothing has left the site",
}  # fmt: skip


def _consider(investigator: Person, deviation: str) -> None:
    """Answer what the closure asks: other batches (21 CFR 211.192), and what came before."""
    for neighbour in investigator.post(f"deviations/{deviation}/scope", {}):
        investigator.post(
            f"deviations/{deviation}/neighbours/{neighbour['id']}/decision",
            {
                "effect": "not-affected",
                "reason": "it was fed by another pump, whose rate was weighed every day",
            },
        )
    if investigator.get(f"deviations/{deviation}")["earlier"]:
        investigator.post(
            f"deviations/{deviation}/recurrences",
            {"is_recurrence": False, "text": "the earlier one had another cause"},
        )


def _decide(stage: Stage, number: str, outcome: str, reason: str) -> None:
    """Review the audit trail and the batch record by exception, then decide about the batch."""
    _review_trail(stage, number)
    with stage.person(Role.QUALITY_ASSURANCE) as quality:
        shown = quality.get(f"batches/{number}/review")
        exceptions = sum(one["exception_count"] for one in shown["sections"])
        review = {
            "digest": shown["digest"], "password": stage.cast.password,
            "remarks": f"{exceptions} exceptions were looked at one by one",
        }  # fmt: skip
        quality.post(f"batches/{number}/review", review)
        stage.display.say(f"{number} reviewed by {quality.username}: {exceptions} exceptions")
        body = {"outcome": outcome, "reason": reason, "password": stage.cast.password}
        decided = quality.post(f"batches/{number}/disposition", body, refused=409)
        if decided.get("status") == 409:
            stage.display.say(f"{number} is not {outcome}: {decided['detail']}")
        else:
            stage.display.say(f"{number} {outcome}")
            signer = stage.cast.person(Role.QUALITY_ASSURANCE)
            confirmed = stage.cast.sign(signer, at=timezone.now())
            registers.decide(number, is_released=outcome == "released", confirmed=confirmed)


def _review_trail(stage: Stage, number: str) -> None:
    """Review the audit trail of a batch as somebody who made no entry in it (PI 041-1, 9.6)."""
    with stage.person(Role.QUALIFIED_PERSON) as reviewer:
        opened = reviewer.post(
            "trail-reviews", {"kind": "batch", "name": number, "seed": f"drawn for {number}"}
        )
        path = f"trail-reviews/{opened['number']}"
        shown = reviewer.get(path)
        assessment = {"outcome": "no-concern", "text": "agrees with the batch record"}
        assessments = [assessment | {"sampled": drawn["id"]} for drawn in shown["sample"]]
        reviewer.post(f"{path}/assessments", {"assessments": assessments})
        reviewer.post(
            f"{path}/conclusion",
            {
                "conclusion": "every drawn entry agrees with the batch record",
                "password": stage.cast.password,
            },
        )
        stage.display.say(
            f"audit trail of {number} reviewed by {reviewer.username}: {len(shown['sample'])} of "
            f"{shown['entry_count']} entries drawn"
        )


def inspect(stage: Stage, numbers: list[str]) -> dict[str, Any]:
    """Let the simulated inspector read the records of some batches, and show its findings."""
    stage.display.step("The simulated inspector reads the same records")
    with stage.person(Role.QUALITY_ASSURANCE) as quality:
        asked = quality.post("inspections", {"profile": "fda", "batches": numbers})
        inspection: dict[str, Any] = quality.wait_for(
            f"inspections/{asked['number']}",
            lambda answer: answer["state"] in {"finished", "failed"},
            at_most_s=WORKER_S,
        )
    if inspection["state"] != "finished":
        raise Unexpected(f"the inspection failed: {inspection['summary']}")
    return inspection


def report(stage: Stage, number: str) -> Path:
    """Have the batch record built and sealed; return where the file is."""
    stage.display.step(f"The batch record of {number} is built, sealed and fetched")
    with stage.person(Role.QUALITY_ASSURANCE) as quality:
        asked = quality.post("reports", {"kind": "batch-record", "subject": number})
        done = quality.wait_for(
            f"reports/{asked['number']}",
            lambda answer: answer["state"] in {"sealed", "failed"},
            at_most_s=WORKER_S,
        )
        if done["state"] != "sealed":
            raise Unexpected(f"the report failed: {done['problem']}")
        quality.content(f"reports/{asked['number']}/file")  # compared with its digest on the way
    return stage.reports / str(done["file_name"])


def show_findings(display: Display, inspection: dict[str, Any]) -> None:
    """Print an inspection's verdicts, findings in the inspector's words."""
    findings = [result for result in inspection["results"] if result["verdict"] == "finding"]
    counts = {
        verdict: sum(result["verdict"] == verdict for result in inspection["results"])
        for verdict in ("clean", "not-assessable", "not-applicable")
    }
    display.say(
        f"{inspection['number']}: grade {inspection['grade']}, {len(findings)} findings, "
        f"{counts['clean']} checks clean, {counts['not-assessable']} not assessable, "
        f"{counts['not-applicable']} not applicable"
    )
    for result in findings:
        display.console.print(
            f"\n  [bold]{result['check_id']} {result['finding_class']}[/bold] {result['title']}"
        )
        display.console.print(result["text"], markup=False, soft_wrap=True)
