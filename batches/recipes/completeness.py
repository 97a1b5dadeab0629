"""Say what a master record still lacks, item by item of 21 CFR 211.186(b); pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

Content = Mapping[str, Any]


@dataclass(frozen=True)
class Lack:
    """One thing that is missing: by which clause, and what to write."""

    code: str
    clause: str
    text: str


def lacking(content: Content) -> list[Lack]:
    """Return everything that keeps a draft from its review; empty when the record is complete."""
    return [lack for rule in _RULES for lack in rule(content)]


def _header(content: Content) -> Iterator[Lack]:
    for field, clause, text in (
        ("product_name", "21 CFR 211.186(b)(1)", "the name of the product"),
        ("strength", "21 CFR 211.186(b)(1)", "the strength (register it with the product)"),
        ("dosage_form", "21 CFR 211.186(b)(1)", "the dosage form (register it with the product)"),
        ("dosage_unit", "21 CFR 211.186(b)(2)", "the dosage unit with its total weight or measure"),
        ("batch_size", "EU GMP 4.17", "the batch size"),
        ("batch_size_unit", "EU GMP 4.17", "the unit of the batch size"),
        ("specification", "21 CFR 211.186(b)(9)", "the specification of the product, by its code"),
        ("specification_version", "21 CFR 211.186(b)(9)", "the version of the specification"),
        ("storage", "EU GMP 4.18", "the storage conditions"),
        ("precautions", "21 CFR 211.186(b)(9)", "the precautions (write that there are none)"),
        ("shelf_life_months", "21 CFR 211.137", "the shelf life (register it with the product)"),
    ):
        if not content[field]:
            yield Lack(f"no-{field.replace('_', '-')}", clause, text)


def _change(content: Content) -> Iterator[Lack]:
    if content["version"] == 1:
        return
    for field, text in (
        ("change_number", "the change control record that asks for this version"),
        ("change_summary", "what is changed, and why"),
    ):
        if not content[field]:
            yield Lack(f"no-{field.replace('_', '-')}", "21 CFR 211.100(a)", text)


def _materials(content: Content) -> Iterator[Lack]:
    kinds = [line["kind"] for line in content["materials"]]
    if "active" not in kinds:
        yield Lack("no-active", "21 CFR 211.186(b)(2)", "the active ingredient among the materials")
    if "packaging" not in kinds:
        yield Lack(
            "no-packaging", "21 CFR 211.186(b)(8)", "containers, closures or packaging materials"
        )
    for line in content["materials"]:
        if line["kind"] == "active" and not line["amount_per_dosage_unit"]:
            yield Lack(
                "no-amount-per-unit",
                "21 CFR 211.186(b)(2)",
                f"the amount of {line['material']} in each dosage unit",
            )


def _phases(content: Content) -> Iterator[Lack]:
    for phase in content["phases"]:
        if not phase["instruction"]:
            yield Lack(
                "no-instruction",
                "21 CFR 211.186(b)(9)",
                f"the instruction of phase {phase['unit_procedure']}/{phase['name']}",
            )
    groups = [group for group, _ in groupby(_groups(content))]
    for group in sorted({one for one in groups if one and groups.count(one) > 1}):
        yield Lack(
            "parallel-group-apart",
            "21 CFR 211.100(b)",
            f"one place for the phases of the parallel group {group}: they must be neighbours",
        )


def _groups(content: Content) -> Sequence[str]:
    return [phase["parallel_group"] for phase in content["phases"]]


def _controls(content: Content) -> Iterator[Lack]:
    for name, clause, text in (
        ("yields", "21 CFR 211.186(b)(6), (7)", "a theoretical yield with its percentages"),
        ("sampling", "21 CFR 211.186(b)(9)", "the sampling plan"),
        ("parameters", "21 CFR 211.110(a)", "the controls: parameters with their limits"),
        ("equipment", "EU GMP 4.18", "the equipment to be used"),
        ("labels", "21 CFR 211.186(b)(8)", "the labels, with their versions"),
    ):
        if not content[name]:
            yield Lack(f"no-{name}", clause, text)
    for one in content["parameters"]:
        if one["criticality"] != "other" and one["low"] is None and one["high"] is None:
            yield Lack("no-limits", "21 CFR 211.110(b)", f"limits of the critical {one['tag']}")
    for point in content["sampling"]:
        if not (point["specification"] or point["tests"]):
            yield Lack("no-tests", "21 CFR 211.186(b)(9)", f"what {point['name']} is tested for")


_RULES: tuple[Callable[[Content], Iterator[Lack]], ...] = (
    _header, _change, _materials, _phases, _controls,
)  # fmt: skip
