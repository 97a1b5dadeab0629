"""What a page needs and the API does not is not made for the API."""

import pytest
from django.contrib.messages import get_messages
from django.contrib.messages.api import MessageFailure, add_message
from django.contrib.messages.constants import INFO
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from config.middleware import MessagesOfPages


def _passed(path: str) -> HttpRequest:
    request = RequestFactory().get(path)
    request.session = SessionStore()
    MessagesOfPages(lambda _: HttpResponse())(request)
    return request


def test_a_page_can_say_something() -> None:
    request = _passed("/admin/")
    add_message(request, INFO, "stored")

    assert [str(said) for said in get_messages(request)] == ["stored"]


def test_the_api_has_no_messages() -> None:
    with pytest.raises(MessageFailure):
        add_message(_passed("/api/v1/batches"), INFO, "stored")
