"""Build records through the domain functions: people and devices of a plant, and its batches."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from batches.disposition import certification, decisions, reviews, shipments
from batches.disposition.models import (
    BatchReview,
    Certificate,
    Decision,
    Market,
    Outcome,
    Shipment,
)
from batches.execution import batches, events, readings
from batches.execution.events import Reported
from batches.execution.models import Batch, BatchEvent, EventKind, ReadingSegment
from batches.execution.sample_bytes import Reading
from batches.laboratory import results, samples
from batches.laboratory.models import Result, Sample
from batches.recipes import master_recipes
from batches.recipes.master_recipes import ParameterDraft, RecipeDraft
from batches.recipes.models import Criticality, MasterRecipe, ParameterKind, Product
from compliance.access import devices, people
from compliance.access.duties import Role
from compliance.access.models import Device, DeviceKind, User
from compliance.quality import deviations
from compliance.quality.deviations import Findings
from compliance.quality.models import Deviation, RootCause, Severity
from compliance.signatures import signing
from compliance.signatures.signing import Confirmed
from compliance.trail.recording import System

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PASSWORD = "correct-horse-battery"
TEST = System("tests")

_numbers = itertools.count(1)

RECIPE = RecipeDraft(
    title="Fed-batch of a demonstration antibody",
    phases=[("Bioreactor", "Inoculation"), ("Bioreactor", "Growth"), ("Bioreactor", "Harvest")],
    parameters=[
        ParameterDraft(
            tag="temperature_c", name="Temperature", kind=ParameterKind.READING, unit="Cel",
            criticality=Criticality.CPP, low=Decimal("36.3"), high=Decimal("37.3"),
            is_required=True,
        ),
        ParameterDraft(
            tag="ph", name="pH", kind=ParameterKind.READING, unit="[pH]",
            criticality=Criticality.CPP, low=Decimal("6.85"), high=Decimal("7.15"),
        ),
        ParameterDraft(
            tag="mab_g_l", name="Antibody", kind=ParameterKind.RESULT, unit="g/L",
            criticality=Criticality.CQA, low=Decimal("2.5"), is_required=True,
        ),
        ParameterDraft(
            tag="lactate_mmol_l", name="Lactate", kind=ParameterKind.RESULT, unit="mmol/L",
            criticality=Criticality.CPP, high=Decimal("70"),
        ),
    ],
)  # fmt: skip


def person(*roles: Role, username: str = "", at: datetime = NOON) -> User:
    """Return a person who holds these roles, with a password of their own (`PASSWORD`)."""
    number = next(_numbers)
    label = "-".join(roles) or "nobody"
    return people.create(
        username=username or f"{label}-{number}",
        full_name=f"{label.replace('-', ' ').title()} {number}",
        password=PASSWORD,
        roles=frozenset(roles),
        actor=TEST,
        at=at,
        reason="a person for a test",
        must_change_password=False,
    )


def device(kind: DeviceKind = DeviceKind.MES, *, at: datetime = NOON) -> Device:
    return device_and_token(kind, at=at)[0]


def device_and_token(
    kind: DeviceKind = DeviceKind.MES, *, at: datetime = NOON
) -> tuple[Device, str]:
    """Return an enrolled device, and the token it shows as `Authorization: Bearer`."""
    return devices.enrol(
        name=f"{kind}-{next(_numbers)}",
        kind=kind,
        actor=TEST,
        at=at,
        reason="a device for a test",
    )


def confirmed(signer: User, *, at: datetime = NOON) -> Confirmed:
    """Return a signer as after the password was given again."""
    return Confirmed(signer=signer, at=at)


def product(*, at: datetime = NOON) -> Product:
    author = person(Role.PROCESS_ENGINEER, at=at)
    return master_recipes.create_product(
        code=f"PRODUCT-{next(_numbers)}", name="A demonstration antibody", actor=author, at=at
    )


def recipe(content: RecipeDraft = RECIPE, *, at: datetime = NOON) -> MasterRecipe:
    """Return an effective recipe of a new product."""
    made = product(at=at)
    author = person(Role.PROCESS_ENGINEER, at=at)
    draft = master_recipes.draft(made, content=content, actor=author, at=at)
    checker = person(Role.QUALITY_ASSURANCE, at=at)
    return master_recipes.approve(draft, confirmed=confirmed(checker, at=at))


def batch(of: MasterRecipe | None = None, *, at: datetime = NOON) -> Batch:
    """Return an issued batch."""
    return batches.issue(
        of or recipe(at=at),
        number=f"B-{next(_numbers):04d}",
        actor=person(Role.SUPERVISOR, at=at),
        at=at,
    )


def happened(
    to: Batch, kind: EventKind, *, by: Device | None = None, at: datetime = NOON,
    **said: str,
) -> BatchEvent:  # fmt: skip
    """Record an event that occurs at `at` and is recorded at once."""
    reported = Reported(kind=kind, occurred_at=at, occurred_text=at.isoformat())
    return events.record(
        to,
        reported=replace(reported, **said),
        message_id=f"message-{next(_numbers)}",
        actor=by or device(at=at),
        at=at,
    )


def running_batch(of: MasterRecipe | None = None, *, at: datetime = NOON) -> Batch:
    made = batch(of, at=at)
    happened(made, EventKind.BATCH_STARTED, at=at)
    made.refresh_from_db()
    return made


def stored(
    to: Batch, rows: Iterable[Reading], *, by: Device | None = None, at: datetime = NOON
) -> ReadingSegment:
    return readings.store(
        to,
        rows=list(rows),
        message_id=f"message-{next(_numbers)}",
        source=by or device(DeviceKind.HISTORIAN, at=at),
        content_digest="0" * 64,
        at=at,
    )


def temperatures(*values: str, since: datetime = NOON) -> Sequence[Reading]:
    """Return readings of the temperature, one a minute."""
    return [
        Reading("temperature_c", since + timedelta(minutes=number), Decimal(value), "Cel")
        for number, value in enumerate(values)
    ]


def sample(of: Batch, *, at: datetime = NOON) -> Sample:
    return samples.take(
        of, number=f"S-{next(_numbers)}", taken_at=at, actor=device(DeviceKind.LIMS, at=at), at=at
    )


def result(
    of: Sample, *, tag: str = "mab_g_l", value: str = "3.10", unit: str = "g/L",
    at: datetime = NOON, version: int = 1, reason: str = "",
) -> Result:  # fmt: skip
    return results.report(
        of,
        tag=tag,
        value_text=value,
        unit=unit,
        reported_at=at,
        message_id=f"message-{next(_numbers)}",
        actor=device(DeviceKind.LIMS, at=at),
        at=at,
        version=version,
        reason=reason,
    )


def completed_batch(of: MasterRecipe | None = None, *, at: datetime = NOON) -> Batch:
    """Return a batch that was made as its recipe says: nothing stands against its release."""
    made = running_batch(of, at=at)
    source = device(at=at)
    for phase in made.phases.order_by("order"):
        happened(made, EventKind.PHASE_STARTED, by=source, at=at, phase=phase.name)
        happened(made, EventKind.PHASE_ENDED, by=source, at=at, phase=phase.name)
    stored(made, temperatures("36.8", since=at), at=at)
    result(sample(made, at=at), at=at)
    happened(made, EventKind.BATCH_ENDED, by=source, at=at)
    made.refresh_from_db()
    review(made, at=at)
    return made


def review(of: Batch, *, by: User | None = None, at: datetime = NOON) -> BatchReview:
    """Return a signed review of a batch record as it is now."""
    signer = by or person(Role.QUALITY_ASSURANCE, at=at)
    return reviews.sign(
        of,
        seen=signing.digest(Batch.objects.get(pk=of.pk)),
        remarks="every exception was looked at",
        confirmed=confirmed(signer, at=at),
    )


def decision(
    about: Batch, outcome: Outcome = Outcome.RELEASED, *, by: User | None = None,
    at: datetime = NOON, **said: Any,
) -> Decision:  # fmt: skip
    """Decide about a batch as a person of quality."""
    signer = by or person(Role.QUALITY_ASSURANCE, at=at)
    return decisions.decide(
        about,
        outcome=outcome,
        confirmed=confirmed(signer, at=at),
        reason="the record was reviewed",
        **said,
    )


def released_batch(of: MasterRecipe | None = None, *, at: datetime = NOON) -> Batch:
    """Return a batch that was reviewed and released."""
    made = completed_batch(of, at=at)
    decision(made, at=at)
    made.refresh_from_db()
    return made


def certificate(of: Batch, *, at: datetime = NOON, **said: Any) -> Certificate:
    """Certify a released batch as a Qualified Person."""
    signer = person(Role.QUALIFIED_PERSON, at=at)
    return certification.certify(of, confirmed=confirmed(signer, at=at), **said)


def shipment(of: Batch, *, market: Market = Market.EU, at: datetime = NOON) -> Shipment:
    return shipments.record(
        of, market=market, consignee="A wholesaler", quantity=Decimal("120"), unit="{vial}",
        shipped_at=at, actor=person(Role.WAREHOUSE, at=at), at=at,
    )  # fmt: skip


def deviation(
    about: Batch | None = None, *, severity: Severity = Severity.MAJOR, at: datetime = NOON
) -> Deviation:
    """Return an open deviation, linked to a batch when one is named."""
    said = {
        "title": "Temperature outside of its limits",
        "description": "The temperature of the bioreactor left its limits; seen in the trend.",
    }
    actor = person(Role.OPERATOR, at=at)
    if about is None:
        return deviations.open_(severity=severity, occurred_at=at, actor=actor, at=at, **said)
    return batches.open_deviation(
        about, severity=severity, occurred_at=at, actor=actor, at=at, **said
    )


FINDINGS = Findings(
    root_cause_category=RootCause.EQUIPMENT,
    root_cause="The jacket valve stuck half open.",
    impact="One batch; the antibody was within its limits.",
    conclusion="The product is not affected.",
)


def closed_deviation(about: Batch | None = None, *, at: datetime = NOON) -> Deviation:
    """Return a deviation that one person investigated and signed, and another one closed."""
    opened = deviation(about, at=at)
    investigator = person(Role.PROCESS_ENGINEER, at=at)
    investigated = deviations.investigate(
        opened, findings=FINDINGS, actor=investigator, at=at, reason="first investigation"
    )
    deviations.sign_investigation(investigated, confirmed=confirmed(investigator, at=at))
    return deviations.close(
        investigated,
        confirmed=confirmed(person(Role.QUALITY_ASSURANCE, at=at), at=at),
        reason="investigated to its conclusion",
    )
