"""Batches and people for bulk runs."""

from tests.twins.predictions.conftest import culture, recipe

__all__ = ["culture", "recipe"]
