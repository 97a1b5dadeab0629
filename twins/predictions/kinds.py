"""The kinds of twins that a recipe can name, and what a prediction needs of each.

A forecasting twin foretells process values and which limits of the recipe they will cross
(`forecasting`); a watching one says whether the batch is like normal ones (`watching`).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol, cast

from batches.execution.models import Batch
from batches.recipes.models import MasterRecipe
from compliance.reports.drawing import Drawing
from twins.hub import batch_models
from twins.predictions import forecasting, watching
from twins.predictions.models import Prediction
from twins.predictions.said import Said, Warned


class Kind(Protocol):
    """What a kind of twin offers to predictions."""

    DECIDED: frozenset[str]

    def every_h(self, recipe: MasterRecipe) -> float:
        """Return the hours between two predictions."""

    def horizon_h(self, recipe: MasterRecipe) -> int:
        """Return how many hours ahead it looks."""

    def ask(self, batch: Batch, *, as_of: datetime, horizon_h: int, seed: int) -> object:
        """Return the request about a batch as of a moment; raise a refusal."""

    def answer(self, name: str, *, given: bytes) -> Said:
        """Answer the bytes of a request."""

    def warnings(self, prediction: Prediction, said: Said) -> list[Warned]:
        """Return what a person is to be warned of."""

    def stands(
        self, document: Mapping[str, Any], *, prediction: Prediction, tag: str, side: str
    ) -> bool:
        """Tell whether a stored answer warned of this."""

    def drawable(self, document: Mapping[str, Any]) -> list[str]:
        """Return what can be drawn of an answer, the most telling first."""

    def drawing(self, prediction: Prediction, document: Mapping[str, Any], what: str) -> Drawing:
        """Draw one of these."""


def of(twin: str) -> Kind:
    """Return the kind of the twin of this name."""
    return cast(Kind, watching if batch_models.is_label(twin) else forecasting)


def of_prediction(prediction: Prediction) -> Kind:
    """Return the kind of the twin that predicted."""
    return of(prediction.model_version.name)
