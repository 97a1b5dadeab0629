"""Let people choose their own password, at the first sign-in and whenever they want."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters

from compliance.access import credentials, middleware, people
from compliance.access.actions import Action
from compliance.access.forms import OwnPasswordForm
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail import refusals


@sensitive_post_parameters()
def view(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Show the form, and change the password when it is sent."""
    person = request.user
    if not isinstance(person, User):
        raise PermissionDenied
    form = OwnPasswordForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                _change(request, person, form.cleaned_data)
            except Refused as refused:
                refusals.record(
                    refused,
                    action=Action.PASSWORD_CHANGED,
                    actor=person,
                    at=timezone.now(),
                    subject=str(person),
                )
                form.add_error(None, str(refused))
                status = refused.status
            else:
                messages.success(request, "Your password is changed.")
                return HttpResponseRedirect(reverse("admin:index"))
    shown = {
        **context,
        "title": "Choose your own password",
        "form": form,
        "is_first": person.must_change_password,
    }
    return TemplateResponse(request, "registration/password_change_form.html", shown, status=status)


def _change(request: HttpRequest, person: User, given: dict[str, Any]) -> None:
    at = timezone.now()
    credentials.check(
        username=person.username,
        password=given["present"],
        purpose="session",
        address=str(request.META.get("REMOTE_ADDR", "")),
        at=at,
    )
    changed = people.change_password(
        person,
        new=given["new"],
        actor=person,
        at=at,
        reason="own password chosen",
        session=request.session.get(middleware.RECORD),
    )
    update_session_auth_hash(request, changed)
