"""Write the dossier of a model version into a report (Annex 22 draft, 3)."""

from typing import Any

from compliance.reports.document import Align, Block, Column, Fact, Facts, Paragraph, Table
from compliance.trail.tlog import canonical
from twins.hub import batch_models
from twins.hub.models import ModelDossier, ModelVersion
from twins.models.batch_monitoring.signals import LABORATORY, ONLINE

_PARAMETERS = (
    Column("Parameter", 1.3),
    Column("Value", 0.9, Align.RIGHT),
    Column("Unit", 0.9),
    Column("Range", 1.2, Align.RIGHT),
    Column("Source", 2.0),
)
_FIRST = ("name", "tag", "kind", "unit", "low", "high", "valid_low", "valid_high")
_OTHERS = frozenset(
    {"parameters", "name", "intended_use", "valid_range", "training_batches", "digest", "label",
     "code_digest"}
)  # fmt: skip


def write(version: ModelVersion) -> list[Block]:
    """Give intended use, input space, parameters, training data and code."""
    dossier = (
        ModelDossier.objects.filter(version=version).select_related("prepared_by").first()
    )  # fmt: skip
    blocks: list[Block] = [Facts(tuple(_facts(version, dossier)))]
    parameters = version.declarations.get("parameters", [])
    if parameters:
        rows = tuple(_parameter(one) for one in parameters)
        blocks.append(Table(_PARAMETERS, rows, caption="Parameters"))
    if batch_models.is_trained(version):
        blocks.append(_signals())
    blocks += [_declared(name, said) for name, said in _rest(version) if said]
    if dossier is None:
        return [*blocks, Paragraph("The dossier has not been prepared yet.")]
    trained = tuple(
        (one.label, str(one.rows), one.content_digest) for one in dossier.batches.order_by("pk")
    )
    columns = (
        Column("Batch", 1.4),
        Column("Rows", 0.5, Align.RIGHT),
        Column("SHA-256 of its content", 3.6),
    )
    return [
        *blocks,
        Table(columns, trained, caption=f"The {len(trained)} batches that it was trained on"),
    ]


def _facts(version: ModelVersion, dossier: ModelDossier | None) -> list[Fact]:
    found = [
        Fact("Intended use", version.intended_use),
        Fact("Input space", version.valid_range),
        Fact("Code, SHA-256", version.code_digest),
        Fact("Parameters, SHA-256", version.parameters_digest),
    ]
    if dossier is None:
        return found
    trainers = dossier.trainers.select_related("person").order_by("pk")
    return [
        *found,
        Fact("Subgroups", ", ".join(dossier.subgroups)),
        Fact("Limits of use", dossier.limits),
        Fact("Training data", dossier.training),
        *_repeated(version, dossier),
        Fact("Trained by", ", ".join(_person(one.person) for one in trainers) or "nobody"),
        Fact("Prepared by", _person(dossier.prepared_by)),
    ]


def _repeated(version: ModelVersion, dossier: ModelDossier) -> list[Fact]:
    if not batch_models.is_trained(version):
        return []
    said = (
        "yes: the installation trained it from these batches, and got the same numbers to the bit"
        if dossier.is_training_repeated
        else "no: that it was trained on these batches and no others is its author's word"
    )
    return [Fact("Trained again", said)]


def _person(one: Any) -> str:
    return f"{one.full_name} ({one.username})"


def _parameter(one: dict[str, Any]) -> tuple[str, ...]:
    return (
        str(one.get("name", "")), _number(one.get("value")), str(one.get("unit", "")),
        f"{_number(one.get('low'))} to {_number(one.get('high'))}", str(one.get("source", "")),
    )  # fmt: skip


def _number(value: Any) -> str:
    try:
        return f"{float(value):.6g}"
    except (TypeError, ValueError):
        return str(value or "")


def _rest(version: ModelVersion) -> list[tuple[str, Any]]:
    return [(name, said) for name, said in version.declarations.items() if name not in _OTHERS]


def _declared(name: str, said: Any) -> Block:
    """Give one declaration: alike records as a table, named values as facts, else as text."""
    label = name.replace("_", " ").capitalize()
    if isinstance(said, list) and all(isinstance(one, dict) for one in said):
        names = sorted(said[0], key=_place)
        rows = tuple(tuple(_cell(one.get(name)) for name in names) for one in said)
        columns = tuple(_column(name, [row[at] for row in rows]) for at, name in enumerate(names))
        return Table(columns, rows, caption=label)
    if isinstance(said, dict):
        pairs = tuple((str(key).replace("_", " "), _cell(value)) for key, value in said.items())
        return Table((Column(label, 1.0), Column("Value", 3.0)), pairs)
    return Facts((Fact(label, _cell(said)),))


def _signals() -> Table:
    """Give what a trained twin reads, with unit and the range beyond which a value is none."""
    rows = tuple(
        (one.name, one.unit, f"{one.low:g} to {one.high:g}", kind)
        for kind, signals in (("on line", ONLINE), ("laboratory", LABORATORY))
        for one in signals
    )
    columns = (
        Column("Input", 1.4),
        Column("Unit", 1.0),
        Column("Plausible range", 1.4, Align.RIGHT),
        Column("Measured", 1.0),
    )
    caption = "Inputs; every number of the twin is fitted to the training batches"
    return Table(columns, rows, caption=caption)


def _place(name: str) -> int:
    return _FIRST.index(name) if name in _FIRST else len(_FIRST)


def _column(name: str, cells: list[str]) -> Column:
    is_numeric = all(_is_number(cell) for cell in cells if cell)
    weight = 2.6 if name in ("name", "tag") else 1.0
    align = Align.RIGHT if is_numeric and name != "unit" else Align.LEFT
    return Column(name.replace("_", " ").capitalize(), weight, align)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else canonical.dumps(value).decode()
