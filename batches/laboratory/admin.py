"""The laboratory on the pages of batches; importing its pages registers them."""

from django.http import HttpRequest

from batches.execution.models import Batch
from batches.laboratory import governing
from batches.laboratory.models import OosInvestigation, SpecificationTest, SpecificationVersion
from batches.laboratory.pages import (  # noqa: F401 -- importing registers
    bench,
    complaints,
    drafting,
    oos,
    oos_acts,
    results,
    runs,
    samples,
    specifications,
    stability,
)
from compliance.access import page_parts, record_admin
from compliance.access.page_parts import Cell, Facts, Part, Section, Table


@record_admin.section(Batch, order=40)
def samples_and_results(batch: Batch, request: HttpRequest) -> Section:
    """Every result of a batch, corrected versions too, with its specification and its OOS."""
    parts: list[Part] = []
    version = governing.version_of(batch)
    if version is not None:
        parts.append(Facts([("Specification", record_admin.link(version))]))
    parts += [*samples.gaps(batch), results.table(batch, None)]
    found = OosInvestigation.objects.filter(batch=batch).select_related("test").order_by("number")
    rows: list[list[Cell]] = [
        [
            record_admin.link(one),
            one.test.name,
            page_parts.alarm(f"{one.value_text} {one.test.unit}"),
            page_parts.state(one.state, one.get_state_display()),
            one.get_conclusion_display() if one.conclusion else "",
        ]
        for one in found
    ]
    if rows:
        parts.append(Table(["OOS investigation", "Test", "Value", "State", "Conclusion"], rows))
    return Section("Samples and results", parts)


@record_admin.picture(SpecificationVersion, "results")
def results_chart(version: SpecificationVersion, key: str) -> bytes | None:
    """Draw the results of one test across batches."""
    if not key.isdigit():
        return None
    test = SpecificationTest.objects.filter(version=version, pk=key).first()
    return results.across_batches(test) if test else None
