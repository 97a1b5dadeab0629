"""Tablets: what can be foreseen of a batch from its lots and its press, in the order of time."""

from collections.abc import Iterator
from pathlib import Path

from tests.real_data import reading
from twins.hub.life import ModelWithoutSkill
from twins.predictions import process_qualities
from twins.predictions.process_qualities import Question

LOW_DISSOLUTION = 80.0


def questions() -> list[Question]:
    """Return what is asked."""

    def about(target: str, *, also: tuple[str, ...] = (), below: float | None = None) -> Question:
        late = tuple(one for one in (*reading.TABLET_RESULTS, *also) if one != target)
        return Question(
            target=target,
            group="code",
            without=(*reading.TABLET_NAMES, *late),
            **({} if below is None else {"below": below}),
        )

    return [
        about("impurities_total"),
        about("impurity_l"),
        about("impurity_o"),
        about("batch_yield"),
        about("tbl_yield"),
        about("dissolution_av"),
        about("dissolution_min"),
        about("dissolution_min", below=LOW_DISSOLUTION),
    ]


def measured(shared: Path) -> Iterator[str]:
    """Yield the lines of the tables, with what would be refused."""
    sheet = reading.tablets(shared)
    for question in questions():
        answered = process_qualities.ask(sheet, question)
        yield from process_qualities.table(answered, question)
        try:
            process_qualities.demand_skill(answered, question)
            yield "  kept: has skill"
        except ModelWithoutSkill as refused:
            yield f"  refused, {refused.code}"
