"""A trained twin answers for whole batches by their first alarm."""

from tests.twins.models.batch_monitoring import campaign
from twins.hub import batch_answers
from twins.models.batch_monitoring import artefacts
from twins.models.qualification.scoring import Answer


def test_a_batch_that_says_no_time_is_undecided() -> None:
    model, _ = artefacts.from_text(campaign.trained_text())
    rows = [{"T": 298.0}, {"time_h": -1.0, "T": 298.0}]

    assert batch_answers.of_rows(model, rows) == Answer(None, is_undecided=True)
