"""Confirm a signature by a new authentication at the identity provider (21 CFR 11.200(a))."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from compliance.access.models import User
from compliance.signatures import reauthentication
from compliance.signin import providers


@providers.confirms
def confirm(request: HttpRequest, person: User, provider: str, subject: str) -> HttpResponse:
    """Show the code that takes the password's place in the form that signs, once."""
    code = reauthentication.by_identity_provider(
        person,
        issuer=provider,
        subject=subject,
        address=str(request.META.get("REMOTE_ADDR", "")),
        at=timezone.now(),
    )
    context = {**admin.site.each_context(request), "title": "Confirmed", "code": code}
    answer = TemplateResponse(request, "signin/code.html", context)
    answer["Cache-Control"] = "no-store"
    return answer.render()
