"""Specifications, and the tests they ask for."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from batches.laboratory import specifications
from batches.laboratory.models import (
    Specification,
    SpecificationUse,
    SpecificationVersion,
    TestKind,
)
from batches.recipes.models import Product
from compliance.access.duties import Role
from tests.factories import common
from tests.factories.common import NOON
from tests.factories.people import confirmed, somebody

SPECIFIED = [
    specifications.TestDraft(
        tag="mab_g_l", name="Antibody", method_code="HPLC-12", method_version="3", unit="g/L",
        low=Decimal("2.50"), high=Decimal("3.50"), alert_low=Decimal("2.60"), decimals=2,
    ),
    specifications.TestDraft(
        tag="appearance", name="Appearance", method_code="VIS-01", method_version="1",
        kind=TestKind.TEXT, conforming_text="clear, colourless", is_mandatory=False,
    ),
]  # fmt: skip


UNJUDGED = [
    specifications.TestDraft(
        tag="identity", name="Identity", method_code="ID-01", method_version="1",
        kind=TestKind.TEXT, conforming_text="conforms", is_mandatory=False,
    )
]  # fmt: skip


def specification(
    of: Product, tests: Sequence[specifications.TestDraft] = SPECIFIED, *, at: datetime = NOON,
    use: SpecificationUse = SpecificationUse.RELEASE,
    plan: Sequence[specifications.PointDraft] = (), code: str = "",
) -> SpecificationVersion:  # fmt: skip
    """Return an effective version of a product's specification."""
    author = somebody(Role.QC_SUPERVISOR, at=at)
    made = Specification.objects.filter(product=of, use=use).first()
    if made is None:
        made = specifications.create(
            code=code or f"SPEC-{next(common.numbers)}", title="Drug substance", use=use, product=of,
            actor=author, at=at,
        )  # fmt: skip
    draft = specifications.draft(
        made, tests=tests, plan=plan, actor=author, at=at, reason="the limits of this product"
    )
    return specifications.approve(
        draft, confirmed=confirmed(somebody(Role.QUALITY_ASSURANCE, at=at), at=at)
    )
