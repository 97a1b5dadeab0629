"""Advice on a penicillin batch goes the way of all: asked, answered, drawn, repeated, compared."""

from dataclasses import replace
from decimal import Decimal

import pytest

from compliance.access.duties import Role
from compliance.reports import charts as drawings
from tests import factories
from tests.twins.models.penicillin_fed_batch import made_batch
from tests.twins.predictions import penicillin_batches
from tests.twins.predictions.conftest import LATER
from tests.twins.predictions.penicillin_batches import SETTINGS, at, course, draft, record
from twins.advice import charts, comparisons, outputs, proposals, report_section, requests
from twins.advice import runs as advice
from twins.advice.models import Followed, Proposal
from twins.predictions import runs

pytestmark = pytest.mark.django_db
ADVICE = {
    "max_step_l_per_h": "40", "resolution_l_per_h": "1", "block_h": 6, "target": "0.1", "delay_h": 2,
}  # fmt: skip
AS_OF_H = 44.0


@pytest.fixture
def proposal() -> Proposal:
    """Return the advice on the alert of a batch of whose sugar half flows since 36 h."""
    parameters = [
        replace(one, low=Decimal(0), high=Decimal(200)) if one.tag == "Fs" else one
        for one in penicillin_batches.parameters()
    ]
    told = {**SETTINGS, "advice": ADVICE}
    recipe = factories.recipe(draft(parameters=parameters, twin_settings=told))
    batch = factories.running_batch(recipe)
    record(batch, course(0.5), until_h=AS_OF_H)
    prediction = runs.predict(batch, as_of=at(AS_OF_H), at=LATER)
    assert prediction is not None
    made = advice.advise(requests.for_alert(prediction.alerts.get(), at=LATER), at=LATER)
    assert made is not None
    return made


def test_it_is_proposed_answered_drawn_repeated_and_compared(proposal: Proposal) -> None:
    assert (proposal.state, proposal.outcome, proposal.problem) == ("open", "move", "")
    assert proposal.range_source.startswith("normal operating range of Fs")
    assert float(proposal.before[0]) > 0.8
    assert float(proposal.after[0]) <= 0.1
    assert proposal.starts_at == at(AS_OF_H + 2.0)
    assert "beside what is fed as is" in outputs.headline(proposal)
    assert advice.replay(proposal).identical
    for drawn in (charts.futures(proposal), charts.feeds(proposal)):
        assert drawings.to_svg(drawn).startswith(b"<svg")
    batch = proposal.alert.batch
    assert len(report_section.write(batch)) > 2
    who = factories.person(Role.PROCESS_ENGINEER)
    answered = proposals.answer(
        proposal, accept=True, reason="the second pump is set to it", actor=who, at=at(AS_OF_H)
    )
    said = outputs.document(answered)
    steps = [(float(one["start_h"]), float(one["rate_l_per_h"])) for one in said["move"]["feed"]]

    _go_on(answered, steps)

    found = comparisons.compare(answered, at=LATER)
    assert found is not None
    assert found.followed == Followed.FOLLOWED
    assert found.hours_measured == 1  # one sample of biomass was reported
    assert float(found.from_move_l_per_h) < 1.0


def _go_on(proposal: Proposal, steps: list[tuple[float, float]]) -> None:
    """Record that the sugar flows as was proposed, and what else a batch by the recipe shows."""
    found = course()
    hours = [(row + 0.5) / 5 for row in range(len(found["Fs"]))]
    found["Fs"] = found["Fs"].copy()
    for row, hour in enumerate(hours):
        flowing = [rate for start_h, rate in steps if start_h <= hour]
        if flowing:
            found["Fs"][row] = flowing[-1]
    record(
        proposal.alert.batch, found, after_h=AS_OF_H, until_h=made_batch.inputs().shape[0] / 5 - 3.8,
        by=factories.device(),
    )  # fmt: skip
