"""Products in the admin: register and revise, with their recipes and batches."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from batches.recipes import products
from batches.recipes.models import MasterRecipe, Product, RecipeState
from batches.recipes.products import Registered
from compliance.access import acts, page_parts, record_admin
from compliance.access.acts import Act, Done, Occasion, ReasonForm
from compliance.access.duties import Duty
from compliance.access.page_parts import Cell, Facts, Note, Page, Part, Section, Table
from compliance.access.record_admin import RecordAdmin

SHOWN_BATCHES = 50


class RegisteredForm(forms.Form):
    name = forms.CharField(max_length=200)
    strength = forms.CharField(max_length=100, required=False, help_text="E.g. 50 mg per vial.")
    dosage_form = forms.CharField(max_length=100, required=False)
    shelf_life_months = forms.IntegerField(
        label="Shelf life in months", min_value=1, max_value=1200, required=False
    )
    markets = forms.CharField(
        required=False, help_text="ISO 3166-1 codes with spaces between them, e.g. DE US."
    )


class CreateForm(RegisteredForm):
    code = forms.CharField(max_length=40)
    field_order = ("code", "name")


class ReviseForm(RegisteredForm, ReasonForm):
    field_order = ("name", "strength", "dosage_form", "shelf_life_months", "markets", "reason")


def _registered(occasion: Occasion) -> Registered:
    given = occasion.values
    return Registered(
        strength=given["strength"],
        dosage_form=given["dosage_form"],
        shelf_life_months=given["shelf_life_months"],
        markets=given["markets"].replace(",", " ").split(),
    )


def _create(occasion: Occasion) -> Done:
    product = products.create(
        code=occasion.values["code"], name=occasion.values["name"],
        registered=_registered(occasion), actor=occasion.actor, at=occasion.at,
    )  # fmt: skip
    return Done(f"{product} is registered. Draft its master recipe next.", product)


def _revise(occasion: Occasion) -> Done:
    product = products.revise(
        occasion.record, name=occasion.values["name"], registered=_registered(occasion),
        actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"],
    )  # fmt: skip
    return Done(f"What is registered of {product} is recorded.")


def _present(product: Product) -> dict[str, Any]:
    fields = ("name", "strength", "dosage_form", "shelf_life_months")
    return {
        **{field: getattr(product, field) for field in fields},
        "markets": " ".join(product.markets),
    }


acts.offer(
    Product,
    Act(
        "create", "Register a product", Duty.AUTHOR_RECIPE, _create, form=CreateForm,
        is_for_list=True,
    ),
    Act(
        "revise", "Revise", Duty.AUTHOR_RECIPE, _revise, form=ReviseForm, initial=_present,
        is_replacing=True,
        explanation="Versions of recipes that left their draft keep what they say.",
    ),
)  # fmt: skip


@admin.register(Product)
class ProductAdmin(RecordAdmin):
    list_display = ("code", "name", "strength", "dosage_form", "shelf_life_months")
    search_fields = ("code", "name", "strength", "dosage_form")
    list_filter = ("dosage_form",)
    ordering = ("code",)
    empty_text = "No product yet. A process engineer registers one here."

    def page(self, record: Product, request: HttpRequest) -> Page:
        recipes = list(
            record.recipes.select_related("product", "author", "checker").order_by("-version")
        )
        effective = next((one for one in recipes if one.state == RecipeState.EFFECTIVE), None)
        months = record.shelf_life_months
        facts = Facts(
            [
                ("Strength", record.strength),
                ("Dosage form", record.dosage_form),
                ("Shelf life", f"{months} months" if months else ""),
                ("Markets", ", ".join(record.markets)),
                ("Effective recipe", record_admin.link(effective) or "none: no batch is issued"),
            ]
        )
        sections = [
            Section("Registered", [facts], is_wide=False),
            Section("Master recipes", [_recipes(recipes)]),
            Section("Batches", [_batches(record)]),
        ]
        return Page(record.code, record.name, [], sections)


def _recipes(recipes: list[MasterRecipe]) -> Part:
    rows: list[list[Cell]] = [
        [
            record_admin.link(one),
            one.title,
            page_parts.state(one.state, one.get_state_display()),
            str(one.author),
            page_parts.shown(one.checker),
            page_parts.moment(one.effective_at) or page_parts.day(one.effective_on),
            one.change_number,
        ]
        for one in recipes
    ]
    columns = ["Recipe", "Title", "State", "Author", "Checked by", "Effective", "Change"]
    return Table(columns, rows, empty="No recipe yet. A process engineer drafts one.")


def _batches(product: Product) -> Part:
    """List what was made by any version; batches know their recipe, and not the other way round."""
    batch: Any = MasterRecipe._meta.get_field("batches").related_model
    made = batch._default_manager.filter(recipe__product=product)
    rows: list[list[Cell]] = [
        [
            record_admin.link(one),
            record_admin.link(one.recipe),
            page_parts.state(one.state, one.get_state_display()),
            page_parts.moment(one.issued_at),
        ]
        for one in made.select_related("recipe__product").order_by("-issued_at")[:SHOWN_BATCHES]
    ]
    if not rows:
        return Note("No batch yet.")
    return Table(["Batch", "Recipe", "State", "Issued"], rows)
