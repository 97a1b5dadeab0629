"""A person in a real Chromium: from sign-in to the closed deviation, under the strict policy."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.journeys import site
from tests.journeys.conftest import Installation

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1800)]
CAST = (
    "from pathlib import Path; from django.conf import settings; from django.utils import timezone; "
    "from config.demo import cast; "
    "print(cast.assemble(Path(settings.VAR_DIR) / 'demo', at=timezone.now()).password)"
)
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
PAGES = [
    "/admin/", "/admin/execution/batch/", "/admin/quality/deviation/", "/admin/trail/entry/",
    "/admin/inspection/inspection/", "/admin/reports/report/", "/admin/predictions/alert/",
    "/admin/trail/entry/people/demo.engineer/",
    "/admin/django_celery_beat/periodictask/", "/admin/access/user/", "/admin/recipes/masterrecipe/",
]  # fmt: skip


@pytest.fixture
def page() -> Iterator[Any]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        if os.environ.get("CI"):
            pytest.fail("chromium is needed here")
        pytest.skip("chromium is not on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        try:
            yield browser.new_page(viewport={"width": 1280, "height": 900})
        finally:
            browser.close()


def _sign_in(page: Any, url: str, username: str, password: str) -> None:
    page.goto(f"{url}/admin/login/")
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", password)
    page.click("[type=submit]")
    page.wait_for_url("**/admin/")


def _act(page: Any, name: str, values: dict[str, str]) -> None:
    page.click(f"a[href*='/acts/{name}/']")
    for field, value in values.items():
        control = page.locator(f"main [name={field}], #content [name={field}]").first
        if control.evaluate("one => one.tagName") == "SELECT":
            control.select_option(value)
        else:
            control.fill(value)
    page.locator("#content form [type=submit]").first.click()
    page.wait_for_load_state()


def test_a_deviation_is_opened_investigated_signed_and_closed_by_two_people(
    installation: Installation, page: Any
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    assert installation.manage("migrate", "--verbosity", "0").returncode == 0
    password = installation.ask(CAST).splitlines()[-1]
    with site.running(installation) as url:
        said: list[str] = []
        page.on(
            "console",
            lambda one: (
                said.append(f"{page.url}: {one.text}") if one.type in {"error", "warning"} else None
            ),
        )

        _sign_in(page, url, "demo.engineer", password)
        page.goto(f"{url}/admin/quality/deviation/")
        _act(page, "open", {
            "title": "Glucose below its limit", "severity": "major",
            "description": "Seen in the trend on day six of the batch.",
            "occurred_at": "2026-03-01T08:00",
        })  # fmt: skip
        deviation = page.url
        _act(page, "investigate", {
            "root_cause_category": "equipment", "root_cause": "The feed pump was worn.",
            "impact": "One batch.", "conclusion": "Rejected.", "reason": "first investigation",
        })  # fmt: skip
        page.context.clear_cookies()
        _sign_in(page, url, "demo.qa", password)
        page.goto(deviation)
        _act(page, "classify", {
            "harms_patient": "no", "is_integrity_in_doubt": "no", "touches_cqa": "no",
            "touches_cpp": "yes", "is_released": "no", "breaks_procedure": "no",
            "rationale": "the glucose left its range",
        })  # fmt: skip
        page.context.clear_cookies()
        _sign_in(page, url, "demo.engineer", password)
        page.goto(deviation)
        _act(page, "sign-investigation", {"password": "not the password"})
        assert "do not belong together" in page.content()
        page.goto(deviation)
        _act(page, "sign-investigation", {"password": password})
        page.context.clear_cookies()
        _sign_in(page, url, "demo.qa", password)
        page.goto(deviation)
        _act(page, "close", {"password": password, "reason": "investigated to its conclusion"})
        page.goto(deviation)
        text = page.inner_text("#content")

        for shown in ("Closed", "Demo Process engineer", "Demo Quality assurance", "UTC"):
            assert shown in text
        serious = []
        for address in [deviation.removeprefix(url), *PAGES]:
            page.goto(f"{url}{address}")
            violations = Axe().run(page).response["violations"]
            serious += [
                (address, one["id"])
                for one in violations
                if one["impact"] in ("serious", "critical")
            ]
        assert serious == []
        # The wrong password is a refusal (403); nothing else is to be said, no policy is broken.
        assert [one for one in said if "403 (Forbidden)" not in one] == []
