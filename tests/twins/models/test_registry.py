"""Twins have unique names and say what they are for."""

import pytest

from twins.models.registry import MODELS, ChoFedBatch, NameTaken, Registry, UnknownTwin


def test_the_cho_fed_batch_is_known_by_name() -> None:
    twin = MODELS.get("cho-fed-batch")

    assert "cho-fed-batch" in MODELS.names()
    assert twin.declaration.name == "cho-fed-batch"
    assert "Not for release" in twin.declaration.intended_use
    assert "temperature 36 to 38 Cel" in twin.declaration.valid_range
    assert len(twin.code_digest()) == len(twin.parameters_digest()) == 64


def test_the_penicillin_fed_batch_is_known_by_name() -> None:
    twin = MODELS.get("penicillin-fed-batch")

    assert twin.declaration.name == "penicillin-fed-batch"
    assert "Not for release" in " ".join(twin.declaration.intended_use.split())
    assert "temperature 290 to 308 K" in twin.declaration.valid_range
    assert twin.parameters_digest() != MODELS.get("cho-fed-batch").parameters_digest()


def test_a_second_twin_of_a_name_is_refused() -> None:
    registry = Registry({})
    registry.register("cho-fed-batch")(ChoFedBatch)

    with pytest.raises(NameTaken):
        registry.register("cho-fed-batch")(ChoFedBatch)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(UnknownTwin):
        MODELS.get("perfusion")
