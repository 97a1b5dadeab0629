"""Changes over the API, from the request to the closure."""

from collections.abc import Callable
from typing import Any

from django.urls import path

from compliance.access.acts import Occasion
from compliance.quality.acts import changes as acts
from compliance.quality.api import endpoints
from compliance.quality.api.endpoints import View
from compliance.quality.messages import changes as messages
from compliance.quality.messages.changes import (
    ChangeDetailOut,
    ChangeImpactOut,
    ChangeOut,
    ChangeTaskOut,
)
from compliance.quality.messages.signatures import SigningWithReasonIn, WithReasonIn, WithTextIn
from compliance.quality.models import Change
from compliance.wire import In, Out

_CHANGES = Change.objects.select_related("requester", "risk")
_WHOLE = _CHANGES.prefetch_related("impacts__assessed_by", "tasks__owner", "approvals__approved_by")
_ONE = "changes/<str:number>"


def _act(
    name: str, do: Callable[[Occasion], Any], gives: type[Out], takes: type[In] | None = None
) -> View:
    return endpoints.act(f"change_{name}", _CHANGES, do, gives=gives, takes=takes)


urlpatterns = [
    path(
        "changes",
        endpoints.collection(
            "changes",
            _CHANGES,
            gives=ChangeOut,
            takes=messages.ChangeIn,
            act=acts.request,
            filters=("state", "classification", "due_on"),
            searched=("number", "title", "description", "requester__username"),
        ),
        name="changes",
    ),
    path(_ONE, endpoints.member("change", _WHOLE, gives=ChangeDetailOut), name="change"),
    path(
        f"{_ONE}/impacts",
        _act("assess_impact", acts.assess_impact, ChangeImpactOut, messages.ChangeImpactIn),
        name="change-impacts",
    ),
    path(
        f"{_ONE}/tasks",
        _act("add_task", acts.add_task, ChangeTaskOut, messages.ChangeTaskIn),
        name="change-tasks",
    ),
    path(
        f"{_ONE}/tasks/<int:task>/completion",
        _act("finish_task", acts.finish_task, ChangeTaskOut, messages.ChangeOutcomeIn),
        name="change-task-completion",
    ),
    path(
        f"{_ONE}/emergency",
        _act("let_emergency", acts.let_emergency, ChangeOut, SigningWithReasonIn),
        name="change-emergency",
    ),
    path(
        f"{_ONE}/assessment",
        _act("finish_assessment", acts.finish_assessment, ChangeOut, WithReasonIn),
        name="change-assessment",
    ),
    path(
        f"{_ONE}/approvals",
        _act("approve", acts.approve, ChangeOut, messages.ChangeApprovalIn),
        name="change-approvals",
    ),
    path(
        f"{_ONE}/rejection",
        _act("reject", acts.reject, ChangeOut, SigningWithReasonIn),
        name="change-rejection",
    ),
    path(
        f"{_ONE}/implementation",
        _act("implement", acts.implement, ChangeOut, messages.ChangeImplementationIn),
        name="change-implementation",
    ),
    path(
        f"{_ONE}/review", _act("review", acts.review, ChangeOut, WithTextIn), name="change-review"
    ),
    path(
        f"{_ONE}/closure",
        _act("close", acts.close, ChangeOut, SigningWithReasonIn),
        name="change-closure",
    ),
    path(
        f"{_ONE}/withdrawal",
        _act("withdraw", acts.withdraw, ChangeOut, WithReasonIn),
        name="change-withdrawal",
    ),
]
