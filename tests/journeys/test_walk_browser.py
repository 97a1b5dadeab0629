"""The same batch on the pages of the admin only, in Chromium; both walks leave the same records."""

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys import admin_walk, pages, records, site
from tests.journeys.conftest import Installation, Walked

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1800)]
# Why rows of a kind are not the same, and what of them is compared all the same.
DIFFERENT_ROWS = {
    "quality_sampledentry": "which entries are drawn depends on the hour, and on chance",
}
DIFFERENT_WAYS = {
    "quality_sampledentry": DIFFERENT_ROWS["quality_sampledentry"],
    # Over the API a draft comes as a whole; on the pages it is written part by part.
    "recipes_equipmentrequirement": "written on its own",
    "recipes_expectedyield": "written on its own",
    "recipes_labelrequirement": "written on its own",
    "recipes_materialrequirement": "written on its own",
    "recipes_parameter": "written on its own",
    "recipes_recipephase": "drafted by its name, then written",
    "recipes_samplingpoint": "written on its own",
    "recipes_masterrecipe": "revised with every part that is written",
}


@pytest.fixture(scope="module")
def pictures() -> Iterator[Path]:
    """Where the pages are kept to be looked at: GMP_WALK_PICTURES, or a folder that goes."""
    kept = os.environ.get("GMP_WALK_PICTURES")
    folder = Path(kept or tempfile.mkdtemp(prefix="gmp-pictures-"))
    folder.mkdir(parents=True, exist_ok=True)
    yield folder
    if not kept:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def walked_on_pages(pictures: Path) -> Iterator[Walked]:
    if pages.chromium() is None:
        if os.environ.get("CI"):
            pytest.fail("chromium is needed here")
        pytest.skip("chromium is not on this machine")
    folder = Path(tempfile.mkdtemp(prefix="gmp-walk-"))
    made = Installation(folder)
    try:
        migrated = made.manage("migrate", "--verbosity", "0")
        assert migrated.returncode == 0, migrated.stderr
        password = site.first_administrator(made)
        with site.running(made) as url, pages.browser() as opened:
            left = admin_walk.walk(opened, url, password, pictures)
        yield Walked(made, left, made.manage("trail", "verify"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_a_batch_is_walked_on_the_pages_from_its_recipe_to_its_shipment(
    walked_on_pages: Walked, pictures: Path
) -> None:
    records.must_be_finished(walked_on_pages.left)
    records.must_be_of_different_people(walked_on_pages.left)
    assert walked_on_pages.verified.returncode == 0, walked_on_pages.verified.stdout
    assert " 0 unsealed" in walked_on_pages.verified.stdout
    assert {"batch.png", "review-by-exception.png"} <= {one.name for one in pictures.iterdir()}


def test_no_page_is_wider_than_the_window(walked_on_pages: Walked, pictures: Path) -> None:
    """A full picture of a page is as wide as the window, else something overflows it."""
    wide = [one.name for one in pictures.glob("*.png") if _width(one) != pages.WIDTH]
    assert wide == []


def test_both_walks_leave_the_same_rows(walked_on_pages: Walked, walked_over_api: Walked) -> None:
    by_api, by_pages = records.rows(walked_over_api.left), records.rows(walked_on_pages.left)
    assert _differing(by_api, by_pages) <= set(DIFFERENT_ROWS)


def test_both_walks_went_by_the_same_acts_of_the_same_people(
    walked_on_pages: Walked, walked_over_api: Walked
) -> None:
    by_api, by_pages = records.ways(walked_over_api.left), records.ways(walked_on_pages.left)
    assert _differing(by_api, by_pages) <= set(DIFFERENT_WAYS)


def _differing(one: dict[str, Counter[str]], other: dict[str, Counter[str]]) -> set[str]:
    return {kind for kind in set(one) | set(other) if one.get(kind) != other.get(kind)}


def _width(picture: Path) -> int:
    """Read the width of a PNG from its header."""
    return int.from_bytes(picture.read_bytes()[16:20], "big")
