"""A request is read back exactly as it was written."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.trail.tlog import canonical
from twins.models import documents, requests
from twins.models.declarations import Limit
from twins.models.requests import ForecastRequest, Observation
from twins.plant import demo_recipe
from twins.predictions import request_bytes

REQUEST = ForecastRequest(
    as_of_h=18.1,
    horizon_h=48.0,
    seed=2**53 - 1,
    initial=demo_recipe.RECIPE_INITIAL,
    feed=demo_recipe.RECIPE_FEED,
    feed_glucose_mmol_l=600.0,
    feed_glutamine_mmol_l=60.0,
    observations=(Observation("ph", 1 / 6, 7.01, 1 / 6),),
    limits=(*demo_recipe.RECIPE_LIMITS, Limit("ph", None, 7.2, "[pH]", "OTHER", 1.0, None)),
)
numbers = st.floats(allow_nan=False, allow_infinity=False)


@given(
    values=st.lists(st.tuples(numbers, numbers, numbers), max_size=5),
    initial=st.dictionaries(st.from_regex(r"[a-z_]{1,9}", fullmatch=True), numbers, max_size=3),
)
def test_every_number_comes_back_to_the_last_bit(
    values: list[tuple[float, float, float]], initial: dict[str, float]
) -> None:
    request = replace(
        REQUEST, initial=initial, observations=tuple(Observation("ph", *one) for one in values)
    )

    written = request_bytes.write(request)

    again = requests.read(request_bytes.document(written))
    assert again == request
    assert request_bytes.write(again) == written


def test_the_digest_of_the_bytes_is_the_one_that_a_forecast_names_as_its_input() -> None:
    written = request_bytes.write(REQUEST)

    assert hashlib.sha256(written).hexdigest() == documents.digest(REQUEST)


def test_bytes_in_any_other_form_are_refused() -> None:
    written = request_bytes.write(REQUEST)

    for other in (written + b" ", written.replace(b'"18.1"', b"18.1"), written[:-1]):
        with pytest.raises(canonical.NotCanonical):
            request_bytes.document(other)
