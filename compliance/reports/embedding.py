"""Put files, and a field for the seal, into a PDF before it is written."""

import hashlib
from typing import Any

from reportlab.pdfbase.pdfdoc import (
    PDFArray,
    PDFDate,
    PDFDictionary,
    PDFName,
    PDFStream,
    PDFString,
    PDFText,
    PDFZCompress,
)

from compliance.refusals import Refused
from compliance.reports.document import Attachment
from compliance.reports.paper import Paper

SEAL_FIELD = "SystemSeal"


class AttachmentNameTaken(Refused):
    """Refuse two attachments with one name."""

    code = "attachment-name-taken"
    status = 422


def attach(paper: Paper, attachments: tuple[Attachment, ...]) -> None:
    """Embed files and associate them with the document (ISO 32000-2, 14.13)."""
    if not attachments:
        return
    ordered = sorted(attachments, key=lambda attachment: attachment.name)
    names = [attachment.name for attachment in ordered]
    if len(set(names)) != len(names):
        raise AttachmentNameTaken(f"two attachments share a name: {', '.join(names)}")
    document = paper.canvas._doc
    tree: list[Any] = []
    specifications: list[Any] = []
    for number, attachment in enumerate(ordered):
        reference = document.Reference(
            _specification(document, attachment, number), f"attachment-{number}"
        )
        tree += [PDFString(attachment.name), reference]
        specifications.append(reference)
    catalog = document.Catalog
    catalog.Names = PDFDictionary({"EmbeddedFiles": PDFDictionary({"Names": PDFArray(tree)})})
    catalog.AF = PDFArray(specifications)
    catalog.__NoDefault__ = [*catalog.__NoDefault__, "AF"]


def _specification(document: Any, attachment: Attachment, number: int) -> Any:
    stream = PDFStream(content=attachment.data, filters=[PDFZCompress])
    stream.dictionary["Type"] = PDFName("EmbeddedFile")
    stream.dictionary["Subtype"] = _escaped(attachment.media_type)
    stream.dictionary["Params"] = PDFDictionary(
        {
            "Size": len(attachment.data),
            "ModDate": PDFDate(ts=document._timeStamp),
            # A checksum that the format defines; the seal is what protects the bytes.
            "CheckSum": PDFText(
                hashlib.md5(attachment.data, usedforsecurity=False).digest(), enc="raw"
            ),
        }
    )
    held = document.Reference(stream, f"attachment-data-{number}")
    return PDFDictionary(
        {
            "Type": PDFName("Filespec"),
            "F": PDFString(attachment.name),
            "UF": PDFString(attachment.name),
            "Desc": PDFString(attachment.description),
            "AFRelationship": PDFName("Data"),
            "EF": PDFDictionary({"F": held, "UF": held}),
        }
    )


def _escaped(media_type: str) -> str:
    # PDFName leaves the slash of a media type as it is, where it would begin another name.
    return "/" + str(PDFName(media_type))[1:].replace("/", "#2F")


def add_seal_field(paper: Paper, *, x: float, y: float, width: float, height: float) -> None:
    """Put an empty, visible signature field on the current page.

    It has to exist before the seal certifies the file: validators reject visible fields that
    are added to a certified document.
    """
    canvas, document = paper.canvas, paper.canvas._doc
    field = PDFDictionary(
        {
            "Type": PDFName("Annot"),
            "Subtype": PDFName("Widget"),
            "FT": PDFName("Sig"),
            "T": PDFString(SEAL_FIELD),
            "TU": PDFString("Seal of the system; it is no person's signature"),
            "F": 132,
            "Rect": PDFArray([x, y, x + width, y + height]),
            "P": document.thisPageRef(),
        }
    )
    canvas._addAnnotation(field, SEAL_FIELD, 1)
    document.Catalog.AcroForm = PDFDictionary(
        {"Fields": PDFArray([document.refAnnotation(SEAL_FIELD)])}
    )
