"""Say what is wrong with the query of a page, where Django would show all of it without a word."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.views.main import ERROR_FLAG, ORDER_VAR, PAGE_VAR
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

_LONGEST = 80  # of a value, when it is said back


def told(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Wrap a view of the admin: what its list or page does not have is answered 400."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        is_asked = request.method == "GET" and bool(request.GET)
        try:
            shown = view(request, *args, **kwargs)
        except BadRequest as wrong:
            return _wrong(request, str(wrong))
        except (DisallowedModelAdminLookup, OverflowError):  # no such column; a year of 23 digits
            if not is_asked:
                raise
            return _wrong(request)
        if not is_asked:
            return shown
        # Django sends whoever asks wrongly to the whole list.
        if shown.headers.get("Location") == f"{request.path}?{ERROR_FLAG}=1":
            return _wrong(request)
        listed = (getattr(shown, "context_data", None) or {}).get("cl")
        if listed is not None and not (_has_page(listed, request) and _has_order(listed, request)):
            return _wrong(request)
        return shown

    return answer


def _has_page(listed: Any, request: HttpRequest) -> bool:
    """Say whether the page is there: to Django “abc” is the first, as is any page of a short list."""
    asked = request.GET.get(PAGE_VAR)
    return asked is None or (
        asked == str(listed.page_num) and 1 <= listed.page_num <= listed.paginator.num_pages
    )


def _has_order(listed: Any, request: HttpRequest) -> bool:
    """Say whether the list has the columns that it is to be ordered by, as numbers: “3.-1”."""
    asked = request.GET.get(ORDER_VAR, "").removeprefix("-").replace(".-", ".").split(".")
    return asked == [""] or all(
        one.isascii() and one.isdecimal() and int(one[:9]) < len(listed.list_display)
        for one in asked
    )


def _wrong(request: HttpRequest, reason: str = "") -> HttpResponse:
    asked = ", ".join(f"{name}={value[:_LONGEST]}" for name, value in request.GET.items())
    of_list = f"The list has no such filter, order or page, or has no such value: {asked}"
    context = {"reason": reason or of_list, "back_url": "" if reason else request.path}
    return render(request, "400.html", context, status=400)
