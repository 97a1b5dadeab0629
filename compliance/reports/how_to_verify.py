"""Tell who holds a printed or sealed report, and nothing else of the product, how to verify it."""

from compliance.reports import spelling
from compliance.reports.document import Document, Paragraph


def steps(document: Document) -> tuple[Paragraph, ...]:
    """Return the steps, in the order in which they are taken."""
    evidence = [one.name for one in document.attachments]
    return tuple(
        Paragraph(f"{number}. {text}")
        for number, text in enumerate(
            [
                _SEAL,
                *(_attached(name) for name in evidence),
                _complete(document),
                _PAGES,
                spelling.MEANING,
            ],
            start=1,
        )
    )


_SEAL = (
    "The file is as it was sealed. Open it in a PDF reader that shows signatures, or run\n"
    "        pdfsig FILE.pdf\n"
    "It has one signature, valid, over the total document. Compare the SHA-256 fingerprint of the "
    "certificate with the one that the plant gives you otherwise than in this file: a seal of somebody "
    "else is valid, too. The plant has the SHA-256 of the file on record (sha256sum FILE.pdf)."
)
_PAGES = (
    "The pages belong together. Each has the same record digest, tree size and code, and says which "
    "page of how many it is. Of a printout nothing else can be verified: ask for the file."
)


def _attached(name: str) -> str:
    return (
        "The log has these entries. Save the attached file from the reader's list of attachments, or "
        "with\n"
        "        pdfdetach -saveall FILE.pdf\n"
        "and run, with Python 3.11 or newer and no network,\n"
        "        python -m pip install cryptography        (once, with network)\n"
        f"        python verifier.pyz evidence {name} --trust keys.txt\n"
        "keys.txt holds the public keys of the log, one a line. They and verifier.pyz come from "
        "the plant, otherwise than with this file; verifier.pyz is also in every evidence bundle."
    )


def _complete(document: Document) -> str:
    return (
        f"Nothing is left out. Ask the plant for the evidence bundle about the same subject, of a tree "
        f"size of {document.tree_size} or more. It shows of each record that its entries are all, "
        "and its README.txt says how to verify that."
    )
