"""Products and master recipes in the admin, with the approval of a recipe."""

from decimal import Decimal

from django.contrib import admin
from django.http import HttpRequest

from batches.recipes import master_recipes, versions
from batches.recipes.models import Criticality, MasterRecipe, Parameter, Product, RecipeState
from compliance.access import acts, page_parts, record_admin
from compliance.access.acts import Act, Done, Occasion
from compliance.access.duties import Duty
from compliance.access.page_parts import Cell, Facts, Page, Section, Table
from compliance.access.record_admin import RecordAdmin
from compliance.signatures import manifestations
from compliance.signatures.forms import SignForm, confirmed
from compliance.trail.tlog import canonical


def _approve(occasion: Occasion) -> Done:
    recipe = versions.approve(occasion.record, confirmed=confirmed(occasion))
    return Done(f"{recipe} is effective; batches are issued against it from now on.")


def _is_in_review(recipe: MasterRecipe) -> bool:
    return recipe.state == RecipeState.IN_REVIEW


acts.offer(
    MasterRecipe,
    Act(
        "approve", "Approve", Duty.APPROVE_RECIPE, _approve, form=SignForm, is_offered=_is_in_review,
        is_grave=True,
        explanation="Your signature makes this version effective and supersedes the one before. "
        "The author cannot approve.",
    ),
)  # fmt: skip


@admin.register(Product)
class ProductAdmin(RecordAdmin):
    list_display = ("code", "name")
    search_fields = ("code", "name")
    ordering = ("code",)
    empty_text = "No product yet. A process engineer makes one over the API, with its recipe."

    def page(self, record: Product, request: HttpRequest) -> Page:
        recipes = record.recipes.select_related("product", "author").order_by("-version")
        rows: list[list[Cell]] = [
            [
                record_admin.link(one),
                one.title,
                page_parts.state(one.state, one.get_state_display()),
                str(one.author),
                page_parts.moment(one.effective_at),
            ]
            for one in recipes
        ]
        table = Table(["Recipe", "Title", "State", "Author", "Effective since"], rows)
        return Page(record.code, record.name, [], [Section("Master recipes", [table])])


@admin.register(MasterRecipe)
class MasterRecipeAdmin(RecordAdmin):
    list_display = ("__str__", "title", "state", "author", "checker", "effective_at", "twin")
    search_fields = ("product__code", "product__name", "title")
    list_filter = ("state", "product")
    list_select_related = ("product", "author", "checker")
    badges = ("state",)
    ordering = ("product__code", "-version")
    empty_text = (
        "No recipe yet. A process engineer drafts one over the API; quality approves it here."
    )

    def page(self, record: MasterRecipe, request: HttpRequest) -> Page:
        facts = Facts(
            [
                ("Product", record_admin.link(record.product)),
                ("Version", str(record.version)),
                ("Author", str(record.author)),
                ("Checked by", page_parts.shown(record.checker)),
                ("Effective since", page_parts.moment(record.effective_at)),
                ("Twin", record.twin),
                ("Digest of the content", page_parts.code(master_recipes.digest(record))),
            ]
        )
        sections = [
            Section("Recipe", [facts], is_wide=False),
            Section("Signatures", manifestations.section(record).parts, is_wide=False),
            Section("Parameters and limits", [parameters(record)]),
            Section("Phases", [_phases(record)]),
        ]
        if record.twin_settings:
            rows: list[list[Cell]] = [
                [name, page_parts.code(canonical.dumps(value).decode())]
                for name, value in record.twin_settings.items()
            ]
            told = page_parts.Folded("Settings", [Table(["Setting", "Value"], rows)])
            sections.append(Section("What its twin is told", [told]))
        badge = page_parts.state(record.state, record.get_state_display())
        return Page(str(record), record.title, [badge], sections)


def parameters(recipe: MasterRecipe) -> Table:
    """Return the parameters of a recipe with their limits."""
    rows: list[list[Cell]] = [
        [
            one.name,
            one.tag,
            one.get_kind_display(),
            page_parts.badge(one.criticality.upper(), "warn") if _is_critical(one) else "",
            one.limits_text,
            "" if one.target is None else f"{one.target.normalize():f}",
            "yes" if one.is_required else "",
        ]
        for one in recipe.parameters.order_by("tag")
    ]
    return Table(
        ["Parameter", "Tag", "Kind", "Critical", "Limits", "Target", "Needed for release"],
        rows,
        numeric=["Target"],
    )


def marked(parameter: Parameter | None, value: Decimal, text: str) -> Cell:
    """Write a value as its source wrote it, marked where it is outside the limits."""
    if parameter is None:
        return text
    below = parameter.low is not None and value < parameter.low
    above = parameter.high is not None and value > parameter.high
    return page_parts.alarm(text) if below or above else text


def _is_critical(parameter: Parameter) -> bool:
    return parameter.criticality != Criticality.OTHER


def _phases(recipe: MasterRecipe) -> Table:
    rows: list[list[Cell]] = [
        [str(one.order), one.unit_procedure, one.name] for one in recipe.phases.order_by("order")
    ]
    return Table(["No.", "Unit procedure", "Phase"], rows, numeric=["No."])
