"""Read a message by the format it came in, with what was declared for its sender."""

from batches.exchange.formats import asm, b2mml, declared, tables
from batches.exchange.formats.contents import Content
from batches.exchange.formats.declared import Declaration
from batches.exchange.formats.mapping_reports import Report
from batches.exchange.models.messages import SenderMapping


def read(data: bytes, *, kind: str, mapping: SenderMapping | None, failure: str = "") -> Content:
    """Return what a message says; raise a refusal of `formats.gates` when it is not readable.

    `kind` is that of the bytes: xml, json, ndjson or csv; a raw file comes as the json that was
    made of it, or with why nothing was.
    """
    if failure:
        report = Report()
        report.problem("/", "conversion-failed", failure)
        return Content(format="raw", version="", report=report)
    by: Declaration | None = None if mapping is None else declared.parse(mapping.definition)
    match kind:
        case "xml":
            return b2mml.read(data)
        case "json":
            return asm.read(data, by)
        case _:
            return tables.read(data, by, kind=kind)
