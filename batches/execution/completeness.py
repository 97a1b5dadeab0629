"""List what a batch record lacks, by the sub-clause that asks for it (21 CFR 211.188(b)(1)-(13))."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from batches.execution import material_accounts, recorded, shortfalls
from batches.execution.models import Batch, BatchState, ExaminationKind, ExceptionState, PhaseState


@dataclass(frozen=True)
class Missing:
    """One required item that the record does not have."""

    clause: str  # "(b)(1)" to "(b)(13)" of 21 CFR 211.188
    text: str


Item = Callable[[Batch], Iterable[str]]
_items: dict[str, tuple[str, Item]] = {}


def item(name: str, *, clause: str) -> Callable[[Item], Item]:
    """Declare a required item: a function from a batch to what it lacks. Higher rooms may add some."""

    def declare(lacks: Item) -> Item:
        if name in _items:
            raise ValueError(f"the item {name} is declared already")
        _items[name] = (clause, lacks)
        return lacks

    return declare


def of(batch: Batch) -> list[Missing]:
    """Return everything the record of a batch lacks, in the order of the sub-clauses."""
    found = [Missing(clause, text) for clause, lacks in _items.values() for text in lacks(batch)]
    return sorted(found, key=lambda one: int(one.clause.removeprefix("(b)(").rstrip(")")))


@item("dates", clause="(b)(1)")
def dates(batch: Batch) -> Iterator[str]:
    if batch.started_at is None:
        yield "when the batch started"
    if batch.state not in (BatchState.ABORTED, BatchState.COMPLETED):
        yield "when the batch ended"
    for phase in batch.phases.order_by("order"):
        if phase.started_at is None or phase.ended_at is None:
            yield f"when {phase.name} was performed"


@item("equipment", clause="(b)(2)")
def equipment(batch: Batch) -> Iterator[str]:
    used = {
        (one.phase_id, one.equipment.kind) for one in batch.equipment.select_related("equipment")
    }
    kinds = {kind for _, kind in used} | recorded.equipment_kinds(batch)
    for need in batch.equipment_needs.order_by("name"):
        if need.kind not in kinds:
            yield f"which {need.kind} was used as {need.name}"
    demanded = {need.kind for need in batch.equipment_needs.all()}
    for phase in batch.phases.exclude(equipment_kind="").order_by("order"):
        kind = phase.equipment_kind
        if kind not in demanded and kind not in kinds:
            yield f"which {kind} was used for {phase.name}"


@item("material lots", clause="(b)(3)")
def lots(batch: Batch) -> Iterator[str]:
    named = recorded.lots(batch)
    for line in batch.materials.order_by("line"):
        if not line.charges.exists() and line.material_code not in named:
            yield f"which lot of {line.material_code} was used (line {line.line})"


@item("weights and measures", clause="(b)(4)")
def weights(batch: Batch) -> Iterator[str]:
    for one in shortfalls.of(batch):
        yield str(one)


@item("material reconciliation", clause="(b)(4)")
def reconciliation(batch: Batch) -> Iterator[str]:
    """21 CFR 211.184(c), 211.188(b): what was issued of each lot is in the batch, back, or wasted."""
    for line, lot in material_accounts.lacking(batch):
        yield f"reconciliation of lot {lot} of {line.material_code} (line {line.line})"


@item("in-process results", clause="(b)(5)")
def in_process(batch: Batch) -> Iterator[str]:
    entered = set(batch.in_process_results.values_list("parameter__tag", flat=True))
    known = entered | recorded.measured_tags(batch)
    for parameter in (
        batch.parameters.filter(is_required=True).exclude(kind="result").order_by("tag")
    ):
        if parameter.tag not in known:
            yield f"a value of {parameter.name}"


@item("area clearances", clause="(b)(6)")
def areas(batch: Batch) -> Iterator[str]:
    if batch.labels.exists():
        made = _examined(batch)
        for kind in (ExaminationKind.AREA_BEFORE, ExaminationKind.AREA_AFTER):
            if kind not in made:
                yield f"{kind.label.lower()} of the labelling area"


@item("yields", clause="(b)(7)")
def yields(batch: Batch) -> Iterator[str]:
    computed = set(batch.calculations.filter(purpose="yield").values_list("phase_id", flat=True))
    said = recorded.phases_with_yield(batch)
    for expected in batch.yields.select_related("phase").order_by("phase__order"):
        if expected.phase_id not in computed and expected.phase.name not in said:
            yield f"actual and percentage yield after {expected.phase.name}"


@item("labelling", clause="(b)(8)")
def labelling(batch: Batch) -> Iterator[str]:
    said = recorded.labels(batch)
    for label in batch.labels.order_by("code"):
        if not label.uses.exists() and label.code not in said:
            yield f"account and specimen of label {label.code}"


@item("containers and closures", clause="(b)(9)")
def containers(batch: Batch) -> Iterator[str]:
    if batch.labels.exists() and not batch.materials.filter(kind="packaging").exists():
        yield "the description of containers and closures"


@item("samples", clause="(b)(10)")
def samples(batch: Batch) -> Iterator[str]:
    taken = recorded.sampled(batch)
    for point in batch.sampling.order_by("name"):
        if taken.get(point.name, 0) < point.count:
            yield f"{point.count} sample(s) at {point.name}"


@item("persons", clause="(b)(11)")
def persons(batch: Batch) -> Iterator[str]:
    for phase in batch.phases.filter(state=PhaseState.DONE).order_by("order"):
        if phase.ended_by_id is None and not recorded.is_ended_by_somebody(batch, phase):
            yield f"who performed {phase.name}"
        if phase.needs_verification and phase.verified_by_id is None:
            yield f"who checked {phase.name}"


@item("investigations", clause="(b)(12)")
def investigations(batch: Batch) -> Iterator[str]:
    for one in batch.exceptions.filter(state=ExceptionState.OPEN).order_by("pk"):
        if one.deviation_id is None and not (one.needs_deviation and _is_machine(one.subject)):
            yield f"the assessment of: {one.text}"


@item("examinations", clause="(b)(13)")
def examinations(batch: Batch) -> Iterator[str]:
    if batch.labels.exists() and ExaminationKind.PACKAGES not in _examined(batch):
        yield "the examination of packaged and labelled product"


def _examined(batch: Batch) -> set[str]:
    made = set(batch.examinations.values_list("kind", flat=True))
    return made | recorded.examinations(batch)


def _is_machine(subject: str) -> bool:
    """What a system measured is answered by the deviations of the batch: see `outside-limits`."""
    return subject.startswith("execution_batchevent ")
