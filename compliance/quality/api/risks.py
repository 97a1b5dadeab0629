"""Risks and their scales over the API."""

from collections.abc import Callable
from typing import Any

from django.urls import path

from compliance.access.acts import Occasion
from compliance.quality.acts import risks as acts
from compliance.quality.api import endpoints
from compliance.quality.api.endpoints import View
from compliance.quality.messages import risks as messages
from compliance.quality.messages.risks import (
    FailureModeOut,
    RiskDetailOut,
    RiskOut,
    RiskRatingOut,
    RiskReviewOut,
    ScaleOut,
)
from compliance.quality.messages.signatures import WithReasonIn
from compliance.quality.models import Risk, Scale
from compliance.wire import In, Out

_RISKS = Risk.objects.select_related("author", "scale")
_WHOLE = _RISKS.prefetch_related("reviews__reviewed_by")
_SCALES = Scale.objects.select_related("approved_by").prefetch_related("levels")
_ONE = "risks/<str:number>"


def _act(
    name: str, do: Callable[[Occasion], Any], gives: type[Out], takes: type[In] | None = None
) -> View:
    return endpoints.act(f"risk_{name}", _RISKS, do, gives=gives, takes=takes)


urlpatterns = [
    path(
        "risk-scales",
        endpoints.collection(
            "risk_scales",
            _SCALES,
            gives=ScaleOut,
            takes=messages.ScaleIn,
            act=acts.define_scale,
            filters=("version",),
            searched=("title",),
        ),
        name="risk-scales",
    ),
    path(
        "risks",
        endpoints.collection(
            "risks",
            _RISKS,
            gives=RiskOut,
            takes=messages.RiskIn,
            act=acts.open_,
            filters=("state", "category", "review_due_on"),
            searched=("number", "title", "scope", "concerns"),
        ),
        name="risks",
    ),
    path(_ONE, endpoints.member("risk", _WHOLE, gives=RiskDetailOut), name="risk"),
    path(
        f"{_ONE}/modes",
        _act("add_mode", acts.add_mode, FailureModeOut, messages.FailureModeIn),
        name="risk-modes",
    ),
    path(
        f"{_ONE}/modes/<int:mode>/ratings",
        _act("rate", acts.rate, RiskRatingOut, messages.RiskRatingIn),
        name="risk-ratings",
    ),
    path(
        f"{_ONE}/decision",
        _act("decide", acts.decide, RiskOut, messages.RiskDecisionIn),
        name="risk-decision",
    ),
    path(
        f"{_ONE}/reviews",
        _act("review", acts.review, RiskReviewOut, messages.RiskReviewIn),
        name="risk-reviews",
    ),
    path(
        f"{_ONE}/retirement",
        _act("retire", acts.retire, RiskOut, WithReasonIn),
        name="risk-retirement",
    ),
]
