"""Tablets: what can be foreseen of a batch from its lots and its press, in the order of time."""

from collections.abc import Iterator
from pathlib import Path

from tests.real_data import reading
from twins.hub.life import ModelWithoutSkill
from twins.predictions import process_qualities
from twins.predictions.process_qualities import Question

# USP <711>, first stage, at Q = 80 %: no unit below Q + 5; and Q itself.
LOW_DISSOLUTION = (80.0, 85.0)
# Results are known for the next batch, which is the hardest to beat, or three weeks of batches later.
KNOWN_AFTER = (1, 20)


def questions() -> list[Question]:
    """Return what is asked: never from another result of the same batch."""

    def about(target: str, *, known_after: int = 1, below: float = float("-inf")) -> Question:
        late = tuple(one for one in reading.TABLET_RESULTS if one != target)
        return Question(
            target=target,
            group="code",
            without=(*reading.TABLET_NAMES, *late),
            known_after=known_after,
            below=below,
        )

    return [
        *(
            about(target, known_after=after)
            for target in ("impurities_total", "impurity_l", "batch_yield")
            for after in KNOWN_AFTER
        ),
        about("impurity_o"),
        about("dissolution_av"),
        about("dissolution_min"),
        *(about("dissolution_min", below=limit) for limit in LOW_DISSOLUTION),
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
