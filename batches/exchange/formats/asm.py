"""Read an Allotrope Simple Model: what was measured in which sample, with its unit as written."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from batches.exchange.formats import declared, gates
from batches.exchange.formats.contents import Content, ResultSaid
from batches.exchange.formats.declared import Declaration
from batches.exchange.formats.gates import Number
from batches.exchange.formats.mapping_reports import Report
from compliance import times

_MANIFEST = re.compile(
    r"https?://purl\.allotrope\.org/manifests/(?P<technique>[a-z-]{1,60})/"
    r"(?P<version>[A-Z]{1,20}/\d{4}/\d{2})/[a-z-]{1,60}\.(?:manifest|schema)"
)
# Settings of the instrument and raw curves are kept with the message; they are no results.
_SETTINGS = frozenset({"device control aggregate document", "data processing document"})
_CURVES = re.compile(r".* data cube")
_SETTING = re.compile(r"\bsetting\b")
_OFFSET = re.compile(r"(?:Z|[+-]\d{2}:\d{2})$")
# What tells the parts of a list from each other, in this order.
_NAMES = ("analyte name", "peak name", "written name", "calculated data name")
MOST_RESULTS = 50_000


def read(data: bytes, by: Declaration | None = None) -> Content:
    """Return the results of a document; raise a refusal of `gates` when it is no sane JSON.

    What its properties are to this plant, and the zone of its times, is declared or in the way.
    """
    document = gates.json_(data)
    report = Report()
    manifest = document.get("$asm.manifest") if isinstance(document, dict) else None
    found = _MANIFEST.fullmatch(manifest) if isinstance(manifest, str) else None
    if found is None:
        report.problem(
            "/$asm.manifest", "manifest-unknown", "the document names no manifest of Allotrope"
        )
        return Content(format="json", version="", report=report)
    walk = _Walk(report)
    report.mapped("/$asm.manifest", "message.format")
    items = tuple(walk.technique(document))
    if not items and report.is_clean:
        report.problem("/", "nothing-mapped", "the document holds no measured quantity")
    if walk.is_cut:
        report.problem("/", "too-many-results", f"a message has at most {MOST_RESULTS} results")
    measured = len(items)
    items = tuple(_declared(items, by, report, converter=walk.converter))
    if measured and not items and report.is_clean:
        report.problem("/", "nothing-mapped", "the mapping leaves every property of the document")
    walk.close(document)
    return Content(
        format=f"asm-{found['technique']}", version=found["version"], items=items, report=report
    )


def _declared(
    items: Iterable[ResultSaid], by: Declaration | None, report: Report, *, converter: str
) -> Iterator[ResultSaid]:
    """Give each property the tag that was declared for it, and each time its zone."""
    if by is None or by.kind != "asm":
        report.problem(
            "/", "mapping-missing", "no mapping of ASM was named: which tag is which property?"
        )
        if converter.startswith("allotropy"):
            # Instruments write no zone; the converter writes +00:00 for whatever they showed.
            report.problem(
                "/", "zone-of-converter",
                f"{converter} wrote the offset of the times: the instrument gave none",
            )  # fmt: skip
        yield from items
        return
    for item in items:
        column = by.results.get(item.tag)
        if column is None and by.leave_unlisted:
            report.unmapped(item.pointer, f"{item.tag}: declared to be left")
        elif column is None:
            report.problem(
                item.pointer, "property-undeclared", "nobody declared its tag", raw=item.tag
            )
        elif column.unit not in ("", item.unit):
            report.problem(
                item.pointer, "unit-differs", f"{item.tag} is declared in {column.unit}",
                raw=item.unit,
            )  # fmt: skip
        else:
            report.changed(item.pointer, before=item.tag, after=column.tag, rule="declared tag")
            yield replace(item, tag=column.tag, measured_at=_moment(item, by, report))


def _moment(item: ResultSaid, by: Declaration, report: Report) -> str:
    """Return the time as declared: by the document's own offset, or the wall clock of a zone."""
    text = item.measured_at
    shown = text if by.zone == declared.OFFSET else _OFFSET.sub("", text)
    try:
        after = declared.moment(shown, by).isoformat()
    except times.NotAMoment as error:
        report.problem(item.pointer, "time-unreadable", str(error), raw=text)
        return ""
    if after != text:
        report.changed(item.pointer, before=text, after=after, rule=f"clock of zone {by.zone}")
    return after


class _Walk:
    """Go through one document; what is taken is remembered by its pointer."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.converter = ""
        self.is_cut = False
        self._taken: set[str] = {"/$asm.manifest"}

    def technique(self, document: Mapping[str, Any]) -> Iterator[ResultSaid]:
        for name, aggregate in document.items():
            if not name.endswith(" aggregate document") or not isinstance(aggregate, dict):
                continue
            at = f"/{_escaped(name)}"
            self._system(aggregate, at)
            one = name.removesuffix(" aggregate document") + " document"
            for place, part in _each(aggregate.get(one), f"{at}/{_escaped(one)}"):
                analyst = self._text(part, "analyst", place, "result.analyst")
                yield from self._measurements(part, place, analyst)

    def _system(self, aggregate: Mapping[str, Any], at: str) -> None:
        system = aggregate.get("data system document")
        if isinstance(system, dict):
            place = f"{at}/data system document"
            name = self._text(system, "ASM converter name", place, "message.converter")
            version = self._text(system, "ASM converter version", place, "message.converter")
            self.converter = f"{name} {version}".strip()

    def _measurements(self, part: Mapping[str, Any], at: str, analyst: str) -> Iterator[ResultSaid]:
        aggregate = part.get("measurement aggregate document")
        if not isinstance(aggregate, dict):
            return
        above = f"{at}/measurement aggregate document"
        common = self._text(aggregate, "measurement time", above, "result.measured_at")
        for place, one in _each(
            aggregate.get("measurement document"), f"{above}/measurement document"
        ):
            sample = one.get("sample document")
            sample = sample if isinstance(sample, dict) else {}
            said = {
                "sample": self._text(
                    sample, "sample identifier", f"{place}/sample document", "result.sample"
                ),
                "batch": self._text(
                    sample, "batch identifier", f"{place}/sample document", "result.batch"
                ),
                "measured_at": self._text(one, "measurement time", place, "result.measured_at")
                or common,
                "analyst": analyst,
            }
            own = self._text(one, "measurement identifier", place, "result.id")
            for pointer, name, value, unit in self._quantities(one, place, self._detector(one)):
                self._taken |= {f"{pointer}/value", f"{pointer}/unit"}
                self.report.mapped(f"{pointer}/value", "result.value")
                self.report.mapped(f"{pointer}/unit", "result.unit")
                yield ResultSaid(
                    pointer=pointer, tag=name, value=value, unit=unit, id=f"{own}/{name}", **said
                )

    @staticmethod
    def _detector(one: Mapping[str, Any]) -> str:
        """Return the wavelength of the detector: an absorbance without it is not one result."""
        control = one.get("device control aggregate document")
        parts = control.get("device control document") if isinstance(control, dict) else None
        for _, part in _each(parts, ""):
            setting = part.get("detector wavelength setting")
            if isinstance(setting, dict) and isinstance(setting.get("value"), Number):
                return f" @{setting['value']} {setting.get('unit')}"
        return ""

    def _quantities(
        self, part: Any, at: str, suffix: str, names: tuple[str, ...] = ()
    ) -> Iterator[tuple[str, str, str, str]]:
        """Yield every quantity below a part: its pointer, its name, its value and its unit."""
        count = 0
        waiting: list[tuple[Any, str, tuple[str, ...], str]] = [(part, at, names, "")]
        while waiting:
            one, place, labels, key = waiting.pop()
            if isinstance(one, list):
                waiting += [
                    (each, f"{place}/{number}", labels, key)
                    for number, each in reversed(list(enumerate(one)))
                ]
            elif isinstance(one, dict) and "unit" in one and "value" in one:
                count += 1
                if count > MOST_RESULTS:
                    self.is_cut = True
                    return
                value, unit = one["value"], one["unit"]
                name = "/".join((*labels, key))[:200] + suffix
                if isinstance(value, Number) and isinstance(unit, str):
                    yield place, name, str(value), unit
                else:
                    self.report.problem(
                        place, "value-not-a-number", f"{name} has no number", raw=str(value)
                    )
            elif isinstance(one, dict):
                label = next((one[each] for each in _NAMES if isinstance(one.get(each), str)), None)
                below = (*labels, label) if label else labels
                waiting += [
                    (each, f"{place}/{_escaped(name)}", below, name)
                    for name, each in reversed(one.items())
                    if name not in _SETTINGS
                    and not _CURVES.fullmatch(name)
                    and not _SETTING.search(name)
                ]

    def _text(self, part: Mapping[str, Any], name: str, at: str, to: str) -> str:
        text = part.get(name)
        if not isinstance(text, str) or isinstance(text, Number):
            return ""
        pointer = f"{at}/{_escaped(name)}"
        self._taken.add(pointer)
        self.report.mapped(pointer, to)
        return text

    def close(self, document: Any) -> None:
        """Say of every value that was not taken that it is not mapped."""
        waiting: list[tuple[Any, str]] = [(document, "")]
        while waiting:
            one, place = waiting.pop()
            if isinstance(one, dict):
                waiting += [(each, f"{place}/{_escaped(name)}") for name, each in one.items()]
            elif isinstance(one, list) and _is_curve(one):
                self.report.unmapped(place, "curve")
            elif isinstance(one, list):
                waiting += [(each, f"{place}/{number}") for number, each in enumerate(one)]
            elif place not in self._taken:
                self.report.unmapped(place)


def _is_curve(one: list[Any]) -> bool:
    return bool(one) and not isinstance(one[0], dict | list)


def _each(parts: Any, at: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, one in enumerate(parts if isinstance(parts, list) else []):
        if isinstance(one, dict):
            yield f"{at}/{number}", one


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
