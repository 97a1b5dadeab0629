"""Put a qualification together as one document: promised, looked at, found, decided, signed."""

import hashlib

from compliance.reports import kinds, signed_blocks
from compliance.reports.document import Document, Fact, Section, Tile, Tone
from compliance.reports.kinds import RecordKey
from compliance.signatures import signing
from compliance.trail.tlog import canonical
from twins.hub import (
    dossiers,
    protocols,
    qualification_evidence,
    qualification_sections,
    runs,
    sealed_sets,
    wording,
)
from twins.hub.models import Qualification, QualificationState, RunOutcome, TestRun
from twins.models.qualification import scoring

KIND = "model-qualification"
_TAG = b"gmp-report/model-qualification/v1\0"


def exists(number: str) -> bool:
    return Qualification.objects.filter(number=number).exists()


def records(number: str) -> list[RecordKey]:
    """Name every record whose entries belong into the evidence of a qualification."""
    return qualification_evidence.records(_of(number))


def write(number: str, facts: kinds.Facts) -> Document:
    """Write a qualification as plain values, however far it has come and however it ended.

    The digest covers the signed content of protocol, test set, version and run, and each signature.
    """
    qualification = _of(number)
    run = TestRun.objects.filter(qualification=qualification).select_related("look").first()
    digest = hashlib.sha256(_TAG + canonical.dumps(_state(qualification, run))).hexdigest()
    version, test_set = qualification.version, qualification.test_set
    covering = signed_blocks.of(run) if run else signed_blocks.of(qualification)
    written = qualification_sections.written(qualification, run, tree_size=facts.tree_size)
    return Document(
        title=f"Qualification {qualification.number} of {version.name}",
        subtitle=f"{test_set.number}, {test_set.name} - {facts.site}",
        number=facts.number,
        digest=digest,
        tree_size=facts.tree_size,
        verify_text=f"{facts.number} {number} sha256:{digest} tree size {facts.tree_size}",
        generated_at=facts.at,
        watermark=signed_blocks.watermark(covering),
        facts=(
            Fact("Model version", f"{version.name}, number {version.pk}"),
            Fact("State of the version", version.get_state_display()),
            Fact("Code, SHA-256", version.code_digest),
            Fact("Parameters, SHA-256", version.parameters_digest),
            Fact("Test set", f"{test_set.number} {test_set.name}"),
            Fact("Requested by", facts.requested_by),
        ),
        verdicts=(_outcome(qualification, run), _criteria(run), _skill(run), _look(run)),
        sections=tuple(Section(heading, tuple(blocks)) for heading, blocks in written if blocks),
    )


def _of(number: str) -> Qualification:
    return Qualification.objects.select_related("version", "test_set").get(number=number)


def _state(qualification: Qualification, run: TestRun | None) -> dict[str, canonical.Value]:
    signed = [qualification, qualification.test_set, qualification.version, *([run] if run else [])]
    signatures: list[canonical.Value] = [
        [one.pk, one.record_digest, one.meaning] for record in signed for one in signing.of(record)
    ]
    return {
        "protocol": dict(protocols.content(qualification)),
        "state": qualification.state,
        "test_set": dict(sealed_sets.content(qualification.test_set)),
        "version": dict(dossiers.content(qualification.version)),
        "run": dict(runs.content(run)) if run else None,
        "signatures": signatures,
    }


def _outcome(qualification: Qualification, run: TestRun | None) -> Tile:
    state = f"version is {qualification.version.get_state_display().lower()}"
    if run is None:
        is_signed = qualification.state != QualificationState.DRAFT
        return Tile("Test", "not run", Tone.NEUTRAL, "criteria signed" if is_signed else "draft")
    words = {
        RunOutcome.PASSED: "passed",
        RunOutcome.FAILED: "failed",
        RunOutcome.WITHOUT_SKILL: "without skill",
    }
    tone = Tone.GOOD if run.outcome == RunOutcome.PASSED else Tone.BAD
    return Tile("Test", words[RunOutcome(run.outcome)], tone, state)


def _criteria(run: TestRun | None) -> Tile:
    if run is None:
        return Tile("Criteria", "not judged")
    met = sum(one["is_met"] for one in run.verdicts)
    tone = Tone.GOOD if met == len(run.verdicts) else Tone.BAD
    missed = [
        wording.metric(one["criterion"]["metric"]) for one in run.verdicts if not one["is_met"]
    ]
    return Tile("Criteria", f"{met} of {len(run.verdicts)} met", tone, ", ".join(missed)[:60])


def _skill(run: TestRun | None) -> Tile:
    if run is None:
        return Tile("Skill", "not judged")
    value = wording.figure(run.scores[0]["metrics"]["skill"]["value"]) or "could not be taken"
    tone = Tone.BAD if run.outcome == RunOutcome.WITHOUT_SKILL else Tone.GOOD
    said = f"chance {wording.chance(run.scores[0]['chance'])}, {scoring.SKILL_AT:g} allowed"
    return Tile("Skill", value, tone, said)


def _look(run: TestRun | None) -> Tile:
    if run is None:
        return Tile("Test set", "not opened for it")
    if run.is_second_look:
        return Tile("Test set", "second look", Tone.BAD, f"look {run.look.number} into this set")
    return Tile("Test set", "first look", Tone.GOOD, "nobody had opened it before")


kinds.register(KIND, kinds.Kind("Qualification of a model", exists, records, write))
