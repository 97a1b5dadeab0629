"""Afterwards everybody sees whether a proposal was followed, and whether the limit held."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from batches.execution.models import Batch
from batches.execution.sample_bytes import Reading as Row
from compliance.access.duties import Role
from compliance.quality import figures, trends
from compliance.reports.document import Chart, Facts
from tests import factories
from tests.factories import NOON
from tests.twins.advice.conftest import AS_OF_H, AT, FAULT, SEED
from tests.twins.predictions.conftest import LATER, moment
from twins.advice import comparisons, outputs, proposals, report_section, tasks
from twins.advice.models import Comparison, Followed, Proposal
from twins.models.requests import FeedStep
from twins.plant import demo_recipe, process
from twins.plant.messages import Reading

pytestmark = pytest.mark.django_db
END_H = AS_OF_H + 48.0
REASON = "as the process engineer asks"


def goes_on(batch: Batch, feed: tuple[FeedStep, ...], *, until_h: float = END_H) -> None:
    """Record what the plant reads of feed and glucose after the advice, under a feed."""
    rows = [
        Row(one.tag, moment(one.at_h), Decimal(repr(one.value)), one.unit)
        for one in process.simulate(SEED, process.FAULTS[FAULT], feed=feed)
        if isinstance(one, Reading)
        and one.tag in ("feed_rate_l_per_h", "glucose_mmol_l")
        and AS_OF_H < one.at_h <= until_h
    ]
    factories.stored(batch, rows, by=factories.device(), at=LATER)


def proposed_feed(proposal: Proposal) -> tuple[FeedStep, ...]:
    said: Any = outputs.document(proposal)["move"]["feed"]
    before = [step for step in demo_recipe.RECIPE_FEED if step.start_h < AS_OF_H]
    return (
        *before,
        *(FeedStep(float(one["start_h"]), float(one["rate_l_per_h"])) for one in said),
    )


@pytest.fixture
def accepted(proposal: Proposal) -> Proposal:
    who = factories.person(Role.PROCESS_ENGINEER)
    return proposals.answer(proposal, accept=True, reason=REASON, actor=who, at=AT)


def test_a_proposal_that_was_followed_and_held(accepted: Proposal) -> None:
    batch = accepted.alert.batch
    assert comparisons.due(at_most=8) == []
    goes_on(batch, proposed_feed(accepted))

    assert comparisons.due(at_most=8) == [accepted]
    found = comparisons.compare(accepted, at=LATER)

    assert found is not None
    assert found.followed == Followed.FOLLOWED
    assert (found.is_crossed, found.crossed_at) == (False, None)
    assert found.hours_measured == 48
    assert found.inside_moved is not None
    assert found.inside_moved > found.inside_as_is
    assert float(found.from_move_l_per_h) < 0.02 < float(found.from_recipe_l_per_h)
    assert found.until == moment(END_H)
    assert comparisons.compare(accepted, at=LATER) is None
    assert comparisons.due(at_most=8) == []


def test_one_that_was_not_followed_and_broke(proposal: Proposal) -> None:
    goes_on(proposal.alert.batch, demo_recipe.RECIPE_FEED)
    # Still open, it waits for its expiry.
    assert comparisons.due(at_most=8) == []

    tasks.look_after_proposals()

    proposal.refresh_from_db()
    found = Comparison.objects.get()
    assert proposal.state == "expired"
    assert found.followed == Followed.NOT_FOLLOWED
    assert found.is_crossed
    assert found.crossed_at is not None
    assert moment(AS_OF_H) < found.crossed_at <= moment(END_H)
    assert found.inside_moved is not None
    assert found.inside_as_is > found.inside_moved


def test_before_the_horizon_is_over_it_is_shown_so_far(accepted: Proposal) -> None:
    goes_on(accepted.alert.batch, proposed_feed(accepted), until_h=AS_OF_H + 10.0)

    found = comparisons.so_far(accepted)

    assert comparisons.due(at_most=8) == []
    assert found is not None
    assert found.until_h == AS_OF_H + 10.0
    assert (found.followed, found.is_crossed, found.hours_measured) == ("followed", False, 10)


def counted() -> dict[str, Any]:
    today = NOON.date()
    return dict(figures.collect(starts_on=today, ends_on=today + timedelta(days=40))["advice"])  # type: ignore[call-overload]


@pytest.mark.requirement("A22-3")
def test_proposals_of_a_qualified_version_are_counted_with_what_came(
    qualified: None, accepted: Proposal
) -> None:
    goes_on(accepted.alert.batch, proposed_feed(accepted))
    comparisons.compare(accepted, at=LATER)

    found = counted()

    assert not accepted.is_trial
    assert {name for name, count in found.items() if count} == {
        "moves-proposed", "accepted", "compared", "followed", "followed-and-held",
    }  # fmt: skip
    assert set(found.values()) == {0, 1}
    pack = trends.pack(on=NOON.date() + timedelta(days=40))
    (share,) = (one.share for one in pack.others if one.name == "followed-proposals-held")
    assert (share.part, share.whole) == (1, 1)


def test_only_what_qualified_versions_proposed_is_counted(accepted: Proposal) -> None:
    goes_on(accepted.alert.batch, proposed_feed(accepted))
    comparisons.compare(accepted, at=LATER)

    assert accepted.is_trial
    assert set(counted().values()) == {0}


def test_the_report_of_the_batch_tells_all_of_it(accepted: Proposal) -> None:
    batch = accepted.alert.batch
    goes_on(batch, proposed_feed(accepted))
    comparisons.compare(accepted, at=LATER)

    blocks = report_section.write(Batch.objects.get(pk=batch.pk))

    assert sum(isinstance(block, Chart) for block in blocks) == 2
    (facts,) = (block for block in blocks if isinstance(block, Facts))
    told = {fact.label: str(fact.value) for fact in facts.facts}
    assert told["Answer"].startswith("Accepted by ")
    assert REASON in told["Answer"]
    assert told["Compared with what was done"].startswith(
        "Followed. Of the limit: it was not crossed."
    )
    assert told["Advice, SHA-256"] == accepted.output_digest
