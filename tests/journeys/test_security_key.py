"""A person with a security key in a real Chromium: enrolled, signed in with, and signed a record."""

from typing import Any

import pytest

from tests.journeys import site, test_browser
from tests.journeys.conftest import Installation
from tests.journeys.test_browser import CAST, _act, _sign_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1800)]
page = test_browser.page
KEY = {
    "protocol": "ctap2", "transport": "usb", "hasResidentKey": False, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


@pytest.mark.requirement("P11-300e", "A11D-11", "P11-200a")
def test_a_key_is_enrolled_signs_in_and_signs_a_record(
    installation: Installation, page: Any
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    assert installation.manage("migrate", "--verbosity", "0").returncode == 0
    password = installation.ask(CAST).splitlines()[-1]
    with site.running(installation) as address:
        # Browsers bind keys to names, not to numbers.
        url = address.replace("127.0.0.1", "localhost")
        said: list[str] = []
        page.on("console", lambda one: said.append(one.text) if one.type == "error" else None)
        browser = page.context.new_cdp_session(page)
        browser.send("WebAuthn.enable")
        browser.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})

        _sign_in(page, url, "demo.engineer", password)
        page.goto(f"{url}/admin/second-factor/key")
        page.fill("#content [name=name]", "Blue key")
        page.fill("#content [name=password]", password)
        assert Axe().run(page).response["violations"] == []
        page.click("[data-security-key=create]")
        page.wait_for_url("**/admin/second-factor/")
        assert "Security key “Blue key”" in page.content()

        page.context.clear_cookies()
        page.goto(f"{url}/admin/login/")
        page.fill("input[name=username]", "demo.engineer")
        page.fill("input[name=password]", password)
        page.click("[type=submit]")
        page.wait_for_url("**/admin/second-factor/give**")
        page.goto(f"{url}/admin/quality/deviation/")
        assert "/second-factor/give" in page.url
        assert Axe().run(page).response["violations"] == []
        page.click("[data-security-key=get]")
        page.wait_for_url("**/admin/")

        page.goto(f"{url}/admin/quality/deviation/")
        _act(page, "open", {
            "title": "Glucose below its limit", "severity": "major",
            "description": "Seen in the trend on day six of the batch.",
            "occurred_at": "2026-03-01T08:00",
        })  # fmt: skip
        _act(page, "investigate", {
            "root_cause_category": "equipment", "root_cause": "The feed pump was worn.",
            "impact": "One batch.", "conclusion": "Rejected.", "reason": "first investigation",
        })  # fmt: skip
        page.click("a[href*='/acts/sign-investigation/']")
        page.locator("[data-security-key-meaning]").select_option("investigated")
        assert Axe().run(page).response["violations"] == []
        page.click("[data-security-key=sign]")
        page.get_by_text("The key has answered").wait_for()
        page.locator("#content form [type=submit]").first.click()
        page.wait_for_load_state()
        assert "Confirmed by: Security key, over the digest of the record" in page.content()
        assert "Valid for the present version" in page.content()
        assert said == []
