"""Twins by name: a name is stored with what a twin produced, so it is unique and never changes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from twins.models import deviation_forecast, documents, foretelling, requests
from twins.models.declarations import Declaration
from twins.models.documents import Json
from twins.models.forecasts import Forecast
from twins.models.penicillin_fed_batch import asking
from twins.models.penicillin_fed_batch import deviation_forecast as penicillin
from twins.models.requests import Request


class NameTaken(ValueError):
    """A second twin wants a name that is in use."""

    code = "twin-name-taken"


class UnknownTwin(LookupError):
    """No twin has this name."""

    code = "unknown-twin"


class Twin(Protocol):
    """What every twin offers."""

    @property
    def declaration(self) -> Declaration:
        """Return what it declares."""

    def read(self, document: Mapping[str, Any]) -> Request:
        """Return the request that a document is of."""

    def run(self, request: Request) -> Forecast:
        """Answer a request that this twin has read; raise `RequestInvalid`."""

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


class Mechanistic:
    """A twin of equations under an ensemble filter: a process, and how its requests are read."""

    process: Any
    reads: Callable[[Mapping[str, Any]], Request]

    @property
    def declaration(self) -> Declaration:
        """Return what the process declares."""
        found: Declaration = self.process.DECLARATION
        return found

    def read(self, document: Mapping[str, Any]) -> Request:
        """Return the request that a document is of."""
        return type(self).reads(document)

    def run(self, request: Request) -> Forecast:
        """Answer a request; raise `RequestInvalid`."""
        return foretelling.run(self.process, request)

    def to_document(self, forecast: Forecast) -> Json:
        """Return a forecast as a document without floats."""
        return documents.of(forecast)

    def code_digest(self) -> str:
        """Return the digest of the source."""
        return documents.code_digest()

    def parameters_digest(self) -> str:
        """Return the digest of the declaration."""
        return documents.digest(self.declaration)


@MODELS.register("cho-fed-batch")
class ChoFedBatch(Mechanistic):
    """Kornecki and Strube's CHO fed-batch under an ensemble filter; valid for 36 to 38 °C."""

    process = deviation_forecast
    reads = staticmethod(requests.read)


@MODELS.register("penicillin-fed-batch")
class PenicillinFedBatch(Mechanistic):
    """Goldrick's penicillin fed-batch under an ensemble filter; valid for 290 to 308 K."""

    process = penicillin
    reads = staticmethod(asking.read)
