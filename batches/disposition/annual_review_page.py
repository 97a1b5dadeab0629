"""Show the data of a product's annual review, and lead to it from the product's page."""

from datetime import date, timedelta

from django import forms
from django.contrib.admin.utils import quote
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from batches.disposition.annual_review import AnnualReview
from batches.recipes.models import Product
from compliance.access import page_parts, record_admin
from compliance.access.page_parts import Facts, Note, Page, Part, Section, Table
from compliance.trail.query_form import QueryForm

YEAR = timedelta(days=365)
DAY = "%Y-%m-%d"  # 01/02/2026 is another day to an American than to a European
_WRITTEN = {"invalid": "a day is written as 2026-01-31."}


class PeriodForm(QueryForm):
    """The period that is asked for, as the address of the page has it."""

    starts_on = forms.DateField(input_formats=[DAY], error_messages=_WRITTEN)
    ends_on = forms.DateField(input_formats=[DAY], error_messages=_WRITTEN)


def url(product: Product, *, starts_on: date, ends_on: date) -> str:
    address = reverse("admin:disposition_annual_review", args=[quote(product.pk)])
    return f"{address}?starts_on={starts_on}&ends_on={ends_on}"


def page(found: AnnualReview) -> Page:
    facts = Facts(
        [
            ("Product", record_admin.link(found.product)),
            ("From", found.starts_on.isoformat()),
            ("To", found.ends_on.isoformat()),
            *((one.title, str(len(one.rows))) for one in found.parts),
        ]
    )
    sections = [Section("What is reviewed", [facts])]
    for one in found.parts:
        heads = [column.replace("_", " ").capitalize() for column in one.columns]
        rows = [[row[column] for column in one.columns] for row in one.rows]
        parts: list[Part] = [Note(one.clause), Table(heads, rows, empty="None in this period.")]
        sections.append(Section(one.title, parts, anchor=one.name))
    title = f"Annual review of {found.product.code}"
    return Page(title, f"{found.starts_on} to {found.ends_on}", [], sections)


@record_admin.section(Product, order=30)
def of_product(product: Product, request: HttpRequest) -> Section:
    """Lead to the data of the last twelve months, and of the year before them."""
    today = timezone.now().date()
    rows = []
    for ends_on in (today, today - YEAR):
        starts_on = ends_on - YEAR + timedelta(days=1)
        link = page_parts.link(
            f"{starts_on} to {ends_on}", url(product, starts_on=starts_on, ends_on=ends_on)
        )
        rows.append([link])
    said = "21 CFR 211.180(e); EU GMP Chapter 1, 1.10. Another period: change the address."
    return Section("Annual review", [Note(said), Table(["Period"], rows)], is_wide=False)
