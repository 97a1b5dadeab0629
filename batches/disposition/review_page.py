"""Show a batch record by exception: what deviates in full, what does not as a number with a link."""

from collections.abc import Sequence

from django.apps import apps
from django.contrib.admin.utils import quote
from django.http import HttpRequest
from django.urls import reverse

from batches.disposition.models import BatchReview
from batches.execution import blockers, review_items
from batches.execution.models import Batch
from batches.execution.review_items import Exceptional, Item
from compliance.access import page_parts, record_admin
from compliance.access.page_parts import Cell, Facts, Folded, Note, Page, Part, Section, Table
from compliance.signatures import manifestations
from compliance.trail import timeline_pages


def page(batch: Batch, *, digest: str) -> Page:
    """Return the review of a batch, with the digest of exactly what is shown."""
    facts = Facts(
        [
            ("Batch", record_admin.link(batch)),
            ("Product", record_admin.link(batch.recipe.product)),
            ("SHA-256 of what is reviewed", page_parts.code(digest)),
        ]
    )
    badge = page_parts.state(batch.disposition, batch.get_disposition_display())
    found = review_items.of(batch)
    sections = [
        Section("What is reviewed", [facts]),
        Section("What stands against a release", [against(batch)]),
        Section("By exception", [_table(found), *_exceptions(found)]),
        Section("Reviews", reviews_of(batch, digest=digest)),
    ]
    return Page(f"Review of {batch.number}", batch.recipe.product.name, [badge], sections)


def url(batch: Batch) -> str:
    return reverse("admin:disposition_review", args=[quote(batch.pk)])


def against(batch: Batch) -> Part:
    """Return every blocker with its clause."""
    found = blockers.of(batch)
    if not found:
        return Note("Nothing stands against a release.", "good")
    rows = [[one.name.replace("-", " "), one.text, one.clause] for one in found]
    return Table(["Rule", "Why", "Clause"], rows)


def reviews_of(batch: Batch, *, digest: str) -> list[Part]:
    """Return the signed reviews, newest first; one of another record is shown as former."""
    found = BatchReview.objects.filter(batch=batch).select_related("signature").order_by("-pk")
    parts: list[Part] = [
        manifestations.shown(one.signature, is_current=one.content_digest == digest)
        for one in found
    ]
    return parts or [Note("Nobody of quality has signed a review yet.")]


def _table(found: list[tuple[str, str, Item]]) -> Table:
    rows: list[list[Cell]] = [
        [label, _count(item), _exception_count(item)] for _, label, item in found
    ]
    columns = ["Section", "Records", "Exceptions"]
    return Table(columns, rows, numeric=["Records", "Exceptions"])


def _count(item: Item) -> Cell:
    label, query = item.listed
    if not label or not item.count:
        return str(item.count)
    address = record_admin.list_url(apps.get_model(label))
    return page_parts.link(str(item.count), f"{address}?{query}")


def _exception_count(item: Item) -> Cell:
    if not item.exception_count:
        return "0"
    return page_parts.badge(str(item.exception_count), "warn")


def _exceptions(found: list[tuple[str, str, Item]]) -> list[Part]:
    parts: list[Part] = []
    for _, label, item in found:
        if not item.exception_count:
            continue
        inner: list[Part] = [Table(["What deviates", "Its history"], _rows(item.exceptions))]
        if item.left_out:
            inner.append(
                Note(f"{item.left_out} more are not named here; the list has all of them.")
            )
        parts.append(Folded(f"{label}: {item.exception_count}", inner, is_open=True))
    return parts


def _rows(exceptions: Sequence[Exceptional]) -> list[list[Cell]]:
    return [[one.text, _history(one)] for one in exceptions]


def _history(one: Exceptional) -> Cell:
    table, key = one.record
    if not table:
        return ""
    return page_parts.link("history", timeline_pages.record_url(table, key))


def section(batch: Batch, request: HttpRequest) -> Section:
    """Return the short form of the review for the page of the batch."""
    found = review_items.of(batch)
    exceptional = [
        f"{item.exception_count} {label.lower()}"
        for _, label, item in found
        if item.exception_count
    ]
    said = ", ".join(exceptional) or "none"
    link = page_parts.link("Review the batch record by exception", url(batch))
    return Section("Review", [Note(link), Facts([("Exceptions", said)])])
