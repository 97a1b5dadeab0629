"""People in front of the admin in Chromium: they press what the pages offer, and fill in forms."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.journeys import plan

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
WIDTH = 1280


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        try:
            yield opened
        finally:
            opened.close()


class Desk:
    """One person's own browser window, signed in."""

    def __init__(self, opened: Any, url: str, username: str, pictures: Path) -> None:
        self.url, self.username, self.pictures = url, username, pictures
        self.page = opened.new_context(viewport={"width": WIDTH, "height": 900}).new_page()
        self.page.set_default_timeout(60_000)
        self.said: list[str] = []
        self.page.on(
            "console", lambda one: self.said.append(one.text) if one.type == "error" else None
        )

    def sign_in(self, password: str) -> None:
        self.page.goto(f"{self.url}/admin/login/")
        self._fill({"username": self.username, "password": password})
        self._send()

    def go(self, path: str) -> None:
        self.page.goto(f"{self.url}/admin/{path}")

    def look_up(self, kind: str, words: str) -> None:
        """Search a list for a record, and open the first that is found."""
        self.page.goto(f"{self.url}/admin/{kind}/?q={words}")
        self.open_first()

    def open_first(self) -> None:
        """Open the first record of the list on the page."""
        self.press(self.page.locator("#result_list tbody tr:first-child th a"))

    def newest(self, kind: str) -> None:
        self.go(f"{kind}/")
        self.open_first()

    def follow(self, text: str) -> None:
        self.press(self.page.locator("#content a", has_text=text).first)

    def press(self, control: Any) -> None:
        with self.page.expect_navigation():
            control.click()

    def act(self, name: str, values: Mapping[str, Any] | None = None) -> None:
        """Press a button that the page offers, fill its form in, and see that it is done."""
        self.press(self.page.locator(f"a[href*='/acts/{name}/']").first)
        self.answer(values or {})

    def answer(self, values: Mapping[str, Any]) -> None:
        """Fill in the form on the page and send it."""
        self._fill(values)
        self._send()
        wrong = self.page.locator(".errornote, .errorlist, .note-bad.form-error")
        assert "/acts/" not in self.page.url or self.page.locator(".secret").count(), (
            f"{self.username} at {self.page.url}: {wrong.all_inner_texts()} "
            f"{self.page.inner_text('#content')[:900]}"
        )

    def sign(self, name: str, values: Mapping[str, Any] | None = None) -> None:
        self.act(name, {**(values or {}), "password": plan.OWN})

    def text(self) -> str:
        return str(self.page.inner_text("#content"))

    def picture(self, name: str) -> None:
        self.page.screenshot(path=str(self.pictures / f"{name}.png"), full_page=True)

    def _fill(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            controls = self.page.locator(f"#content [name={name}]")
            kind = controls.first.evaluate("one => one.type")
            if kind == "checkbox" and isinstance(value, (list, tuple)):
                for control in controls.all():
                    control.set_checked(control.get_attribute("value") in value)
            elif kind == "checkbox":
                controls.first.set_checked(value)
            elif kind == "radio":
                self.page.check(f"#content [name={name}][value='{value}']")
            elif kind == "select-one":
                self._select(controls.first, value)
            elif kind == "file":
                controls.first.set_input_files(value)
            else:
                controls.first.fill(str(value))

    def _select(self, control: Any, value: Any) -> None:
        """Choose an option by what is stored, or else by words that it shows."""
        said = {True: "yes", False: "no"}.get(value, str(value))
        options = control.evaluate("one => [...one.options].map(o => [o.value, o.text])")
        wanted = next((key for key, _ in options if key == said), None)
        if wanted is None:
            wanted = next(key for key, shown in options if said in shown)
        control.select_option(wanted)

    def _send(self) -> None:
        self.press(self.page.locator("#content form [type=submit]").last)
