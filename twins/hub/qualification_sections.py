"""Write the sections of a qualification's report from the records, as plain values."""

from datetime import UTC, datetime
from typing import Any

from django.db import models

from compliance.access.models import User
from compliance.reports import moments, signed_blocks
from compliance.reports.document import Align, Block, Column, Fact, Facts, Paragraph, Table
from compliance.trail import capture
from compliance.trail.models import Checkpoint, Entry
from twins.hub import custody, dossier_section, wording
from twins.hub.models import (
    ModelVersion,
    Qualification,
    RunOutcome,
    SealedTestSet,
    TestRun,
)
from twins.models.qualification import scoring

Written = list[tuple[str, list[Block]]]


def written(qualification: Qualification, run: TestRun | None, *, tree_size: int) -> Written:
    """Return every section with its heading, in the order of the work."""
    test_set, version = qualification.test_set, qualification.version
    return [
        ("Protocol", _protocol(qualification)),
        ("Verdict on each criterion", _verdicts(run)),
        ("Scores", _scores(run)),
        ("Skill", _skill(run)),
        ("Sealed test set", _test_set(test_set)),
        ("Custody of the test set", _custody(test_set)),
        ("Dossier of the version", dossier_section.write(version)),
        ("Answers of the version", _answers(run)),
        ("Deviations", _deviations(version)),
        ("Signatures under the version", _signed(version)),
        ("Audit trail", _trail(qualification, run, tree_size=tree_size)),
    ]


def moment(at: datetime | None) -> str:
    return moments.written(at.astimezone(UTC)) if at else ""


def person(one: User | None) -> str:
    return f"{one.full_name} ({one.username})" if one else ""


def _protocol(qualification: Qualification) -> list[Block]:
    facts = Facts(
        (
            Fact(
                "Drafted", f"{moment(qualification.drafted_at)} by {person(qualification.author)}"
            ),
            Fact("Criteria signed", _approved(qualification)),
            Fact("What it replaces", qualification.replaces),
            Fact(
                "False alarms allowed",
                f"{wording.percent(qualification.false_alarm_contract)} of normal batches",
            ),
            Fact(
                "Misses allowed",
                f"{wording.percent(qualification.miss_contract)} of batches with an event",
            ),
            Fact(
                "Drift watch",
                f"a false alarm in at most {wording.percent(qualification.drift_alpha)} of its windows",
            ),
            *(
                [Fact("Change control", qualification.change_number)]
                if qualification.change_number
                else []
            ),
        )
    )
    rows = tuple(
        (
            wording.metric(one.metric), one.population,
            f"{one.get_comparison_display()} {one.threshold}",
        )
        for one in qualification.criteria.order_by("pk")
    )  # fmt: skip
    columns = (Column("Criterion", 2.0), Column("Population", 1.0), Column("Has to be", 1.0))
    return [
        facts,
        Table(columns, rows, caption="Acceptance criteria, as they were signed"),
        *signed_blocks.of(qualification),
    ]


def _approved(qualification: Qualification) -> str:
    if qualification.approved_at is None:
        return "not yet: the test set stays closed"
    return f"{moment(qualification.approved_at)} by {person(qualification.approver)}"


def _verdicts(run: TestRun | None) -> list[Block]:
    if run is None:
        return [Paragraph("The test has not been run.")]
    scores = {one["population"]: one for one in run.scores}
    rows = tuple(_verdict(one, scores) for one in run.verdicts)
    columns = (
        Column("Criterion", 1.9),
        Column("Population", 0.9),
        Column("Has to be", 1.0),
        Column("Found", 0.7, Align.RIGHT),
        Column("95 % interval", 1.2, Align.RIGHT),
        Column("Of", 0.4, Align.RIGHT),
        Column("Verdict", 0.8),
    )
    said = Facts(
        (
            Fact("Outcome", run.get_outcome_display()),
            Fact("Run", f"{moment(run.run_at)} by {person(run.run_by)}"),
            Fact("Look", _which_look(run)),
            Fact("Deviation", run.deviation.number if run.deviation else "none"),
        )
    )
    return [said, Table(columns, rows), *signed_blocks.of(run)]


def _which_look(run: TestRun) -> str:
    if run.is_second_look:
        return f"number {run.look.number}: a second look, the set had been opened before"
    return "number 1: nobody had opened the set before"


def _verdict(one: dict[str, Any], scores: dict[str, Any]) -> tuple[str, ...]:
    criterion = one["criterion"]
    score = scores.get(criterion["population"])
    nothing: dict[str, Any] = {"interval": None, "of": 0}
    metric = score["metrics"][criterion["metric"]] if score else nothing
    return (
        wording.metric(criterion["metric"]),
        criterion["population"],
        f"{criterion['comparison'].replace('-', ' ')} {float(criterion['threshold']):g}",
        wording.figure(one["value"]) or "not taken",
        wording.interval(metric["interval"]),
        str(metric["of"]),
        "met" if one["is_met"] else "NOT MET",
    )


def _scores(run: TestRun | None) -> list[Block]:
    if run is None:
        return []
    said = Paragraph(
        "A batch with an event is a hit when the first alarm came at its onset or later; an "
        "earlier alarm is false, and the event behind it missed. Intervals are exact (Clopper and "
        "Pearson, 95 %); figures without one have none."
    )
    return [said, *(block for score in run.scores for block in _population(score))]


def _population(score: dict[str, Any]) -> list[Block]:
    taken = {
        name: score["metrics"][name]
        for name in wording.METRICS
        if score["metrics"][name]["value"] is not None
    }
    rows = tuple(
        (wording.metric(name), wording.figure(one["value"]), wording.interval(one["interval"]),
         str(one["of"]))
        for name, one in taken.items()
    )  # fmt: skip
    columns = (
        Column("Figure", 2.4),
        Column("Value", 0.8, Align.RIGHT),
        Column("95 % interval", 1.4, Align.RIGHT),
        Column("Taken over", 0.8, Align.RIGHT),
    )
    named = "All batches" if score["population"] == scoring.EVERYBODY else score["population"]
    caption = f"{named}: {score['batches']}; {wording.confusion(score['confusion'])}"
    found: list[Block] = [Table(columns, rows, caption=caption)]
    if missing := [wording.metric(name) for name in score["metrics"] if name not in taken]:
        found.append(Paragraph(f"Could not be taken of these answers: {', '.join(missing)}."))
    return found


def _skill(run: TestRun | None) -> list[Block]:
    if run is None:
        return []
    score = run.scores[0]
    value = wording.figure(score["metrics"]["skill"]["value"]) or "not to be taken"
    verdict = (
        "The version has no skill, and is never qualified, whatever the criteria say."
        if run.outcome == RunOutcome.WITHOUT_SKILL
        else "The version has skill."
    )
    return [
        Paragraph(
            "Skill is Peirce's score: sensitivity less false-alarm rate, 0 for every guess that does "
            f"not look and 1 for a perfect model. In {score['batches']} batches it is {value}. Were "
            "the alarms independent of the events, so many hits or more would have a chance of "
            f"{wording.chance(score['chance'])} (Fisher's exact test, one-sided); at most "
            f"{scoring.SKILL_AT:g} counts as skill. {verdict}"
        )
    ]


def _test_set(test_set: SealedTestSet) -> list[Block]:
    made = "yes" if test_set.is_generated else "no"
    facts = Facts(
        (
            Fact("Number and name", f"{test_set.number} {test_set.name}"),
            Fact("Sealed", f"{moment(test_set.sealed_at)} by {person(test_set.sealed_by)}"),
            Fact("Provenance", test_set.provenance),
            Fact("Labels", test_set.label_provenance),
            Fact("Made by a simulation", made),
            Fact("Labels, SHA-256", test_set.labels_digest),
        )
    )
    coverage = tuple(tuple(str(cell) for cell in row) for row in test_set.coverage)
    excluded = tuple((str(batch), str(reason)) for batch, reason in test_set.exclusions)
    batches = tuple(
        (one.label, one.subgroup, str(one.rows), one.content_digest)
        for one in test_set.batches.order_by("pk")
    )
    return [
        facts,
        Table(
            (
                Column("Subgroup", 2.0),
                Column("Batches", 1.0, Align.RIGHT),
                Column("With an event", 1.0, Align.RIGHT),
            ),
            coverage,
            caption="Coverage",
        ),
        Table(
            (Column("Batch", 1.0), Column("Reason", 3.0)), excluded, caption="Batches left out"
        ),
        Table(
            (
                Column("Batch", 0.9),
                Column("Subgroup", 0.8),
                Column("Rows", 0.4, Align.RIGHT),
                Column("SHA-256 of its content", 4.2),
            ),
            batches,
            caption=f"The {len(batches)} sealed batches; neither rows nor labels are kept here",
        ),
        *signed_blocks.of(test_set),
    ]  # fmt: skip


def _custody(test_set: SealedTestSet) -> list[Block]:
    looks = test_set.looks.select_related("looked_by", "qualification__version")
    rows = tuple(
        (
            str(one.number), moment(one.looked_at), person(one.looked_by),
            f"{one.qualification.number} of {one.qualification.version.name}", one.why,
        )
        for one in looks.order_by("number")
    )  # fmt: skip
    columns = (
        Column("Look", 0.4, Align.RIGHT),
        Column("When", 1.5),
        Column("Who", 1.5),
        Column("For", 1.6),
        Column("Why", 1.6),
    )
    refused = tuple(
        (moment(one.recorded_at), f"{one.actor}, {one.role}", one.code, one.message)
        for one in custody.refused(test_set)
    )
    attempts = (
        Column("When", 1.4),
        Column("Who", 1.3),
        Column("Refused as", 1.5),
        Column("What was said", 2.6),
    )
    return [
        Table(columns, rows, caption=f"Every look into {test_set.number}, for whatever version"),
        Table(attempts, refused, caption="Attempts that were refused: nothing was opened"),
    ]


def _answers(run: TestRun | None) -> list[Block]:
    if run is None:
        return []
    sealed = run.qualification.test_set.batches.order_by("pk")
    rows = tuple(
        _answer(one.label, run.answers[one.content_digest])
        for one in sealed
        if one.content_digest in run.answers
    )
    columns = (
        Column("Batch", 1.4),
        Column("First alarm (h)", 1.0, Align.RIGHT),
        Column("Probability", 0.9, Align.RIGHT),
        Column("Undecided", 0.8),
    )
    # Two batches a line: they are many, and short.
    half = (len(rows) + 1) // 2
    right = [*rows[half:], *([("", "", "", "")] if len(rows) % 2 else [])]
    pairs = tuple((*left, *beside) for left, beside in zip(rows[:half], right, strict=True))
    return [Table((*columns, *columns), pairs, caption=run.get_answered_by_display())]


def _answer(label: str, said: dict[str, Any]) -> tuple[str, str, str, str]:
    alarm = said["first_alarm_h"]
    return (
        label,
        "silent" if alarm is None else f"{float(alarm):.1f}",
        wording.figure(said["probability"]),
        "yes" if said["is_undecided"] else "",
    )


def _deviations(version: ModelVersion) -> list[Block]:
    blocks: list[Block] = []
    runs = TestRun.objects.filter(qualification__version=version).exclude(deviation=None)
    for run in runs.select_related("deviation", "qualification").order_by("pk"):
        one = run.deviation
        if one is None:
            continue
        known = [
            Fact("Deviation", f"{one.number}: {one.title}"),
            Fact("Opened in", run.qualification.number),
            Fact("State", one.get_state_display()),
            Fact("Severity", one.get_severity_display()),
            Fact("Opened", f"{moment(one.opened_at)} by {one.opened_by}"),
            Fact("Description", one.description),
            Fact("Root cause", one.root_cause),
            Fact("Conclusion", one.conclusion),
            Fact("Closed", moment(one.closed_at)),
        ]
        blocks += [Facts(tuple(fact for fact in known if fact.value)), *signed_blocks.of(one)]
    return blocks or [Paragraph("None was opened on a test of this version.")]


def _signed(version: ModelVersion) -> list[Block]:
    return list(signed_blocks.of(version)) or [Paragraph("Nobody has signed the version yet.")]


def _trail(qualification: Qualification, run: TestRun | None, *, tree_size: int) -> list[Block]:
    records: list[models.Model] = [qualification.test_set, qualification.version, qualification]
    records += [*qualification.looks.order_by("pk"), *([run] if run else [])]
    entries: list[Entry] = []
    for record in records:
        entries += Entry.objects.filter(
            record=capture.record_of(type(record)), record_id=str(record.pk)
        )
    rows = tuple(
        (
            "" if one.index is None else str(one.index), moment(one.at), one.actor, one.role,
            one.action, one.reason,
        )
        for one in sorted(entries, key=lambda one: one.entry_id)
    )  # fmt: skip
    columns = (
        Column("Leaf", 0.4, Align.RIGHT),
        Column("At", 1.2),
        Column("Actor", 1.3),
        Column("Role", 1.2),
        Column("Action", 1.8),
        Column("Reason", 1.6),
    )
    checkpoint = Checkpoint.objects.filter(size=tree_size).first()
    return [
        Paragraph(
            "Entries of test set, version, protocol, looks and run. Those of criteria, batches, "
            "dossier, signatures and refused attempts are in the attached evidence, each with its "
            "inclusion proof."
        ),
        Table(columns, rows),
        Paragraph("Signed checkpoint of the log (C2SP signed note):"),
        Paragraph(checkpoint.note if checkpoint else "None covers this record yet."),
    ]
