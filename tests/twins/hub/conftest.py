"""A model that watches one temperature, and the people who bring it to its qualification."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from compliance.access.duties import Role
from compliance.access.models import User
from tests import factories
from tests.factories import NOON
from twins.hub import dossiers, protocols, runs, sealed_sets, versions
from twins.hub.dossiers import BatchRows
from twins.hub.models import ModelVersion, Qualification, SealedTestSet, TestRun
from twins.hub.protocols import Contract
from twins.hub.sealed_sets import LabelledBatch
from twins.models.qualification import contents
from twins.models.qualification.criteria import Comparison, Criterion
from twins.models.qualification.scoring import Answer, Label

Rows = list[dict[str, object]]
CRITERIA = (
    Criterion("false_alarm_share", Comparison.AT_MOST, 0.05),
    Criterion("sensitivity", Comparison.AT_LEAST, 0.65),
    Criterion("skill", Comparison.ABOVE, 0.0),
)


def rows_of(number: int) -> Rows:
    """Return the rows of a batch; each number is other content."""
    return [
        {"batch_id": f"B-{number}", "hour": hour, "temperature_c": f"{36.5 + number / 100:.2f}"}
        for hour in range(3)
    ]


def labelled(number: int) -> LabelledBatch:
    """Return a batch of the test set; every second one has an event after ten hours."""
    is_event = number % 2 == 0
    label = Label(
        subgroup="site A" if number % 4 < 2 else "site B",
        onset_h=10.0 if is_event else None,
        harm_h=30.0 if is_event else None,
    )
    return LabelledBatch(f"B-{number}", rows_of(number), label)


def answers_to(batches: list[LabelledBatch]) -> dict[str, Answer]:
    """Return what a good model says: an alarm two hours after each onset."""
    return {
        contents.digest(batch.rows): Answer(
            None if batch.label.onset_h is None else batch.label.onset_h + 2.0,
            probability=0.1 if batch.label.onset_h is None else 0.9,
        )
        for batch in batches
    }


@dataclass
class Walk:
    """People and data of a qualification, and its steps with what they are usually told."""

    version: ModelVersion
    engineer: User
    trainer: User
    keeper: User
    quality: User
    batches: list[LabelledBatch] = field(default_factory=lambda: [*map(labelled, range(100, 140))])
    minutes: int = 0

    def now(self) -> datetime:
        self.minutes += 1
        return NOON + timedelta(minutes=self.minutes)

    @property
    def labels(self) -> dict[str, Label]:
        return {contents.digest(one.rows): one.label for one in self.batches}

    @property
    def answers(self) -> dict[str, Answer]:
        return answers_to(self.batches)

    def prepare(self, training: list[Rows] | None = None) -> None:
        chosen = [rows_of(number) for number in range(20)] if training is None else training
        dossiers.prepare(
            self.version,
            subgroups=["site A", "site B"],
            limits="It sees temperature only, and no contamination.",
            training="Twenty batches of the campaign of spring.",
            batches=[BatchRows(f"T-{at}", rows) for at, rows in enumerate(chosen)],
            trainers=[self.trainer],
            confirmed=factories.confirmed(self.engineer, at=self.now()),
        )

    def seal(self, name: str = "autumn") -> SealedTestSet:
        return sealed_sets.seal(
            name=name,
            batches=self.batches,
            provenance="All batches of the campaign of autumn.",
            label_provenance="Two investigators read each record on their own.",
            is_generated=False,
            exclusions=[("B-99", "the probe was being repaired")],
            confirmed=factories.confirmed(self.keeper, at=self.now()),
        )

    def draft(self, test_set: SealedTestSet, *criteria: Criterion) -> Qualification:
        return protocols.draft(
            self.version,
            test_set=test_set,
            criteria=criteria or CRITERIA,
            replaces="A limit on the temperature, which finds half of them.",
            contract=Contract(),
            actor=self.engineer,
            at=self.now(),
        )

    def approve(self, qualification: Qualification) -> Qualification:
        return protocols.approve(
            qualification,
            confirmed=factories.confirmed(self.quality, at=self.now()),
            reason="criteria as in the plan",
        )

    def run(
        self, qualification: Qualification, answers: dict[str, Answer] | None = None,
        *, by: User | None = None,
    ) -> TestRun:  # fmt: skip
        return runs.run(
            qualification,
            labels=self.labels,
            answers=self.answers if answers is None else answers,
            why="the test of the protocol",
            confirmed=factories.confirmed(by or self.keeper, at=self.now()),
        )


def made_walk(twin: str = "cho-fed-batch") -> Walk:
    return Walk(
        version=versions.current(twin, at=NOON),
        engineer=factories.person(Role.PROCESS_ENGINEER),
        trainer=factories.person(Role.QC_SUPERVISOR),
        keeper=factories.person(Role.QC_SUPERVISOR),
        quality=factories.person(Role.QUALITY_ASSURANCE),
    )


@pytest.fixture
def walk(db: None) -> Walk:
    return made_walk()
