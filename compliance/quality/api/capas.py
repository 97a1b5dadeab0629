"""CAPA over the API, from the plan to its closure."""

from collections.abc import Callable
from typing import Any

from django.urls import path

from compliance.access.acts import Occasion
from compliance.quality.acts import capas as acts
from compliance.quality.api import endpoints
from compliance.quality.api.endpoints import View
from compliance.quality.messages import capas as messages
from compliance.quality.messages.capas import CapaActionOut, CapaCheckOut, CapaDetailOut, CapaOut
from compliance.quality.messages.signatures import SigningIn, SigningWithReasonIn, WithReasonIn
from compliance.quality.models import Capa
from compliance.wire import In, Out

_CAPAS = Capa.objects.select_related("author", "owner", "follows")
_WHOLE = _CAPAS.prefetch_related(
    "deviations", "actions__owner", "actions__done_by", "actions__attachment", "checks__checked_by"
)
_ONE = "capas/<str:number>"


def _act(
    name: str, do: Callable[[Occasion], Any], gives: type[Out], takes: type[In] | None = None
) -> View:
    return endpoints.act(f"capa_{name}", _CAPAS, do, gives=gives, takes=takes)


urlpatterns = [
    path(
        "capas",
        endpoints.collection(
            "capas",
            _CAPAS,
            gives=CapaOut,
            takes=messages.CapaIn,
            act=acts.open_,
            filters=("state", "kind", "source", "due_on"),
            searched=("number", "title", "problem", "owner__username"),
        ),
        name="capas",
    ),
    path(_ONE, endpoints.member("capa", _WHOLE, gives=CapaDetailOut), name="capa"),
    path(
        f"{_ONE}/actions",
        _act("add_action", acts.add_action, CapaActionOut, messages.CapaActionIn),
        name="capa-actions",
    ),
    path(
        f"{_ONE}/actions/<int:action>/completion",
        _act("finish_action", acts.finish_action, CapaActionOut, messages.CapaEvidenceIn),
        name="capa-action-completion",
    ),
    path(
        f"{_ONE}/approval", _act("approve", acts.approve, CapaOut, SigningIn), name="capa-approval"
    ),
    path(
        f"{_ONE}/postponement",
        _act("postpone", acts.postpone, CapaOut, messages.CapaPostponementIn),
        name="capa-postponement",
    ),
    path(
        f"{_ONE}/implementation",
        _act("implement", acts.implement, CapaOut, WithReasonIn),
        name="capa-implementation",
    ),
    path(
        f"{_ONE}/checks",
        _act("check", acts.check, CapaCheckOut, messages.CapaCheckIn),
        name="capa-checks",
    ),
    path(
        f"{_ONE}/closure",
        _act("close", acts.close, CapaOut, SigningWithReasonIn),
        name="capa-closure",
    ),
    path(
        f"{_ONE}/cancellation",
        _act("cancel", acts.cancel, CapaOut, WithReasonIn),
        name="capa-cancellation",
    ),
]
