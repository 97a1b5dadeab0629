"""Master recipes in the admin: the version's page, and its difference to another version."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from batches.recipes import approvable, completeness, differences, master_recipes
from batches.recipes.admin import difference_page, line_history, sections
from batches.recipes.models import MasterRecipe, RecipeState
from batches.recipes.models.process import plain
from compliance.access import page_parts, record_admin
from compliance.access.models import User
from compliance.access.page_parts import Cell, Facts, Folded, Note, Page, Section, Table
from compliance.access.record_admin import RecordAdmin
from compliance.quality.models import Change
from compliance.signatures import manifestations
from compliance.trail import capture, timeline_pages
from compliance.trail.query_form import QueryForm
from compliance.trail.tlog import canonical

SHOWN_BATCHES = 50


class DifferenceForm(QueryForm):
    """Which version a difference is shown to, as the address of the page has it."""

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        self.fields["with"] = forms.IntegerField(
            min_value=1, max_value=2**31 - 1,
            error_messages={"required": "name the version to compare with, as in ?with=1."},
        )  # fmt: skip


@admin.register(MasterRecipe)
class MasterRecipeAdmin(RecordAdmin):
    list_display = (
        "__str__", "title", "state", "author", "reviewer", "checker", "effective_on",
        "effective_at", "change_number",
    )  # fmt: skip
    search_fields = ("product__code", "product__name", "title", "change_number")
    list_filter = ("state", "product", "author")
    list_select_related = ("product", "author", "reviewer", "checker")
    date_hierarchy = "effective_at"
    badges = ("state",)
    ordering = ("product__code", "-version")
    empty_text = (
        "No recipe yet. A process engineer drafts one here, a second one reviews it, and quality "
        "approves it."
    )

    def page(self, record: MasterRecipe, request: HttpRequest) -> Page:
        made = [
            Section("Recipe", [_facts(record)], is_wide=False),
            Section("Version", [_people(record)], is_wide=False),
            Section("Signatures", manifestations.section(record).parts, is_wide=False),
        ]
        if record.state == RecipeState.DRAFT:
            made.append(_lacks(record))
        if record.state in (RecipeState.DRAFT, RecipeState.IN_REVIEW):
            made.append(_approvable(record))
        made += sections.of(record, may_write=_may_write(record, request))
        if record.twin_settings:
            made.append(_twin(record))
        made += [line_history.section(record), _others(record), _batches(record)]
        badge = page_parts.state(record.state, record.get_state_display())
        return Page(str(record), record.title, [badge], made)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.difference_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_difference"
        return [path("<path:object_id>/difference/", view, name=name), *super().get_urls()]

    def difference_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show in what this version differs from another one of the product (`?with=`)."""
        record = self._record(request, object_id)
        other = _version(record, DifferenceForm.demand(request).cleaned_data["with"])
        difference = differences.between(master_recipes.whole(other), master_recipes.whole(record))
        page = difference_page.of(record, other, difference)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": page.title,
            "page": page,
            "sections": page.sections,
            "acts": [],
            "timeline_url": timeline_pages.record_url(
                capture.record_of(self.model), str(record.pk)
            ),
        }
        return TemplateResponse(request, "admin/record.html", context)

    def _record(self, request: HttpRequest, object_id: str) -> Any:
        record = super()._record(request, object_id)
        record.asked_line = request.GET.get("line", "")  # which line a form begins with
        return record


def _version(record: MasterRecipe, number: int) -> MasterRecipe:
    found = record.product.recipes.select_related("product", "author")
    other = found.filter(version=number).first()
    if other is None:
        raise Http404(f"{record.product} has no version {number}")
    return other


def _may_write(recipe: MasterRecipe, request: HttpRequest) -> bool:
    person = request.user
    return (
        recipe.state == RecipeState.DRAFT
        and isinstance(person, User)
        and person.pk == recipe.author_id
    )


def _facts(recipe: MasterRecipe) -> Facts:
    months = recipe.shelf_life_months
    specification = f"{recipe.specification} {recipe.specification_version}".strip()
    return Facts(
        [
            ("Product", record_admin.link(recipe.product)),
            ("Name", recipe.product_name),
            ("Strength", recipe.strength),
            ("Dosage form", recipe.dosage_form),
            ("Dosage unit", recipe.dosage_unit),
            ("Batch size", f"{plain(recipe.batch_size)} {recipe.batch_size_unit}".strip()),
            ("Specification", specification),
            ("Storage", recipe.storage),
            ("Shelf life", f"{months} months" if months else ""),
            ("Precautions", recipe.precautions),
            ("Twin", recipe.twin),
            ("Digest of the content", page_parts.code(master_recipes.digest(recipe))),
        ]
    )


def _people(recipe: MasterRecipe) -> Facts:
    def by(person: User | None, at: Any) -> str:
        return f"{person}, {page_parts.moment(at)}".rstrip(", ") if person else ""

    return Facts(
        [
            ("Version", str(recipe.version)),
            ("Copied from", record_admin.link(recipe.based_on)),
            ("Change", _change(recipe)),
            ("What is changed, and why", recipe.change_summary),
            ("Author", by(recipe.author, recipe.submitted_at or recipe.drafted_at)),
            ("Reviewed by", by(recipe.reviewer, recipe.reviewed_at)),
            ("Checked by", by(recipe.checker, recipe.approved_at)),
            ("Takes effect on", page_parts.day(recipe.effective_on)),
            ("Effective since", page_parts.moment(recipe.effective_at)),
            ("Ended", page_parts.moment(recipe.ended_at)),
        ]
    )


def _change(recipe: MasterRecipe) -> Cell:
    change = Change.objects.filter(number=recipe.change_number).first()
    return record_admin.link(change) if change else recipe.change_number


def _lacks(recipe: MasterRecipe) -> Section:
    lacking = completeness.lacking(master_recipes.whole(recipe))
    if not lacking:
        return Section("Completeness", [Note("Complete: it can be submitted.", "good")])
    rows: list[list[Cell]] = [[one.text, one.clause] for one in lacking]
    return Section("Completeness", [Table(["Still lacking", "Asked for by"], rows)])


def _approvable(recipe: MasterRecipe) -> Section:
    lacking = approvable.of_open(recipe)
    if not lacking:
        return Section(
            "What it names", [Note("Its change and specifications are in force.", "good")]
        )
    rows: list[list[Cell]] = [[one.text, one.clause] for one in lacking]
    return Section("What it names", [Table(["Needed for its approval", "Asked for by"], rows)])


def _twin(recipe: MasterRecipe) -> Section:
    rows: list[list[Cell]] = [
        [name, page_parts.code(canonical.dumps(value).decode())]
        for name, value in recipe.twin_settings.items()
    ]
    told = Folded("Settings", [Table(["Setting", "Value"], rows)])
    return Section("What its twin is told", [told])


def _others(recipe: MasterRecipe) -> Section:
    others = recipe.product.recipes.exclude(pk=recipe.pk).select_related("product")
    rows: list[list[Cell]] = [
        [
            record_admin.link(one),
            page_parts.state(one.state, one.get_state_display()),
            one.change_number,
            page_parts.link("Difference", difference_page.url(recipe, one)),
        ]
        for one in others.order_by("-version")
    ]
    table = Table(
        ["Version", "State", "Change", "Compared with this one"], rows, empty="No other version."
    )
    return Section("Other versions", [table])


def _batches(recipe: MasterRecipe) -> Section:
    made = recipe.batches.order_by("-issued_at")
    rows: list[list[Cell]] = [
        [
            record_admin.link(one),
            page_parts.state(one.state, one.get_state_display()),
            page_parts.moment(one.issued_at),
        ]
        for one in made[:SHOWN_BATCHES]
    ]
    table = Table(["Batch", "State", "Issued"], rows, empty="No batch was issued against it.")
    return Section("Batches", [table])
