"""A recipe is drafted, written, reviewed and approved on the pages of the admin."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from batches.recipes import documents, master_recipes, versions
from batches.recipes.admin import forms
from batches.recipes.models import MasterRecipe, Product, RecipeState
from batches.recipes.parts import KINDS
from compliance.access import record_admin
from compliance.access.duties import Role
from compliance.access.models import User
from tests import factories
from tests.factories import NOON, PASSWORD

pytestmark = pytest.mark.django_db
REASON = "written on the page of the recipe"
LIST = "/admin/recipes/masterrecipe/"


def _client(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def _act(client: Client, record: MasterRecipe, name: str, values: dict[str, Any]) -> Any:
    return client.post(record_admin.url(record).replace("change/", f"acts/{name}/"), values)


def _page(client: Client, record: MasterRecipe) -> str:
    return client.get(record_admin.url(record)).content.decode()


LINES: dict[str, dict[str, Any]] = {
    "parameters": {
        "tag": "ph", "name": "pH", "kind": "reading", "unit": "[pH]", "criticality": "cpp",
        "low": "6.9", "high": "7.1", "proven_low": "6.8", "proven_high": "7.2",
    },
    "yields": {"quantity": "10", "unit": "kg", "low_pct": "90", "high_pct": "102"},
    "sampling": {"name": "IPC", "timing": "every hour", "count": 2, "tests": "pH\nassay"},
    "equipment": {"name": "Mixer", "kind": "mixer"},
    "labels": {"code": "LBL-1", "version": "1"},
}  # fmt: skip


@pytest.mark.requirement("211-186")
def test_a_recipe_goes_from_draft_to_effect_on_pages_only() -> None:
    author, reviewer = (_client(factories.person(Role.PROCESS_ENGINEER)) for _ in range(2))
    quality = _client(factories.person(Role.QUALITY_ASSURANCE))
    active = factories.material(unit="kg")
    vial = factories.material(unit="{piece}")
    author.post("/admin/recipes/product/acts/create/", {
        "code": "PAGE-1", "name": "Made on pages", "strength": "5 mg", "dosage_form": "Tablet",
        "shelf_life_months": 24, "markets": "DE US",
    })  # fmt: skip
    author.post(f"{LIST}acts/draft/", {
        "product": "PAGE-1", "title": "By hand", "phases": "Mixing / Mixing / Blend\n",
    })  # fmt: skip
    recipe = MasterRecipe.objects.get(product__code="PAGE-1")
    factories.specification(recipe.product, code="SPEC-9")
    phase = {"unit_procedure": "Mixing", "operation": "Mixing", "name": "Blend"}
    said = {"phase": "Mixing/Blend", "reason": REASON}

    answers = [
        _act(author, recipe, "write-phases", {**phase, "instruction": "Blend.", "reason": REASON}),
        *(_act(author, recipe, f"write-{part}", {**line, **said}) for part, line in LINES.items()),
        *(
            _act(author, recipe, "write-materials", {
                **said, "line": line, "material": material.code, "kind": kind, "quantity": "10",
                "unit": material.unit, "tolerance_low_pct": "1", "tolerance_high_pct": "1",
                "excess_pct": "0", "amount_per_dosage_unit": amount,
            })
            for line, material, kind, amount in (
                (1, active, "active", "5 mg"), (2, vial, "packaging", ""),
            )
        ),
        _act(author, recipe, "header", {
            "title": "By hand", "dosage_unit": "tablet of 100 mg", "batch_size": "10",
            "batch_size_unit": "kg", "specification": "SPEC-9", "specification_version": "1",
            "storage": "dry", "precautions": "none", "reason": REASON,
        }),
        _act(author, recipe, "submit", {"password": PASSWORD}),
        _act(reviewer, recipe, "review", {"password": PASSWORD, "comment": "gone through"}),
        _act(quality, recipe, "approve", {"password": PASSWORD}),
    ]  # fmt: skip

    assert [one.status_code for one in answers] == [302] * len(answers), [
        one.context["form"].errors for one in answers if one.status_code != 302
    ]
    recipe.refresh_from_db()
    assert recipe.state == RecipeState.EFFECTIVE
    assert master_recipes.content(recipe)["sampling"][0]["tests"] == ["pH", "assay"]  # type: ignore[index,call-overload]
    shown = _page(quality, recipe)
    assert "6.8 to 7.2" in shown
    assert "Withdraw" in shown
    product = _client(factories.person(Role.AUDITOR)).get(record_admin.url(recipe.product))
    assert "PAGE-1 v1" in product.content.decode()
    assert Product.objects.get(code="PAGE-1").markets == ["DE", "US"]


def test_a_form_of_a_line_begins_with_what_the_line_says() -> None:
    recipe = factories.recipe_draft()
    author = _client(recipe.author)

    for kind in KINDS.values():
        for line in master_recipes.content(recipe)[kind.name]:  # type: ignore[union-attr]
            recipe.asked_line = kind.key_of(line)  # type: ignore[attr-defined,arg-type]
            form = forms.LINE_FORMS[kind.name](initial=forms.line_of(recipe, kind))
            assert set(form.initial) == set(kind.fields)
            url = record_admin.url(recipe).replace("change/", f"acts/write-{kind.name}/")
            assert author.get(url, {"line": recipe.asked_line}).status_code == 200  # type: ignore[attr-defined]
    shown = _page(author, recipe)
    assert "acts/write-phases/?line=Bioreactor/Growth" in shown
    assert "Complete: it can be submitted." in shown
    assert "?line=" not in _page(_client(factories.person(Role.PROCESS_ENGINEER)), recipe)


def test_a_line_is_taken_out_on_its_page() -> None:
    recipe = factories.recipe_draft()
    author = _client(recipe.author)

    taken = _act(author, recipe, "take-out", {"line": "parameters:ph", "reason": REASON})
    used = _act(author, recipe, "take-out", {"line": "phases:Bioreactor/Harvest", "reason": REASON})

    assert taken.status_code == 302
    assert "Parameter ph" in _page(author, recipe)  # what was taken out stays to be seen
    assert not recipe.parameters.filter(tag="ph").exists()
    assert used.status_code == 422
    assert "names a phase" in used.content.decode()


def test_an_exported_document_is_imported_on_a_page_and_an_altered_one_is_not() -> None:
    recipe = factories.recipe()
    author = _client(factories.person(Role.PROCESS_ENGINEER))
    document = documents.export(recipe).decode()
    altered = document.replace("2 to 8 Cel", "warm")

    answers = [
        author.post(f"{LIST}acts/import/", {"document": text}).status_code
        for text in (document, altered, "no JSON", json.dumps({"format": "x"}))
    ]

    assert answers == [302, 422, 422, 422]
    assert recipe.product.recipes.count() == 2


def test_the_page_of_a_difference_shows_what_changed() -> None:
    first = factories.recipe()
    person = factories.person(Role.PROCESS_ENGINEER)
    second = master_recipes.copy(
        first, change_number="CHG-9", change_summary="tighter", actor=person, at=NOON
    )
    master_recipes.revise(
        second, content=master_recipes.present(second, storage="-20 Cel", labels=()),
        actor=person, at=NOON, reason=REASON,
    )  # fmt: skip
    auditor = _client(factories.person(Role.AUDITOR))
    url = record_admin.url(second).replace("change/", "difference/")

    shown = auditor.get(url, {"with": "1"})

    assert shown.status_code == 200
    for text in ("-20 Cel", "2 to 8 Cel", "LABEL-1", "removed", "CHG-9"):
        assert text in shown.content.decode()
    assert "The two versions say the same." in auditor.get(url, {"with": "2"}).content.decode()
    assert auditor.get(url, {"with": "9"}).status_code == 404
    for asked in ({}, {"with": "one"}, {"with": ["1", "2"]}, {"with": "1", "versus": "2"}):
        wrong = auditor.get(url, asked)
        assert wrong.status_code == 400, asked
        assert "with" in wrong.content.decode()
    assert Client().get(url, {"with": "1"}).status_code == 302


@pytest.mark.requirement("P11-f1")
def test_what_the_state_forbids_is_refused_on_the_page() -> None:
    recipe = factories.recipe()

    answer = _act(_client(recipe.author), recipe, "header", {
        **{name: one for name, one in forms.header_of(recipe).items() if one is not None},
        "reason": REASON,
    })  # fmt: skip

    assert answer.status_code == 409
    assert "is effective: to revise it is not possible now" in answer.content.decode()


def test_a_returned_version_is_with_its_author_again() -> None:
    recipe = factories.recipe_draft()
    versions.submit(recipe, confirmed=factories.confirmed(recipe.author))
    quality = _client(factories.person(Role.QUALITY_ASSURANCE))

    _act(quality, recipe, "send-back", {"reason": "the storage is not the registered one"})

    recipe.refresh_from_db()
    assert recipe.state == RecipeState.DRAFT


def test_a_version_approved_for_a_later_day_waits_for_it() -> None:
    recipe = factories.recipe_draft()
    versions.submit(recipe, confirmed=factories.confirmed(recipe.author))
    reviewer = factories.person(Role.PROCESS_ENGINEER)
    versions.review(recipe, confirmed=factories.confirmed(reviewer))
    day = timezone.now().date() + timedelta(days=3)
    quality = _client(factories.person(Role.QUALITY_ASSURANCE))

    _act(quality, recipe, "approve", {"password": PASSWORD, "effective_on": day.isoformat()})

    recipe.refresh_from_db()
    assert (recipe.state, recipe.effective_on) == (RecipeState.APPROVED, day)
    assert "Make effective" not in _page(quality, recipe)


def test_a_page_with_more_lines_asks_the_database_no_more_often() -> None:
    recipe = factories.recipe_draft()
    auditor = _client(factories.person(Role.AUDITOR))
    master_recipes.revise(
        recipe, content=master_recipes.present(recipe, storage="-20 Cel"), actor=recipe.author,
        at=NOON, reason=REASON,
    )  # fmt: skip
    _page(auditor, recipe)
    with CaptureQueriesContext(connection) as before:
        _page(auditor, recipe)
    written = master_recipes.present(recipe)
    master_recipes.revise(
        recipe, actor=recipe.author, at=NOON, reason=REASON,
        content=replace(
            written,
            parameters=[*written.parameters, *(
                replace(one, tag=f"{one.tag}-2", phase="Bioreactor/Growth")
                for one in written.parameters
            )],
            materials=[*written.materials, replace(written.materials[0], line=9)],
        ),
    )  # fmt: skip

    with CaptureQueriesContext(connection) as after:
        _page(auditor, recipe)

    assert len(after) == len(before)
