"""The batch record as a PDF: it can always be drawn, and says of each value what is on record."""

import pytest
from django.utils import timezone

from batches.disposition import batch_report
from batches.execution import batches
from batches.execution.models import Batch, EventKind
from compliance.access.duties import Role
from compliance.quality.models import Severity
from compliance.reports import kinds, layout, spelling
from compliance.reports.document import Block, Document, Facts
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def _written(batch: Batch) -> Document:
    facts = kinds.Facts("RPT-1", 1, "q.one", "Site", timezone.now())
    return kinds.by_name(batch_report.KIND).write(batch.number, facts)


def _blocks(document: Document, heading: str) -> tuple[Block, ...]:
    (section,) = [one for one in document.sections if one.heading == heading]
    return section.blocks


@pytest.mark.requirement("211-188")
def test_a_control_character_in_an_append_only_record_is_printed_by_its_number() -> None:
    batch = factories.running_batch()
    factories.happened(batch, EventKind.OBSERVATION, text="bell\x07rang")
    batches.open_deviation(
        batch, severity=Severity.MAJOR, occurred_at=NOON, at=NOON,
        actor=factories.person(Role.OPERATOR), title="Foam in the exhaust",
        description="Foam rose.\x0bIt reached the filter.",
    )  # fmt: skip

    document = spelling.spelled(_written(batch))

    assert layout.draw(document).startswith(b"%PDF")
    (said,) = [one for one in _blocks(document, "Deviations") if isinstance(one, Facts)]
    assert "Foam rose.[U+000B]It reached the filter." in [fact.value for fact in said.facts]
