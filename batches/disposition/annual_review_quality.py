"""Say what was investigated, changed and heard of a product in a period (211.180(e)(2); 1.10)."""

from collections.abc import Iterator
from datetime import date

from django.db.models import Q, QuerySet

from batches.assets.models import Equipment, LotState, MaterialLot
from batches.disposition.annual_review import Asked, Row, subject
from batches.disposition.annual_review_batches import listed, moment, said
from batches.laboratory.models import (
    Complaint,
    Judgement,
    OosInvestigation,
    PullState,
    StabilityResult,
    StabilityStudy,
)
from batches.recipes.models import MasterRecipe
from compliance.quality.models import Capa, Change, Deviation, DeviationState

_PQR = "EU GMP Chapter 1, 1.10"


def _deviations(asked: Asked) -> QuerySet[Deviation]:
    """Those that occurred in the period about a batch of the product, and any of its batches then."""
    of_product = Q(
        batches__recipe__product=asked.product,
        occurred_at__gte=asked.start, occurred_at__lt=asked.end,
    )  # fmt: skip
    found = Deviation.objects.filter(of_product | Q(batches__in=asked.batches.values("pk")))
    return found.exclude(state=DeviationState.CANCELLED).distinct().order_by("number")


@subject(
    "deviations", title="Deviations", clause=f"21 CFR 211.192; {_PQR}(iv)",
    columns=("number", "title", "severity", "state", "cause", "batches", "conclusion"),
)  # fmt: skip
def deviations(asked: Asked) -> Iterator[Row]:
    for one in _deviations(asked):
        numbers = one.batches.order_by("number").values_list("number", flat=True)
        yield {
            "number": one.number, "title": one.title, "severity": one.severity,
            "state": one.state, "cause": one.root_cause_category, "batches": listed(iter(numbers)),
            "conclusion": one.conclusion,
        }  # fmt: skip


@subject(
    "oos", title="OOS investigations", clause=f"21 CFR 211.165(f), 211.192; {_PQR}(iii)",
    columns=("number", "batch", "test", "value", "limits", "state", "conclusion", "cause"),
)  # fmt: skip
def oos(asked: Asked) -> Iterator[Row]:
    """Those opened in the period about any batch of the product, stability included."""
    found = OosInvestigation.objects.filter(
        Q(batch__recipe__product=asked.product, opened_at__gte=asked.start, opened_at__lt=asked.end)
        | Q(batch__in=asked.batches.values("pk"))
    ).select_related("batch", "test")  # fmt: skip
    for one in found.order_by("number"):
        yield {
            "number": one.number, "batch": one.batch.number, "test": one.test.tag,
            "value": one.value_text, "limits": one.limits_text, "state": one.state,
            "conclusion": one.conclusion, "cause": one.cause,
        }  # fmt: skip


@subject(
    "capa", title="CAPA and their effect", clause=f"{_PQR}(ix)",
    columns=("number", "title", "state", "deviations", "due", "implemented", "effective"),
)  # fmt: skip
def capa(asked: Asked) -> Iterator[Row]:
    """The CAPA of the deviations above, with what the check of their effect found."""
    about = list(_deviations(asked).values_list("pk", flat=True))
    for one in Capa.objects.filter(deviations__in=about).distinct().order_by("number"):
        numbers = one.deviations.order_by("number").values_list("number", flat=True)
        checks = [said(check.is_effective) for check in one.checks.order_by("pk")]
        yield {
            "number": one.number, "title": one.title, "state": one.state,
            "deviations": listed(iter(numbers)), "due": one.due_on.isoformat(),
            "implemented": moment(one.implemented_at), "effective": ", ".join(checks),
        }  # fmt: skip


@subject(
    "changes", title="Changes of process and methods", clause=f"21 CFR 211.100(a); {_PQR}(v), (vi)",
    columns=("number", "title", "classification", "state", "recipe", "regulatory"),
)  # fmt: skip
def changes(asked: Asked) -> Iterator[Row]:
    """The changes that asked for a version which took effect in the period, and those of the
    period whose assessment names the product as affected."""
    versions: dict[str, list[str]] = {}
    followed = MasterRecipe.objects.filter(
        product=asked.product, effective_at__gte=asked.start, effective_at__lt=asked.end
    ).exclude(change_number="")
    for recipe in followed.order_by("version"):
        versions.setdefault(recipe.change_number, []).append(f"v{recipe.version}")
    found = Change.objects.filter(
        Q(number__in=versions)
        | Q(
            impacts__is_affected=True, impacts__identifier__icontains=asked.product.code,
            requested_at__gte=asked.start, requested_at__lt=asked.end,
        )
    ).distinct()  # fmt: skip
    for one in found.order_by("number"):
        is_regulatory = one.impacts.filter(kind="regulatory", is_affected=True).exists()
        yield {
            "number": one.number, "title": one.title, "classification": one.classification,
            "state": one.state, "recipe": ", ".join(versions.get(one.number, [])),
            "regulatory": said(is_regulatory),
        }  # fmt: skip


@subject(
    "complaints", title="Complaints", clause=f"21 CFR 211.180(e)(2), 211.198; {_PQR}(viii)",
    columns=("number", "received", "nature", "serious", "state", "batches", "findings"),
)  # fmt: skip
def complaints(asked: Asked) -> Iterator[Row]:
    """Those received in the period that name a batch of the product."""
    found = Complaint.objects.filter(
        batch_links__batch__recipe__product=asked.product,
        received_at__gte=asked.start, received_at__lt=asked.end,
    ).distinct()  # fmt: skip
    for one in found.order_by("number"):
        affected = one.batch_links.filter(is_affected=True).order_by("batch__number")
        yield {
            "number": one.number, "received": moment(one.received_at), "nature": one.nature,
            "serious": said(one.is_serious), "state": one.state,
            "batches": listed(iter(affected.values_list("batch__number", flat=True))),
            "findings": one.findings or one.no_investigation_reason,
        }  # fmt: skip


@subject(
    "stability", title="Stability", clause=f"21 CFR 211.166; {_PQR}(vii)",
    columns=("number", "batch", "kind", "condition", "state", "results", "oos", "missed"),
)  # fmt: skip
def stability(asked: Asked) -> Iterator[Row]:
    """The studies of the product that began before the end of the period, with its results."""
    found = StabilityStudy.objects.filter(
        batch__recipe__product=asked.product, started_on__lt=asked.end.date()
    ).select_related("batch")
    for one in found.order_by("number"):
        results = StabilityResult.objects.filter(
            pull__study=one, tested_at__gte=asked.start, tested_at__lt=asked.end
        )
        missed = one.pulls.filter(
            state=PullState.MISSED, due_on__gte=asked.start.date(), due_on__lt=asked.end.date()
        )
        yield {
            "number": one.number, "batch": one.batch.number, "kind": one.kind,
            "condition": one.condition, "state": one.state, "results": str(results.count()),
            "oos": str(results.filter(judgement=Judgement.OOS).count()),
            "missed": str(missed.count()),
        }  # fmt: skip


@subject(
    "equipment", title="Equipment used", clause=f"21 CFR 211.68; {_PQR}(xi)",
    columns=("equipment", "kind", "state", "qualified_until", "calibration_due", "batches"),
)  # fmt: skip
def equipment(asked: Asked) -> Iterator[Row]:
    """What people used for the period's batches, as it is qualified and calibrated now."""
    found = Equipment.objects.filter(assignments__batch__in=asked.batches.values("pk")).distinct()
    for one in found.order_by("code"):
        used = one.assignments.filter(batch__in=asked.batches.values("pk"))
        numbers = used.order_by("batch__number").values_list("batch__number", flat=True)
        yield {
            "equipment": one.code, "kind": one.kind, "state": one.state,
            "qualified_until": day(one.qualified_until),
            "calibration_due": day(one.calibration_due_on), "batches": listed(iter(numbers)),
        }  # fmt: skip


def day(on: date | None) -> str:
    return on.isoformat() if on else ""


@subject(
    "materials", title="Starting and packaging materials", clause=f"21 CFR 211.84; {_PQR}(i)",
    columns=("material", "suppliers", "received", "rejected", "used"),
)  # fmt: skip
def materials(asked: Asked) -> Iterator[Row]:
    """Of each material of the recipes followed: lots received and rejected, and lots charged."""
    codes: dict[str, None] = {}
    for batch in asked.batches:
        codes |= dict.fromkeys(batch.materials.values_list("material_code", flat=True))
    for code in sorted(codes):
        lots = MaterialLot.objects.filter(
            material__code=code, received_at__gte=asked.start, received_at__lt=asked.end
        )
        suppliers = lots.exclude(supplier=None).order_by("supplier__code")
        used = MaterialLot.objects.filter(
            material__code=code, charges__batch__in=asked.batches.values("pk")
        ).distinct()
        yield {
            "material": code,
            "suppliers": listed(iter(suppliers.values_list("supplier__code", flat=True))),
            "received": str(lots.count()),
            "rejected": str(lots.filter(state=LotState.REJECTED).count()),
            "used": listed(iter(used.order_by("number").values_list("number", flat=True))),
        }  # fmt: skip
