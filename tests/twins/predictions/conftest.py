"""Batches of the simulated plant, recorded through the domain functions."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import count

import pytest

from batches.execution import batches, events, readings
from batches.execution.events import Reported
from batches.execution.models import Batch, EventKind
from batches.execution.sample_bytes import Reading as Row
from batches.laboratory import results, samples
from batches.recipes import master_recipes
from batches.recipes.models import MasterRecipe
from compliance.access import devices, people
from compliance.access.duties import Role
from compliance.access.models import Device, DeviceKind, User
from compliance.signatures.signing import Confirmed
from compliance.trail.recording import System
from twins.plant import process, recipe_draft
from twins.plant.messages import LaboratoryResult, Message, Reading, SampleTaken

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
NOW = START + timedelta(days=20)
PASSWORD = "correct horse battery"  # noqa: S105
Culture = Callable[..., Batch]
Person = Callable[[str, Role], User]


@cache
def said(seed: int, fault: str) -> tuple[Message, ...]:
    """Return what the plant says of one batch."""
    return tuple(process.simulate(seed, process.FAULTS[fault] if fault else None))


@pytest.fixture
def person(db: None) -> Person:
    def make(username: str, role: Role) -> User:
        return people.create(
            username=username, full_name=username.title(), password=PASSWORD,
            roles=frozenset({role}), actor=System("test"), at=START - timedelta(days=30),
            reason="for the test", must_change_password=False,
        )  # fmt: skip

    return make


@pytest.fixture
def recipe(person: Person) -> MasterRecipe:
    author = person("engineer", Role.PROCESS_ENGINEER)
    at = START - timedelta(days=20)
    product = master_recipes.create_product(
        code=recipe_draft.PRODUCT_CODE, name=recipe_draft.PRODUCT_NAME, actor=author, at=at
    )
    drafted = master_recipes.draft(product, content=recipe_draft.draft(), actor=author, at=at)
    checker = person("checker", Role.QUALITY_ASSURANCE)
    return master_recipes.approve(drafted, confirmed=Confirmed(signer=checker, at=at))


@pytest.fixture
def device(db: None) -> Device:
    enrolled, _ = devices.enrol(
        name="plant", kind=DeviceKind.TWIN, actor=System("test"), at=START - timedelta(days=20),
        reason="for the test",
    )  # fmt: skip
    return enrolled


@pytest.fixture
def culture(recipe: MasterRecipe, device: Device) -> Culture:
    """Record one batch until an hour: readings in one segment for each `every_h` hours."""
    numbers = count(1)

    def run(
        *, until_h: float, seed: int = 300, fault: str = "", every_h: float = 1000.0,
        number: str = "",
    ) -> Batch:  # fmt: skip
        number = number or f"B-{next(numbers)}"
        batch = batches.issue(recipe, number=number, actor=device, at=START)
        events.record(
            batch,
            reported=Reported(
                kind=EventKind.BATCH_STARTED, occurred_at=START, occurred_text=START.isoformat()
            ),
            message_id=f"{number}/start",
            actor=device,
            at=NOW,
        )
        batch.refresh_from_db()
        first_h = 0.0
        while first_h < until_h:
            last_h = min(first_h + every_h, until_h)
            record(batch, device, seed=seed, fault=fault, after_h=first_h, until_h=last_h)
            first_h = last_h
        return batch

    return run


def record(
    batch: Batch, device: Device, *, seed: int, fault: str, after_h: float, until_h: float
) -> None:
    """Record what the plant says in (after_h, until_h], and at the start what it says there."""
    rows: list[Row] = []
    for one in said(seed, fault):
        known_h = one.reported_h if isinstance(one, LaboratoryResult) else one.at_h
        if not (after_h < known_h <= until_h or after_h == known_h == 0.0):
            continue
        if isinstance(one, Reading):
            rows.append(Row(one.tag, moment(one.at_h), Decimal(repr(one.value)), one.unit))
        elif isinstance(one, SampleTaken):
            samples.take(
                batch, number=one.sample, taken_at=moment(one.at_h), actor=device, at=NOW
            )
        elif isinstance(one, LaboratoryResult):
            results.report(
                batch.samples.get(number=one.sample),
                tag=one.tag,
                value_text=one.value,
                unit=one.unit,
                reported_at=moment(one.reported_h),
                message_id=f"{batch.number}/{one.sample}/{one.tag}",
                actor=device,
                at=NOW,
            )
    readings.store(
        batch,
        rows=rows,
        message_id=f"{batch.number}/{after_h}",
        source=device,
        content_digest=hashlib.sha256(repr(rows).encode()).hexdigest(),
        at=NOW,
    )


def moment(at_h: float) -> datetime:
    return START + timedelta(hours=at_h)
