"""What the simulated plant's MES records beside the course of a batch (21 CFR 211.188(b))."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from twins.plant import recipe_draft


@dataclass(frozen=True)
class Detail:
    """One event with its details, in the phase in which it happens."""

    name: str
    kind: str
    phase: str
    text: str
    details: Mapping[str, str] = field(default_factory=dict)


def of_batch(number: str) -> Iterator[Detail]:
    """Yield materials, equipment, yield, labels, samples and examinations of one batch."""
    drafted = recipe_draft.draft()
    first, last = drafted.whole_phases[0].label, drafted.whole_phases[-1].label
    for line in drafted.materials:
        said = {
            "material": line.material, "lot": f"{line.material}-0001",
            "quantity": f"{line.quantity:f}", "unit": line.unit,
        }  # fmt: skip
        text = f"{line.quantity:f} {line.unit} of {line.material}"
        yield Detail(f"charge-{line.line}", "addition", line.phase, text, said)
        account = {
            "reconciled": line.material, "lot": said["lot"], "unit": line.unit,
            "issued": said["quantity"], "charged": said["quantity"],
        }  # fmt: skip
        yield Detail(
            f"account-{line.line}",
            "observation",
            line.phase,
            f"{line.material} reconciled",
            account,
        )
    for need in drafted.equipment:
        said = {"equipment": "BR-200-01", "equipment_kind": need.kind}
        yield Detail(f"equipment-{need.kind}", "observation", first, f"{need.name} taken", said)
    for expected in drafted.yields:
        said = {"yield_quantity": f"{expected.quantity:f}", "yield_unit": expected.unit}
        yield Detail("yield", "observation", expected.phase, "yield weighed", said)
    for label in drafted.labels:
        said = {
            "label": label.code, "version": label.version, "labels_issued": "1", "labels_used": "1",
        }  # fmt: skip
        yield Detail(f"label-{label.code}", "observation", last, "label applied", said)
    for point in drafted.sampling:
        for each in range(point.count):
            name = f"sampling-{point.name}-{each + 1}"
            yield Detail(
                name, "sampling", point.phase, f"{point.name} drawn", {"point": point.name}
            )
    for kind in ("area-before", "area-after", "packages"):
        text = f"examination for {number}: nothing found"
        yield Detail(kind, "observation", last, text, {"examination": kind})
