"""The report is a page that cannot act, hides nothing, and is always the same."""

from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from compliance.trail import bundles
from compliance.trail.verifier import markup, report, verification, writing
from compliance.trail.verifier.contents import Contents, Kind, Subject
from compliance.trail.verifier.trust import Trust
from tests import damage
from tests.synthetic_log import REDACTABLE, SyntheticLog

VOID = {"meta", "br"}


def contents(*, title: str = "Batch 1", **values: str) -> Contents:
    log = SyntheticLog(seed=9, has_second_key=False)
    log.event("redactable", {"v": 1, "paths": [REDACTABLE]})
    log.insert("batches", "1", state="planned", **values)
    log.update("batches", "1", state="released")
    log.insert("people", "1", email="e@example.org")
    log.seal()
    log.checkpoint()
    about = Subject(kind=Kind.RECORD, title=title, records=(("batches", "1"), ("people", "1")))
    return bundles.gather(log, about, created_at=log.now)


class Balanced(HTMLParser):
    """Collects tags, and what is wrong with their nesting."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(page: bytes) -> Balanced:
    reader = Balanced()
    reader.feed(page.decode())
    assert reader.open == []
    return reader


@pytest.mark.parametrize("has_result", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_the_page_is_well_formed_and_takes_nothing_from_elsewhere(
    seed: int, has_result: bool
) -> None:
    made = damage.scene(seed)
    result = (
        verification.verify(writing.files(made.contents), trust=Trust()) if has_result else None
    )

    page = report.render(made.contents, result)

    tags = parsed(page).tags
    assert not {tag for tag, _ in tags} & {"script", "img", "link", "iframe", "object", "form"}
    assert not [one for _, one in tags if any(name.startswith("on") for name in one)]
    assert all((one["href"] or "").startswith("#") for _, one in tags if "href" in one)
    assert b"url(" not in page
    assert b"@import" not in page


@pytest.mark.parametrize(
    "value", ["<script>alert(1)</script>", "\"'><img src=x>", "&lt;", "</bdi></td>"]
)
def test_what_was_entered_is_text_and_nothing_else(value: str) -> None:
    page = report.render(contents(title=value, note=value))

    tags = {tag for tag, _ in parsed(page).tags}
    assert not tags & {"script", "img"}


@pytest.mark.parametrize(
    "unseen", ["\u202e", "\u200b", "\x00", "\x1b", "\ufeff", "\u2028", "\U000e0041"]
)
def test_characters_that_cannot_be_seen_are_spelled_out(unseen: str) -> None:
    shown = markup.text(f"12{unseen}.5")

    assert unseen not in shown
    assert f"\\u{{{ord(unseen):x}}}" in shown


def test_values_before_and_after_who_and_why_are_there() -> None:
    page = report.render(contents()).decode()

    for expected in ("planned", "released", "e@example.org", "operator", "batches", "Reason"):
        assert expected in page


def test_a_withheld_value_is_named_as_withheld() -> None:
    page = report.render(replace(contents(), openings=())).decode()

    assert "withheld" in page
    assert "e@example.org" not in page


def test_without_a_verification_it_claims_none() -> None:
    page = report.render(contents()).decode()

    assert "It proves nothing itself" in page
    assert "VALID" not in page


def test_the_rendering_of_version_1_never_changes() -> None:
    # Bundles that people hold have this page in them, and the verifier renders it again: a page of
    # another form needs a version of its own beside this one.
    page = report.render(contents())

    assert sha256(page).hexdigest() == GOLDEN


GOLDEN = "1b50f62de64b293d91bb5a40b9ac3175753005c872c96010eda96ff14e3f460e"
