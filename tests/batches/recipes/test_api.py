"""Products and recipes over the API: from registration to effect, and what is refused there."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from batches.recipes import documents, master_recipes
from batches.recipes.models import MasterRecipe, RecipeState
from compliance.access.duties import Role
from compliance.access.models import User
from compliance.trail.models import Refusal
from tests import factories
from tests.api_client import ApiClient
from tests.factories import NOON, PASSWORD

pytestmark = pytest.mark.django_db
BASE = "/api/v1"
REASON = "the process engineer's second thought"


class Caller:
    """A person at the API."""

    def __init__(self, person: User) -> None:
        self.person, self.client = person, ApiClient()
        self.client.force_login(person)

    def send(self, method: str, path: str, body: Any = None) -> Any:
        send = getattr(self.client, method)
        data = {} if body is None else {"data": json.dumps(body)}
        return send(f"{BASE}/{path}", content_type="application/json", **data)

    def post(self, path: str, body: Any = None) -> Any:
        return self.send("post", path, body)


@pytest.fixture
def engineer() -> Caller:
    return Caller(factories.person(Role.PROCESS_ENGINEER))


@pytest.fixture
def draft(engineer: Caller) -> MasterRecipe:
    return factories.recipe_draft(author=engineer.person)


def _code(answer: Any) -> str:
    return str(answer.json()["type"].rsplit("/", 1)[1])


def _path(recipe: MasterRecipe) -> str:
    return f"recipes/{recipe.product.code}/{recipe.version}"


@pytest.mark.requirement("211-186")
def test_a_recipe_goes_from_a_product_to_effect_through_the_api_only(engineer: Caller) -> None:
    reviewer = Caller(factories.person(Role.PROCESS_ENGINEER))
    quality = Caller(factories.person(Role.QUALITY_ASSURANCE))
    product = {
        "code": "API-1", "name": "Made over the API", "strength": "50 mg", "dosage_form": "Vial",
        "shelf_life_months": 24, "markets": ["US", "DE"],
    }  # fmt: skip
    content = dict(master_recipes.content(factories.recipe_draft()))
    for name in ("product", "product_name", "version", "author"):
        del content[name]

    assert engineer.post("products", product).json()["markets"] == ["DE", "US"]
    drafted = engineer.post("recipes", {"product": "API-1", "content": content})
    assert drafted.status_code == 201, drafted.content
    assert engineer.client.get(f"{BASE}/recipes/API-1/1/completeness").json() == []
    password = {"password": PASSWORD}
    assert engineer.post("recipes/API-1/1/submission", password).json()["state"] == "in-review"
    assert reviewer.post("recipes/API-1/1/review", password).status_code == 201
    approved = quality.post("recipes/API-1/1/approval", password)

    assert approved.json()["state"] == "effective"
    read = engineer.client.get(f"{BASE}/recipes/API-1/1").json()
    assert [one["meaning"] for one in read["signatures"]] == ["authored", "reviewed", "approved"]
    assert all(one["is_current"] for one in read["signatures"])
    assert read["digest"] == master_recipes.digest(MasterRecipe.objects.get(product__code="API-1"))
    listed = engineer.client.get(f"{BASE}/recipes?product=API-1&state=effective").json()
    assert [one["version"] for one in listed["results"]] == [1]


def test_a_draft_is_read_edited_and_sent_back(engineer: Caller, draft: MasterRecipe) -> None:
    content = engineer.client.get(f"{BASE}/{_path(draft)}/content").json()
    content["storage"] = "-20 Cel"

    answer = engineer.send("put", f"{_path(draft)}/content", {"content": content, "reason": REASON})

    assert answer.status_code == 200, answer.content
    assert MasterRecipe.objects.get(pk=draft.pk).storage == "-20 Cel"


def test_lines_are_added_changed_and_taken_out(engineer: Caller, draft: MasterRecipe) -> None:
    tag = {
        "tag": "foam", "name": "Foam", "kind": "in-process", "unit": "cm", "criticality": "cpp",
        "high": "5.0", "phase": "Bioreactor/Growth",
    }  # fmt: skip
    path = f"{_path(draft)}/lines/parameters"

    added = engineer.send("put", path, {"line": tag, "reason": REASON})
    changed = engineer.send("put", path, {"line": {**tag, "high": "4"}, "reason": REASON})
    phase = {"unit_procedure": "Bioreactor", "name": "Clean", "instruction": "Clean", "order": 1}
    engineer.send("put", f"{_path(draft)}/lines/phases", {"line": phase, "reason": REASON})
    gone = engineer.post(path, {"key": "ph", "reason": REASON})

    assert (added.status_code, changed.status_code, gone.status_code) == (200, 200, 200)
    assert draft.parameters.get(tag="foam").high == Decimal(4)
    assert not draft.parameters.filter(tag="ph").exists()
    assert draft.phases.get(order=1).name == "Clean"
    unknown = engineer.post(path, {"key": "no-such-tag", "reason": REASON})
    assert (unknown.status_code, _code(unknown)) == (404, "recipe-line-unknown")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"storage": 5}, 422),
        ({"surprise": "x"}, 422),
        ({"version": 9}, 422),
        ({"phases": []}, 422),
        ({"batch_size": 100}, 422),
        ({"batch_size": "-1"}, 422),
        ({"parameters": [{"tag": "x"}]}, 422),
    ],
)
def test_a_content_that_cannot_be_is_refused_whole(
    engineer: Caller, draft: MasterRecipe, change: dict[str, Any], status: int
) -> None:
    before = master_recipes.digest(draft)
    content = {**master_recipes.content(draft), **change}

    answer = engineer.send("put", f"{_path(draft)}/content", {"content": content, "reason": REASON})

    assert answer.status_code in {status, 400}, answer.content
    assert master_recipes.digest(MasterRecipe.objects.get(pk=draft.pk)) == before


@pytest.mark.parametrize(
    ("part", "line", "said"),
    [
        ("parameters", {"low": "2", "high": "1"}, "above its high"),
        ("parameters", {"low": "1", "proven_low": "2"}, "proven acceptable"),
        ("parameters", {"low": "1", "high": "2", "target": "3"}, "target"),
        ("parameters", {"alert_low": "1", "action_low": "2"}, "action limits"),
        ("materials", {"quantity": "0"}, "more than nothing"),
        ("materials", {"tolerance_low_pct": "101"}, "percentages"),
        ("yields", {"low_pct": "110"}, "lower percentage"),
        ("sampling", {"count": 0}, "one sample"),
        ("labels", {"specimen_digest": "abc"}, "SHA-256"),
        ("materials", {"material": "NO-SUCH"}, "not registered"),
    ],
)
def test_a_line_that_contradicts_itself_is_refused_in_words(
    engineer: Caller, draft: MasterRecipe, part: str, line: dict[str, Any], said: str
) -> None:
    first = dict(master_recipes.content(draft)[part][0])  # type: ignore[index]
    first = {**first, **{name: None for name in ("low", "high") if name in first}, **line}

    answer = engineer.send("put", f"{_path(draft)}/lines/{part}", {"line": first, "reason": REASON})

    assert (answer.status_code, _code(answer)) == (422, "recipe-invalid"), answer.content
    assert said in answer.json()["detail"]


@pytest.mark.requirement("P11-f1", "211-22a")
def test_an_edit_after_approval_is_refused_and_recorded() -> None:
    recipe = factories.recipe()
    author = Caller(recipe.author)
    operator = Caller(factories.person(Role.OPERATOR))
    line = {"key": "ph", "reason": REASON}
    path = f"{_path(recipe)}/lines/parameters"

    late, foreign = author.post(path, line), operator.post(path, line)

    assert (late.status_code, _code(late)) == (409, "recipe-not-draft")
    assert (foreign.status_code, _code(foreign)) == (403, "not-permitted")
    recorded = Refusal.objects.using("outside").filter(
        actor_id__in=[
            author.person.trail_identity().id, operator.person.trail_identity().id,
        ]
    )  # fmt: skip
    assert {one.code for one in recorded} == {"recipe-not-draft", "not-permitted"}


def test_a_version_is_exported_and_imported_with_the_same_content(engineer: Caller) -> None:
    recipe = factories.recipe()

    document = json.loads(engineer.client.get(f"{BASE}/{_path(recipe)}/document").content)
    imported = engineer.post("recipes/imports", document)

    assert imported.status_code == 201, imported.content
    assert imported.json()["version"] == 2
    before, after = document["content"], imported.json()["content"]
    assert {name for name in before if before[name] != after[name]} == {"version", "author"}


@pytest.mark.parametrize("altered", ["storage", "phases", "digest", "format"])
def test_an_altered_document_is_refused(engineer: Caller, altered: str) -> None:
    document = json.loads(documents.export(factories.recipe()))
    if altered == "storage":
        document["content"]["storage"] = "warm"
    elif altered == "phases":
        document["content"]["phases"][0]["instruction"] = "Do something else."
    else:
        document[altered] = "0" * 30
    count = MasterRecipe.objects.count()

    answer = engineer.post("recipes/imports", document)

    assert answer.status_code == 422
    assert MasterRecipe.objects.count() == count


@pytest.mark.requirement("P11-k1")
def test_two_versions_are_compared_line_by_line(engineer: Caller) -> None:
    first = factories.recipe()
    second = master_recipes.copy(
        first, change_number="CHG-9", change_summary="tighter", actor=engineer.person, at=NOON
    )
    parameters = [
        replace(one, low=Decimal("36.5")) if one.tag == "temperature_c" else one
        for one in master_recipes.present(second).parameters
        if one.tag != "ph"
    ]
    master_recipes.revise(
        second, content=master_recipes.present(second, parameters=parameters),
        actor=engineer.person, at=NOON, reason=REASON,
    )  # fmt: skip

    shown = engineer.client.get(f"{BASE}/{_path(second)}/difference?with=1").json()

    assert shown["is_empty"] is False
    assert {one["name"] for one in shown["header"]} == {
        "author", "change_number", "change_summary", "version",
    }  # fmt: skip
    assert [(one["key"], one["change"]) for one in shown["lines"]] == [
        ("ph", "removed"), ("temperature_c", "changed"),
    ]  # fmt: skip
    assert shown["lines"][1]["changes"] == [{"name": "low", "before": "36.3", "after": "36.5"}]
    assert engineer.client.get(f"{BASE}/{_path(second)}/difference").status_code == 422


def test_a_copy_is_withdrawn_or_discarded_over_the_api() -> None:
    recipe = factories.recipe()
    author = Caller(recipe.author)
    quality = Caller(factories.person(Role.QUALITY_ASSURANCE))
    said = {"change_number": "CHG-9", "change_summary": "another batch size"}

    copied = author.post(f"{_path(recipe)}/copies", said)
    discarded = author.post(f"recipes/{recipe.product.code}/2/discard", {"reason": REASON})
    withdrawn = quality.post(
        f"{_path(recipe)}/withdrawal", {"password": PASSWORD, "reason": REASON}
    )
    wrong = quality.post(f"{_path(recipe)}/withdrawal", {"password": "no", "reason": REASON})

    assert (copied.status_code, copied.json()["based_on"]) == (201, 1)
    assert discarded.json()["state"] == withdrawn.json()["state"] == RecipeState.WITHDRAWN
    assert wrong.status_code in {401, 403}


def test_the_effective_recipe_is_read_by_a_device_and_by_nobody_unknown() -> None:
    recipe = factories.recipe()
    _, token = factories.device_and_token()

    known = ApiClient().get(f"{BASE}/{_path(recipe)}", headers={"authorization": f"Bearer {token}"})

    assert known.status_code == 200
    for path in (_path(recipe), "recipes", "products", f"{_path(recipe)}/document"):
        assert ApiClient().get(f"{BASE}/{path}").status_code in {401, 403}


def test_a_longer_list_of_versions_asks_the_database_no_more_often(engineer: Caller) -> None:
    factories.recipe()
    engineer.client.get(f"{BASE}/recipes")
    with CaptureQueriesContext(connection) as before:
        engineer.client.get(f"{BASE}/recipes?sort=-effective_at")
    for _ in range(2):
        factories.recipe()

    with CaptureQueriesContext(connection) as after:
        answer = engineer.client.get(f"{BASE}/recipes?sort=-effective_at")

    assert answer.json()["count"] == 3
    assert len(after) == len(before)
    assert engineer.client.get(f"{BASE}/recipes?sort=colour").status_code == 422


def test_what_is_registered_of_a_product_is_revised_with_a_reason(engineer: Caller) -> None:
    product = factories.product()
    said = {
        "name": "A", "strength": "5 mg", "dosage_form": "Vial", "shelf_life_months": 12,
        "markets": ["de"], "reason": REASON,
    }  # fmt: skip

    wrong = engineer.send("put", f"products/{product.code}", said)
    right = engineer.send("put", f"products/{product.code}", {**said, "markets": ["DE"]})
    again = engineer.post("products", {"code": product.code, "name": "B"})

    assert (wrong.status_code, _code(wrong)) == (422, "product-invalid")
    assert right.json()["strength"] == "5 mg"
    assert (again.status_code, _code(again)) == (409, "product-known")
