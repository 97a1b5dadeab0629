"""What advice needs of a process: its futures under a feed, and what proposes moves."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from twins.models.advice.questions import AdviceRequest
from twins.models.advice.search import Ensemble, Judge, Program
from twins.models.declarations import Declaration
from twins.models.projection import Projection
from twins.models.requests import Request

Asked_contra = TypeVar("Asked_contra", bound=Request, contravariant=True)


@dataclass(frozen=True)
class Begun:
    """The futures of a batch, its estimate and the error of that."""

    ensemble: Ensemble
    estimate: Any
    error: float


class Adviser(Protocol[Asked_contra]):
    """What is particular to one process; every function is pure."""

    DECLARATION: Declaration
    COUNT: int

    def require(self, forecast: Asked_contra, /) -> None:
        """Raise `RequestInvalid` when the request cannot be read as a batch."""

    def moved(self, forecast: Asked_contra, /) -> Collection[str]:
        """Return the process values on which the feed acts."""

    def begin(self, forecast: Asked_contra, /) -> Begun | tuple[str, ...]:
        """Return the futures, or why there are none; raise `IntegrationInaccurate`."""

    def program(
        self, request: AdviceRequest[Any], begun: Begun, as_is: Projection, judge: Judge, /
    ) -> Program:
        """Return what proposes moves."""
