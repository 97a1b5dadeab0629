"""A word without a break, such as an identifier, does not make a page scroll sideways."""

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from compliance.access import record_admin
from compliance.access.duties import Role
from compliance.quality import deviations
from compliance.quality.models import Deviation, Severity
from compliance.trail import timeline_pages
from tests import factories
from tests.factories import NOON
from tests.journeys import pages

pytestmark = [pytest.mark.django_db, pytest.mark.browser]
WORD = "W" * 200
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def _styled(page: str) -> str:
    """Put the style sheets of a page into it: no server is asked for them."""

    def sheet(found: re.Match[str]) -> str:
        return f"<style>{Path(str(finders.find(found[1]))).read_text()}</style>"

    return re.sub(r'<link rel="stylesheet" href="/static/([^"]+)">', sheet, page)


def test_no_page_of_a_record_with_such_words_is_wider_than_its_window(client: Client) -> None:
    if pages.chromium() is None:
        pytest.skip("chromium is not on this machine")
    deviation = deviations.open_(
        title=WORD, description=WORD, severity=Severity.MAJOR, occurred_at=NOON,
        actor=factories.person(Role.OPERATOR), at=NOON,
    )  # fmt: skip
    client.force_login(factories.person(Role.QUALITY_ASSURANCE))
    asked = [
        record_admin.url(deviation),
        record_admin.list_url(Deviation),
        timeline_pages.record_url("quality_deviation", str(deviation.pk)),
        f"{record_admin.list_url(Deviation)}?nonsense={WORD}",
    ]
    made = {address: _styled(client.get(address).content.decode()) for address in asked}
    assert [address for address, page in made.items() if WORD[:80] not in page] == []

    wider = {}
    with pages.browser() as opened:
        for width in (1280, 800):
            window = opened.new_page(viewport={"width": width, "height": 900})
            for address, page in made.items():
                window.set_content(page)
                wider[address, width] = window.evaluate(WIDER)

    assert {asked: px for asked, px in wider.items() if px > 0} == {}
