"""Nothing that is controlled is altered unnamed: every column of a plant with a batch, one by one."""

import json

import pytest

from tests.journeys.conftest import Walked


@pytest.mark.timeout(1500)
@pytest.mark.requirement("P11-e1")
def test_each_value_that_a_superuser_alters_unseen_is_named(walked_over_api: Walked) -> None:
    said = walked_over_api.installation.ask("from tests.journeys import columns; columns.sweep()")

    found = json.loads(said.splitlines()[-1])
    assert found["unseen"] == []
    assert found["altered"] > 500
    assert len(found["refused"]) < found["altered"] / 10, found["refused"]
