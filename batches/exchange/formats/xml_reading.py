"""Walk an XML message whatever version its namespace says, and note what was taken from it."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from lxml import etree

from batches.exchange.formats.mapping_reports import Report

ACKNOWLEDGEMENT = (
    "The Business To Manufacturing Markup Language (B2MML) is used courtesy of MESA International."
)
V0700 = "http://www.mesa.org/xml/B2MML"
VERSIONS = ("V02", "V0401", "V0600", "V0700")
_SPACE = re.compile(
    r"http://www\.(?:wbf|mesa)\.org/xml/(?:B2MML|BatchML)(?:-(?P<version>V\d{2,4}))?", re.I
)
_LONGEST = 60


def version_of(root: Any) -> str | None:
    """Return the version that a root's namespace says, or None when it is of neither language."""
    found = _SPACE.fullmatch(etree.QName(root).namespace or "")
    if found is None:
        return None
    return (found["version"] or "V0700").upper()


@lru_cache(maxsize=4096)
def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


@lru_cache(maxsize=4096)
def _is_known_tag(tag: str) -> bool:
    space, found, _ = tag.rpartition("}")
    return not found or _SPACE.fullmatch(space[1:]) is not None


def name_of(element: Any) -> str:
    return _local(element.tag)


class Reading:
    """One message that is read; whatever nobody took is said to be unmapped at the end."""

    def __init__(self, root: Any, report: Report) -> None:
        self.root, self.report = root, report
        self._taken: set[Any] = set()
        self._places: dict[Any, int] = {}

    def children(self, of: Any, *names: str) -> Iterator[Any]:
        for child in of:
            if name_of(child) in names and self._is_known(child):
                yield child

    def child(self, of: Any, *names: str) -> Any | None:
        return next(self.children(of, *names), None)

    def text(self, of: Any, *names: str, to: str) -> str:
        """Return the text of the first child of a name, as written but for padding."""
        child = self.child(of, *names)
        return "" if child is None else self.taken(child, to=to)

    def taken(self, element: Any, *, to: str) -> str:
        self._taken.add(element)
        written = element.text or ""
        text = str(written.strip())
        if text:
            self.report.mapped(self.xpath(element), to)
        if text != written and text:
            self.report.changed(
                self.xpath(element), before=written, after=text, rule="padding of XML"
            )
        return text

    def verbatim(self, element: Any, *, to: str) -> str:
        """Return the text of an element with all of its spaces."""
        self._taken.add(element)
        written = str(element.text or "")
        if written:
            self.report.mapped(self.xpath(element), to)
        return written

    def quantity(self, of: Any, *names: str, to: str) -> tuple[str, str]:
        """Return the digits and the unit of the first quantity."""
        found = self.child(of, *(names or ("Quantity",)))
        if found is None:
            return "", ""
        self._note_type(found)
        return (
            self.text(found, "QuantityString", "ValueString", to=to),
            self.text(found, "UnitOfMeasure", to=f"{to} (unit)"),
        )

    def _note_type(self, quantity: Any) -> None:
        if (kind := self.child(quantity, "DataType")) is not None:
            self.taken(kind, to="(data type of the value)")

    def xpath(self, element: Any) -> str:
        """Return the path to an element by local names and positions."""
        parts: list[str] = []
        while element is not None:
            parts.append(self._step(element))
            element = element.getparent()
        return "/" + "/".join(reversed(parts))

    def close(self) -> None:
        """Say of every text and attribute that nobody took that it is not mapped."""
        waiting = [(self.root, "/" + self._step(self.root))]
        while waiting:
            element, path = waiting.pop()
            if element not in self._taken and (element.text or "").strip():
                known = self._is_known(element)
                self.report.unmapped(path, "" if known else "of another namespace")
            for name in element.attrib:
                self.report.unmapped(f"{path}/@{etree.QName(name).localname[:_LONGEST]}")
            if (element.tail or "").strip():
                self.report.unmapped(path, "text after the element")
            waiting += [(child, f"{path}/{self._step(child)}") for child in element]

    def _step(self, element: Any) -> str:
        parent = element.getparent()
        if parent is None:
            return name_of(element)[:_LONGEST]
        if element not in self._places:
            seen: dict[str, int] = {}
            for child in parent:
                seen[child.tag] = seen.get(child.tag, 0) + 1
                self._places[child] = seen[child.tag]
        return f"{name_of(element)[:_LONGEST]}[{self._places[element]}]"

    @staticmethod
    def _is_known(element: Any) -> bool:
        return _is_known_tag(element.tag)
