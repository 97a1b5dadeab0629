"""The watch over a qualified version opens one deviation on it for each drift, and no other."""

import random

import pytest

from compliance.quality.models import Deviation
from tests import factories
from tests.twins.hub.conftest import Walk
from twins.hub import drift_watch, life
from twins.hub.drift_watch import WINDOW, Watched
from twins.hub.models import DriftCheck, DriftFinding, ModelVersion

pytestmark = pytest.mark.django_db


@pytest.fixture
def qualified(walk: Walk) -> ModelVersion:
    walk.prepare()
    walk.run(walk.approve(walk.draft(walk.seal())))
    return life.qualify(
        walk.version,
        confirmed=factories.confirmed(walk.quality, at=walk.now()),
        reason="its test has passed",
    )


def _window(
    first: int = 1, *, shift: float = 0.0, false_alarms: int = 0, misses: int = 0
) -> list[Watched]:
    """Return a window: half of its batches have an event, and the twin was right but for these."""
    generator = random.Random(first)
    return [
        Watched(
            key=first + at,
            means={"temperature_c": 36.5 + generator.randrange(20) / 100 + shift},
            is_event=at % 2 == 0,
            is_alarmed=(at >= 2 * misses) if at % 2 == 0 else (at < 2 * false_alarms),
        )
        for at in range(WINDOW)
    ]


@pytest.mark.requirement("A22-10")
def test_an_input_that_shifts_opens_one_deviation_on_the_model(
    qualified: ModelVersion, walk: Walk
) -> None:
    # Training means are 36.50 to 36.69: 0.12 is two of their standard deviations.
    drift_watch.check(qualified, _window(1, shift=0.12), at=walk.now())
    drift_watch.check(qualified, _window(101, shift=0.12), at=walk.now())

    deviation = Deviation.objects.get()
    assert deviation.opened_by == "model watch"
    assert deviation.concerns == f"model {qualified}"
    assert "temperature_c" in deviation.title
    assert list(DriftFinding.objects.values_list("deviation", flat=True)) == [deviation.pk] * 2


@pytest.mark.requirement("A22-10")
@pytest.mark.parametrize(
    ("wrong", "name"),
    [({"false_alarms": 5}, "false alarms"), ({"misses": 9}, "misses")],
)
def test_a_broken_contract_opens_a_deviation_on_the_model(
    qualified: ModelVersion, walk: Walk, wrong: dict[str, int], name: str
) -> None:
    drift_watch.check(qualified, _window(**wrong), at=walk.now())

    assert [one.name for one in DriftFinding.objects.all()] == [name]
    assert name in Deviation.objects.get().title


def test_a_window_as_usual_is_on_record_and_opens_nothing(
    qualified: ModelVersion, walk: Walk
) -> None:
    made = drift_watch.check(qualified, _window(), at=walk.now())

    assert made.batches == list(range(1, WINDOW + 1))
    assert [one["name"] for one in made.results["inputs"]] == ["temperature_c"]
    assert not Deviation.objects.exists()


def test_no_batch_is_in_two_windows(qualified: ModelVersion, walk: Walk) -> None:
    drift_watch.check(qualified, _window(), at=walk.now())

    with pytest.raises(drift_watch.WindowChecked):
        drift_watch.check(qualified, _window(5), at=walk.now())
    assert DriftCheck.objects.count() == 1


def test_windows_are_checked_when_they_are_full(
    qualified: ModelVersion, walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = [*_window(1), *_window(101)[:-1]]
    monkeypatch.setattr(
        drift_watch,
        "_sources",
        [lambda version, checked: [one for one in seen if one.key not in checked]],
    )

    first = drift_watch.check_all(at=walk.now())
    again = drift_watch.check_all(at=walk.now())

    assert [one.number for one in first] == [1]
    assert again == []


def test_a_draft_is_not_watched(walk: Walk) -> None:
    assert drift_watch.check_all(at=walk.now()) == []
