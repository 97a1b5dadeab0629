"""Twins by name: a name is stored with what a twin produced, so it is unique and never changes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from twins.models import deviation_forecast
from twins.models.cho_fed_batch.declared import DECLARATION
from twins.models.declarations import Declaration
from twins.models.documents import Json
from twins.models.forecasts import Forecast
from twins.models.requests import ForecastRequest


class NameTaken(ValueError):
    """A second twin wants a name that is in use."""

    code = "twin-name-taken"


class UnknownTwin(LookupError):
    """No twin has this name."""

    code = "unknown-twin"


class Twin(Protocol):
    """What every twin offers."""

    declaration: Declaration

    def run(self, request: ForecastRequest) -> Forecast:
        """Answer a request."""

    def to_document(self, forecast: Forecast) -> Json:
        """Return a forecast as a document without floats."""

    def code_digest(self) -> str:
        """Return the digest of the source."""

    def parameters_digest(self) -> str:
        """Return the digest of the declaration."""


TwinClass = TypeVar("TwinClass", bound=Twin)


@dataclass
class Registry:
    """The twins that this installation knows."""

    _twins: dict[str, Twin]

    def register(self, name: str) -> Callable[[type[TwinClass]], type[TwinClass]]:
        """Register a class of twins under a name; raise `NameTaken` for a second one."""

        def enter(twin: type[TwinClass]) -> type[TwinClass]:
            if name in self._twins:
                raise NameTaken(f"a twin named {name} is registered already")
            self._twins[name] = twin()
            return twin

        return enter

    def get(self, name: str) -> Twin:
        """Return the twin of this name; raise `UnknownTwin`."""
        if name not in self._twins:
            raise UnknownTwin(f"there is no twin named {name}; known: {', '.join(self.names())}")
        return self._twins[name]

    def names(self) -> tuple[str, ...]:
        """Return all names in order."""
        return tuple(sorted(self._twins))


MODELS = Registry({})


@MODELS.register("cho-fed-batch")
class ChoFedBatch:
    """Kornecki and Strube's CHO fed-batch under an ensemble filter; valid for 36 to 38 °C."""

    declaration = DECLARATION

    def run(self, request: ForecastRequest) -> Forecast:
        """Answer a request."""
        return deviation_forecast.run(request)

    def to_document(self, forecast: Forecast) -> Json:
        """Return a forecast as a document without floats."""
        return deviation_forecast.to_document(forecast)

    def code_digest(self) -> str:
        """Return the digest of the source."""
        return deviation_forecast.code_digest()

    def parameters_digest(self) -> str:
        """Return the digest of the declaration."""
        return deviation_forecast.parameters_digest()
