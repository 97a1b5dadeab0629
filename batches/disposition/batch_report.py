"""Put the batch record together as one document (21 CFR 211.188; EU GMP 4.20)."""

import hashlib

from batches.disposition import (
    batch_evidence,
    batch_record,
    excursions,
    material_sections,
    report_sections,
    specification,
)
from batches.disposition.report_sections import Write, moment
from batches.execution.models import Batch, DispositionState, ExceptionKind, ExceptionState
from batches.quantities.limits import Standing
from compliance.reports import kinds, signed_blocks
from compliance.reports.document import Document, Fact, Section, Tile, Tone
from compliance.reports.kinds import RecordKey
from compliance.signatures import signing
from compliance.trail.tlog import canonical

KIND = "batch-record"
_TAG = b"gmp-report/batch-record/v1\0"
# While nobody has assessed these, a value stands that was compared with no limit, or a doubted one.
_DOUBTS = (
    ExceptionKind.NOT_JUDGED,
    ExceptionKind.IMPLAUSIBLE,
    ExceptionKind.SOURCE_NOT_USABLE,
    ExceptionKind.READING_CONFLICT,
)
_added: list[tuple[str, Write]] = []


def add_section(heading: str, write: Write) -> None:
    """Let a higher room add a section (the twins' predictions); called in AppConfig.ready."""
    if heading in {known for known, _ in _added}:
        raise ValueError(f"a section {heading!r} is registered already")
    _added.append((heading, write))


def exists(number: str) -> bool:
    return Batch.objects.filter(number=number).exists()


def records(number: str) -> list[RecordKey]:
    """Name every record whose entries belong into the evidence of a batch."""
    batch = Batch.objects.get(number=number)
    return [("recipes_masterrecipe", str(batch.recipe_id)), *batch_evidence.records(batch)]


def write(number: str, facts: kinds.Facts) -> Document:
    """Write the record of one batch as plain values.

    Its digest covers the signed content of the batch and every signature and decision under it.
    """
    batch = Batch.objects.select_related("recipe__product").get(number=number)
    signatures: list[canonical.Value] = [
        [one.pk, one.record_digest, one.meaning] for one in signing.of(batch)
    ]
    state: dict[str, canonical.Value] = {
        "content": dict(batch_record.signed_content(batch)),
        "disposition": batch.disposition,
        "signatures": signatures,
    }
    digest = hashlib.sha256(_TAG + canonical.dumps(state)).hexdigest()
    inspected, inspection = report_sections.inspection(batch)
    added = [(heading, write(batch)) for heading, write in _added]
    charged = material_sections.materials(batch)
    codes = report_sections.unit_codes(batch)
    sections = [
        ("Manufacture", report_sections.manufacture(batch)),
        *([("Materials", charged)] if charged else []),
        ("Process parameters", report_sections.parameters(batch)),
        *((heading, blocks) for heading, blocks in added if blocks),
        ("Samples and results", report_sections.laboratory(batch)),
        ("Events", report_sections.events(batch)),
        ("Exceptions", report_sections.exceptions(batch)),
        ("Deviations", report_sections.deviations(batch)),
        ("Disposition and signatures", report_sections.disposition(batch)),
        ("Simulated inspection", inspection),
        *([("Units", codes)] if codes else []),
        ("Audit trail", report_sections.trail(batch, tree_size=facts.tree_size)),
    ]
    return Document(
        title=f"Batch record {batch.number}",
        subtitle=f"{batch.recipe.product.name} - {facts.site}",
        number=facts.number,
        digest=digest,
        tree_size=facts.tree_size,
        verify_text=f"{facts.number} {batch.number} sha256:{digest} tree size {facts.tree_size}",
        generated_at=facts.at,
        watermark=signed_blocks.watermark(signed_blocks.of(batch)),
        facts=(
            Fact("Product", f"{batch.recipe.product.code} - {batch.recipe.product.name}"),
            Fact("Master recipe", f"{batch.recipe} {batch.recipe.title}"),
            Fact("Issued copy, SHA-256", batch.recipe_digest),
            Fact("Issued", moment(batch.issued_at)),
            Fact("Started", moment(batch.started_at)),
            Fact("Ended", moment(batch.ended_at)),
            Fact("Requested by", facts.requested_by),
        ),
        verdicts=(_disposition(batch), _parameters(batch), _deviations(batch), inspected),
        sections=tuple(Section(heading, tuple(blocks)) for heading, blocks in sections),
    )


def _disposition(batch: Batch) -> Tile:
    tones = {DispositionState.RELEASED.value: Tone.GOOD, DispositionState.REJECTED.value: Tone.BAD}
    tone = tones.get(batch.disposition, Tone.NEUTRAL)
    return Tile("Disposition", batch.get_disposition_display(), tone, batch.get_state_display())


def _parameters(batch: Batch) -> Tile:
    """Say how the values stand to the limits; what was not measured is not within its limits."""
    entered = batch.in_process_results.exclude(standing=Standing.WITHIN)
    outside = {one.name for one in excursions.of(batch)}
    outside |= set(entered.values_list("parameter__name", flat=True))
    if outside:
        return Tile("Parameters", "outside limits", Tone.BAD, ", ".join(sorted(outside)))
    limited = batch.recipe.parameters.exclude(low=None, high=None).order_by("name")
    missing = [one.name for one in limited if not specification.has_value(batch, one)]
    if not limited:
        return Tile("Parameters", "no limits", Tone.NEUTRAL, "the recipe states none")
    if len(missing) == len(limited):
        return Tile("Parameters", "not measured", Tone.NEUTRAL, "nothing that has limits")
    if missing:
        left = f"not measured: {', '.join(missing)}"
        return Tile("Parameters", "incomplete", Tone.NEUTRAL, left)
    doubted = batch.exceptions.filter(kind__in=_DOUBTS, state=ExceptionState.OPEN).count()
    if doubted:
        left = f"open exceptions of values: {doubted}"
        return Tile("Parameters", "not proven", Tone.NEUTRAL, left)
    return Tile("Parameters", "within limits", Tone.GOOD, "readings and results as recorded")


def _deviations(batch: Batch) -> Tile:
    every = list(batch.deviations.order_by("number"))
    still_open = [one.number for one in every if one.is_open]
    if still_open:
        return Tile("Deviations", f"{len(still_open)} open", Tone.BAD, ", ".join(still_open))
    if every:
        closed = ", ".join(one.number for one in every)
        return Tile("Deviations", f"{len(every)}, closed", Tone.NEUTRAL, closed)
    return Tile("Deviations", "none", Tone.GOOD)


kinds.register(KIND, kinds.Kind("Batch record", exists, records, write))
