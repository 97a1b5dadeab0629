"""Two people sign and release, others change the same batch, all at the same moment: what is
released is what was reviewed, or it is not released.

`GMP_ROUNDS=1000 python -m pytest tests/batches/disposition/test_at_the_same_moment.py` for more.
"""

import functools
import itertools
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, connections

from batches.disposition import decisions, reviews, standing
from batches.disposition.models import Decision, Outcome
from batches.execution import batches, belongings, events
from batches.execution.events import Reported
from batches.execution.models import Batch, DispositionState, EventKind
from batches.laboratory import results, samples
from batches.recipes.master_recipes import ParameterDraft, RecipeDraft
from batches.recipes.models import Criticality, MasterRecipe, ParameterKind
from compliance.access.duties import Role
from compliance.access.models import DeviceKind, User
from compliance.refusals import Refused
from compliance.signatures import signing
from tests import factories, trail_log
from tests.conftest import FreshLog
from tests.factories import NOON

ROUNDS = int(os.environ.get("GMP_ROUNDS", "20"))
LATER = NOON + timedelta(minutes=1)
_numbers = itertools.count(1)
SMALL = RecipeDraft(
    title="A mixture of one phase",
    phases=[("Mixer", "Mixing")],
    parameters=[
        ParameterDraft(
            tag="assay", name="Assay", kind=ParameterKind.RESULT, unit="%",
            criticality=Criticality.CQA, low=Decimal(95), high=Decimal(105), is_required=True,
        ),
    ],
)  # fmt: skip


@dataclass
class Site:
    """The people and systems of all rounds."""

    recipe: MasterRecipe = field(default_factory=lambda: factories.recipe(SMALL))
    mes: Any = field(default_factory=lambda: factories.device(DeviceKind.MES))
    lims: Any = field(default_factory=lambda: factories.device(DeviceKind.LIMS))
    supervisor: User = field(default_factory=lambda: factories.person(Role.SUPERVISOR))
    first: User = field(default_factory=lambda: factories.person(Role.QUALITY_ASSURANCE))
    trail_reviewer: User = field(default_factory=lambda: factories.person(Role.QUALITY_ASSURANCE))
    second: User = field(default_factory=lambda: factories.person(Role.QUALITY_ASSURANCE))


def _event(site: Site, batch: Batch, kind: EventKind, **said: str) -> None:
    reported = Reported(kind=kind, occurred_at=NOON, occurred_text=NOON.isoformat(), **said)
    events.record(
        batch, reported=reported, message_id=f"m-{next(_numbers)}", actor=site.mes, at=NOON
    )


def _batch(site: Site, number: str) -> Batch:
    """Return a batch that nothing stands against but that nobody reviewed it."""
    batch = batches.issue(site.recipe, number=number, actor=site.supervisor, at=NOON)
    _event(site, batch, EventKind.BATCH_STARTED)
    _event(site, batch, EventKind.PHASE_STARTED, phase="Mixing")
    _event(site, batch, EventKind.PHASE_ENDED, phase="Mixing")
    sample = samples.take(batch, number="S-1", taken_at=NOON, actor=site.lims, at=NOON)
    _result(site, sample, version=1)
    factories.recorded_by_mes(batch, by=site.mes, at=NOON)
    _event(site, batch, EventKind.BATCH_ENDED)
    factories.batch_trail_review(batch, by=site.trail_reviewer)
    return Batch.objects.get(pk=batch.pk)


def _result(site: Site, sample: Any, *, version: int) -> None:
    results.report(
        sample, tag="assay", value_text="99.5", unit="%", reported_at=NOON,
        message_id=f"m-{next(_numbers)}", actor=site.lims, at=NOON, version=version,
        reason="the weight was read wrong" if version > 1 else "",
    )  # fmt: skip


def _review_and_release(batch: Batch, signer: User) -> None:
    seen = signing.digest(Batch.objects.get(pk=batch.pk))
    reviews.sign(
        batch, seen=seen, remarks="all of it was looked at",
        confirmed=factories.confirmed(signer, at=LATER),
    )  # fmt: skip
    decisions.decide(
        batch, outcome=Outcome.RELEASED, reason="nothing stands against it",
        confirmed=factories.confirmed(signer, at=LATER),
    )  # fmt: skip


def _acts(site: Site, batch: Batch, draw: random.Random) -> list[Callable[[], None]]:
    changes: list[Callable[[], None]] = [
        lambda: _event(site, batch, EventKind.OBSERVATION, text="foam was seen"),
        lambda: _result(site, batch.samples.get(), version=2),
    ]
    return [
        lambda: _review_and_release(batch, site.first),
        lambda: _review_and_release(batch, site.second),
        draw.choice(changes),
        draw.choice(changes),
    ]


def _at_once(acts: list[Callable[[], None]], pauses: list[float]) -> Counter[str]:
    """Run the acts in connections of their own, each after its pause; return how each ended."""
    ends: Counter[str] = Counter()
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], None], pause: float) -> None:
        try:
            start.wait()
            time.sleep(pause)
            act()
            ends["done"] += 1
        except Refused as refused:
            ends[refused.code] += 1
        except BaseException as error:
            ends[f"{type(error).__name__}: {error}"] += 1
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=work) for work in zip(acts, pauses, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends


def _alone(site: Site) -> float:
    """Return how many seconds a review and its release take here while nobody changes anything."""
    took = []
    for number in range(2):  # the first one also makes ready what later ones find
        batch = _batch(site, f"A-{number}")
        began = time.monotonic()
        ends = _at_once([functools.partial(_review_and_release, batch, site.first)], [0.0])
        took.append(time.monotonic() - began)
        assert ends == {"done": 1}
        assert _check(batch) == "released as it is"
    return took[-1]


def _entries(batch: Batch) -> list[int]:
    """Return the entries of what a signature under the batch covers, by their numbers."""
    signed = {
        part.rows(batch).model._meta.db_table for part in belongings.parts() if part.is_signed
    }
    keys = [key for key in belongings.keys(batch) if key[0] in signed]
    return _numbers_of(keys)


def _numbers_of(keys: list[tuple[str, str]]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT entry_id FROM audit.entry_view v JOIN unnest(%s::text[], %s::text[]) "
            "AS k(record, record_id) ON v.record = k.record AND v.record_id = k.record_id",
            [[table for table, _ in keys], [key for _, key in keys]],
        )
        return [number for (number,) in cursor.fetchall()]


def _check(batch: Batch) -> str:
    """Say how the round ended, or fail with what must not be."""
    batch.refresh_from_db()
    found = list(Decision.objects.filter(batch=batch).select_related("review", "signature"))
    if not found:
        assert batch.disposition == DispositionState.PENDING
        return "not released"
    (decision,) = found  # two people released it once
    assert batch.disposition == DispositionState.RELEASED
    assert decision.review is not None
    assert decision.signature.record_digest == decision.review.content_digest
    # By the trail alone, without any digest of ours: nothing was entered between the two.
    (reviewed,) = _numbers_of([("disposition_batchreview", str(decision.review.pk))])
    (decided,) = _numbers_of([("disposition_decision", str(decision.pk))])
    entered = _entries(batch)
    assert not [one for one in entered if reviewed < one < decided]
    is_changed = any(one > decided for one in entered)
    assert standing.of(batch).needs_reevaluation == is_changed
    return "released, then changed" if is_changed else "released as it is"


@pytest.mark.timeout(9000)
@pytest.mark.requirement("211-192", "P11-70", "P11-f1")
def test_what_is_released_is_what_was_reviewed(fresh_log: FreshLog) -> None:
    draw = random.Random(20260302)
    site = Site()
    ends: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    signing_s = _alone(site)
    for number in range(ROUNDS):
        batch = _batch(site, f"R-{number}")
        # Who signs begins at once; a change falls somewhere into the signing, or after it.
        pauses = [draw.uniform(0, most * signing_s) for most in (0.1, 0.1, 2, 2)]
        ends += _at_once(_acts(site, batch, draw), pauses)
        outcomes[_check(batch)] += 1
        if number % 10 == 9:  # as the sequencer does: what is unsealed is looked through each time
            trail_log.seal_and_sign()

    print(dict(ends), dict(outcomes))
    known = {"done", "record-changed", "disposition-blocked", "batch-state", "result-reported"}
    assert set(ends) <= known, ends
    assert outcomes["released as it is"] + outcomes["released, then changed"] > 0
