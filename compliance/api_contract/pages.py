"""The catalogue of errors, where the `type` of every problem leads."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from compliance.api_contract import error_codes


@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    """Show every code."""
    return _page(request, error_codes.known(), "Errors of the API")


@require_safe
def one(request: HttpRequest, code: str) -> HttpResponse:
    """Show what one code means."""
    found = [known for known in error_codes.known() if known.code == code]
    if not found:
        raise Http404(f"there is no error {code}")
    return _page(request, found, code)


def _page(request: HttpRequest, codes: list[error_codes.Code], title: str) -> HttpResponse:
    rows = [(code.code, code.status, code.means) for code in codes]
    return render(request, "problems.html", {"rows": rows, "title": title})


urlpatterns = [
    path("", catalogue, name="problems"),
    path("<str:code>", one, name="problem"),
]
