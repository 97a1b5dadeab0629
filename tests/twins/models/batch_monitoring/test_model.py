"""A trained batch twin: the same data give the same bytes, and no answer knows what comes later."""

import numpy as np
import pytest

from tests.twins.models.batch_monitoring import campaign
from twins.models.batch_monitoring import artefacts, forecast, model
from twins.models.batch_monitoring.model import Model, Options


@pytest.fixture
def twin() -> Model:
    """Return a twin of made-up batches, read from its artefact."""
    return artefacts.from_text(campaign.trained_text())[0]


@pytest.mark.requirement("A22-1")
def test_training_again_gives_the_same_bytes() -> None:
    again = artefacts.to_text(model.train(campaign.batches(), Options(folds=2)), {"label": "a@1"})

    assert again == campaign.trained_text()


def test_a_halved_feed_is_alarmed_soon_after_its_onset_and_usual_batches_rarely_are(
    twin: Model,
) -> None:
    wrong = model.answer(twin, campaign.grid(101, campaign.feed_halved))
    usual = [model.answer(twin, campaign.grid(seed)) for seed in range(200, 212)]

    first_h = campaign.grid(101).time_h[np.flatnonzero(wrong.alarm)[0]]
    assert 40.0 <= first_h <= 41.5
    # 32 batches to learn from are few; twelve further ones may have three with an alarm.
    assert sum(bool(one.alarm.any()) for one in usual) <= 3
    assert wrong.p[230] > 0.5 > float(np.median([one.p[230] for one in usual]))


def test_an_answer_does_not_depend_on_later_samples(twin: Model) -> None:
    time_h, found = campaign.columns(101, campaign.feed_halved)

    whole = model.answer(twin, campaign.on_grid(time_h, found))
    for end in (1, 2, 3, 77, 205, 301):
        part = model.answer(
            twin, campaign.on_grid(time_h[:end], {name: one[:end] for name, one in found.items()})
        )

        for name in ("p", "p_costing", "steady", "alarm", "share"):
            assert np.array_equal(getattr(part, name), getattr(whole, name)[:end]), (end, name)
        for key in forecast.KEYS:
            assert np.array_equal(part.forecasts[key], whole.forecasts[key][:end])
            assert np.array_equal(part.bounds[key][1], whole.bounds[key][1][:end])


@pytest.mark.requirement("A22-8")
def test_the_contributions_of_the_channels_add_up_to_the_score(twin: Model) -> None:
    said = model.answer(twin, campaign.grid(101, campaign.feed_halved))

    whole = said.share.sum(axis=1)
    assert np.allclose(np.minimum.reduce([whole[2:], whole[1:-1], whole[:-2]]), said.steady[2:])


def test_a_batch_without_signals_is_out_of_the_domain(twin: Model) -> None:
    time_h, found = campaign.columns(101)
    for name in ("DO2", "pH", "T", "Q", "O2", "OUR", "CER", "Fg"):
        found[name][200:] = np.nan

    said = model.answer(twin, campaign.on_grid(time_h, found))

    assert said.in_domain[150]
    assert not said.in_domain[250]
    assert np.isfinite(said.p).all()


def test_an_artefact_that_was_changed_is_refused() -> None:
    with pytest.raises(artefacts.NotATwin, match="digest"):
        artefacts.from_text(campaign.trained_text().replace("6.5", "6.6", 1))
    with pytest.raises(artefacts.NotATwin):
        artefacts.from_text("{}")
