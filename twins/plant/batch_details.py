"""What the simulated plant's MES records beside the course of a batch (21 CFR 211.188(b))."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from twins.plant import recipe_draft


@dataclass(frozen=True)
class Train:
    """What a batch runs on, by the codes in the register of equipment."""

    bioreactor: str
    feed_pump: str
    ph_meter: str


FIRST_TRAIN = Train("BR-200-01", "FP-01", "PH-01")
SECOND_TRAIN = Train("BR-200-02", "FP-02", "PH-02")


def lot_of(material: str) -> str:
    """Return the lot of a material that this plant charges."""
    return f"{material}-0001"


@dataclass(frozen=True)
class Detail:
    """One event with its details, in the phase in which it happens."""

    name: str
    kind: str
    phase: str
    text: str
    details: Mapping[str, str] = field(default_factory=dict)


def of_batch(number: str, *, train: Train = FIRST_TRAIN) -> Iterator[Detail]:
    """Yield materials, equipment, yield, labels, samples and examinations of one batch."""
    drafted = recipe_draft.draft()
    first, last = drafted.whole_phases[0].label, drafted.whole_phases[-1].label
    for line in drafted.materials:
        said = {
            "material": line.material, "lot": lot_of(line.material),
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
    taken = [(need.name, need.kind, train.bioreactor) for need in drafted.equipment]
    taken += [("Feed pump", "feed-pump", train.feed_pump), ("pH meter", "ph-meter", train.ph_meter)]
    for name, kind, code in taken:
        said = {"equipment": code, "equipment_kind": kind}
        yield Detail(f"equipment-{kind}", "observation", first, f"{name} {code} taken", said)
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
