"""What docs/real-data.md says of other people's data holds when it is measured again."""

from pathlib import Path

import pytest

from tests.real_data import eastman, reading, unlabelled
from twins.hub.life import ModelWithoutSkill
from twins.models.process_monitoring import continuous
from twins.predictions import process_monitors, process_qualities
from twins.predictions.process_qualities import Question

pytestmark = pytest.mark.shared


def _odd(shared: Path, name: str, out: Path) -> list[str]:
    pytest.importorskip("pyarrow")
    trained = process_monitors.train(
        shared / "data" / "batch_real" / f"{name}.parquet", unlabelled.FILES[name], rate=0.05
    )
    return process_monitors.monitor(trained, None, out)


def test_the_odd_nylon_batch_is_named_with_its_phase(shared: Path, tmp_path: Path) -> None:
    said = _odd(shared, "nylon", tmp_path / "out.csv")

    assert "not in the reference, as unlike all others: 48" in said
    at = next(place for place, line in enumerate(said) if line.startswith("batch 48: "))
    assert said[at + 1].startswith("  Tag10 lower than normal")
    assert "(phase 3)" in said[at + 1]


def test_dryers_that_lost_their_vacuum_and_heat_are_named(shared: Path, tmp_path: Path) -> None:
    said = "\n".join(_odd(shared, "dryer", tmp_path / "out.csv"))

    for batch in (23, 68):
        reasons = said.split(f"batch {batch}: ")[1].split("\nbatch ")[0]
        assert "JacketTemperature lower than normal" in reasons
        assert "DryerPressure higher than normal" in reasons


def test_at_one_false_alarm_rate_more_faults_of_a_plant_are_seen_than_by_plain_pca(
    shared: Path,
) -> None:
    pytest.importorskip("pyarrow")
    signals, training = reading.eastman(shared / "data", "train")
    _, runs = reading.eastman(shared / "data", "test")
    monitor = continuous.train(signals, training[0], false_alarm_rate=eastman.OWN_RATE)
    said = {fault: continuous.watch(runs[fault], monitor) for fault in (0, 4, 5, 10, 11)}
    plain = eastman.plain(training[0], {fault: runs[fault] for fault in said})

    def shares(score: dict[int, continuous.Floats]) -> dict[int, float]:
        limit = eastman.limit_at(score[0], 0.01)
        return {
            fault: float((score[fault][eastman.ONSET :] > limit).mean()) for fault in (4, 5, 10, 11)
        }

    ours, theirs = shares({fault: one.score for fault, one in said.items()}), shares(plain)
    assert all(ours[fault] > theirs[fault] + 0.2 for fault in ours)
    assert min(ours.values()) > 0.8
    # The cooling water of the reactor: its valve opens.
    assert continuous.reasons_of(said[4], monitor, 162, 181)[0].signal == "xmv_10"


def test_dissolution_of_tablets_is_refused_and_random_folds_would_not_have(shared: Path) -> None:
    pytest.importorskip("pyarrow")
    sheet = reading.tablets(shared / "data")
    late = tuple(one for one in reading.TABLET_RESULTS if one != "dissolution_av")
    question = Question("dissolution_av", group="code", without=(*reading.TABLET_NAMES, *late))

    answered = process_qualities.ask(sheet, question)

    assert answered.others["random folds, columns alone"].has_skill
    assert answered.others["random folds, columns alone"].r2 > 0.3
    with pytest.raises(ModelWithoutSkill) as refused:
        process_qualities.demand_skill(answered, question)
    assert refused.value.code == "model-without-skill"
