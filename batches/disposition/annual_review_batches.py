"""Say of the batches of a period what became of them: yields, results, decisions (211.180(e)(1))."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from batches.disposition.annual_review import Asked, Row, subject
from batches.disposition.models import Decision, Outcome
from batches.execution.models import Batch, BatchException, Purpose
from batches.execution.recorded import yields_of
from batches.laboratory.models import Judgement, Result

_PQR = "EU GMP Chapter 1, 1.10"


@subject(
    "batches", title="Batches", clause=f"21 CFR 211.180(e)(1); {_PQR}",
    columns=("batch", "recipe", "issued", "ended", "state", "disposition", "exceptions",
             "deviations", "oos"),
)  # fmt: skip
def batches(asked: Asked) -> Iterator[Row]:
    """Every batch of the period, rejected and aborted ones too."""
    for batch in asked.batches.select_related("recipe__product"):
        yield {
            "batch": batch.number, "recipe": f"v{batch.recipe.version}",
            "issued": moment(batch.issued_at), "ended": moment(batch.ended_at),
            "state": batch.state, "disposition": batch.disposition,
            "exceptions": str(batch.exceptions.count()),
            "deviations": str(batch.deviations.count()), "oos": str(batch.oos.count()),
        }  # fmt: skip


@subject(
    "yields", title="Yields", clause="21 CFR 211.103, 211.180(e)",
    columns=("batch", "phase", "percent", "allowed", "is_within"),
)  # fmt: skip
def yields(asked: Asked) -> Iterator[Row]:
    """The yield of each phase, as computed for people or from what a system stated."""
    for batch in asked.batches:
        computed = batch.calculations.filter(purpose=Purpose.YIELD).select_related("phase")
        for one in computed.order_by("phase__order", "pk"):
            name = one.phase.name if one.phase else ""
            allowed = f"{plain(one.low)} to {plain(one.high)}"
            yield _yield(batch, name, one.result, allowed, is_within=one.is_within)
        stated = yields_of(batch)
        for expected in batch.yields.select_related("phase").order_by("phase__order"):
            percent = stated.get(expected.phase.name)
            if percent is not None:
                allowed = f"{plain(expected.low_pct)} to {plain(expected.high_pct)}"
                is_within = expected.low_pct <= percent <= expected.high_pct
                yield _yield(batch, expected.phase.name, f"{percent}", allowed, is_within=is_within)


def _yield(batch: Batch, phase: str, percent: str, allowed: str, *, is_within: bool) -> Row:
    return {
        "batch": batch.number, "phase": phase, "percent": percent, "allowed": allowed,
        "is_within": said(is_within),
    }  # fmt: skip


@subject(
    "results", title="Results by test", clause=f"21 CFR 211.165; {_PQR}(ii)",
    columns=("test", "unit", "count", "lowest", "mean", "highest", "oos", "oot"),
)  # fmt: skip
def results(asked: Asked) -> Iterator[Row]:
    """The standing results of the period's batches; what stands there is counted, not judged anew."""
    by_tag: dict[tuple[str, str], list[Result]] = {}
    found = Result.objects.standing().filter(sample__batch__in=asked.batches.values("pk"))
    for one in found.order_by("tag", "unit", "pk"):
        by_tag.setdefault((one.tag, one.unit), []).append(one)
    for (tag, unit), same in by_tag.items():
        values = [one.value for one in same]
        mean = (sum(values, Decimal(0)) / len(values)).quantize(Decimal("0.0001"))
        yield {
            "test": tag, "unit": unit, "count": str(len(same)), "lowest": plain(min(values)),
            "mean": plain(mean), "highest": plain(max(values)),
            "oos": str(sum(one.judgement == Judgement.OOS for one in same)),
            "oot": str(sum(bool(one.trend) for one in same)),
        }  # fmt: skip


@subject(
    "exceptions", title="Exceptions by kind", clause="21 CFR 211.100(b), 211.192",
    columns=("kind", "count", "critical", "batches"),
)  # fmt: skip
def exceptions(asked: Asked) -> Iterator[Row]:
    """What departed from the recipe in the period's batches."""
    by_kind: dict[str, list[BatchException]] = {}
    found = BatchException.objects.filter(batch__in=asked.batches.values("pk"))
    for one in found.select_related("batch").order_by("kind", "pk"):
        by_kind.setdefault(one.kind, []).append(one)
    for kind, same in by_kind.items():
        yield {
            "kind": kind, "count": str(len(same)),
            "critical": str(sum(one.is_critical for one in same)),
            "batches": listed(one.batch.number for one in same),
        }  # fmt: skip


def _decided(asked: Asked, *outcomes: Outcome) -> Iterator[Row]:
    """Decisions of the period, about any batch of the product."""
    found = Decision.objects.filter(
        batch__recipe__product=asked.product, outcome__in=outcomes,
        decided_at__gte=asked.start, decided_at__lt=asked.end,
    )  # fmt: skip
    for one in found.select_related("batch").order_by("decided_at", "pk"):
        yield {
            "batch": one.batch.number, "outcome": one.outcome, "decided": moment(one.decided_at),
            "reference": one.reference, "reason": one.reason,
        }  # fmt: skip


_DECISION = ("batch", "outcome", "decided", "reference", "reason")


@subject(
    "rejected", title="Rejected batches", clause=f"21 CFR 211.180(e)(1); {_PQR}(iii)",
    columns=_DECISION,
)  # fmt: skip
def rejected(asked: Asked) -> Iterator[Row]:
    return _decided(asked, Outcome.REJECTED)


@subject(
    "reprocessing", title="Reprocessing and rework", clause="21 CFR 211.115, 211.180(e)(2)",
    columns=_DECISION,
)  # fmt: skip
def reprocessing(asked: Asked) -> Iterator[Row]:
    return _decided(asked, Outcome.REWORK, Outcome.REWORKED)


@subject(
    "recalls", title="Recalls", clause=f"21 CFR 211.180(e)(2); {_PQR}(viii)", columns=_DECISION
)
def recalls(asked: Asked) -> Iterator[Row]:
    return _decided(asked, Outcome.RECALLED)


def moment(at: datetime | None) -> str:
    return at.isoformat() if at else ""


def plain(value: Decimal | None) -> str:
    return "" if value is None else f"{value.normalize():f}"


def said(is_so: bool) -> str:
    return "yes" if is_so else "no"


def listed(names: Iterator[str]) -> str:
    return ", ".join(dict.fromkeys(names))
