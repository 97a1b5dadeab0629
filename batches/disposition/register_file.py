"""Write the register of certificates as CSV, one line a certificate."""

import csv
import io
from collections.abc import Iterable

from batches.disposition.models import Certificate

COLUMNS = (
    "serial", "number", "batch", "product", "certified_at", "printed_name", "username", "role",
    "statement", "deviations", "assessment", "record_sha256",
)  # fmt: skip


def csv_of(certificates: Iterable[Certificate]) -> str:
    """Return the register; a cell that a spreadsheet would compute is written as text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in certificates:
        signature = one.signature
        writer.writerow(
            _plain(cell)
            for cell in (
                str(one.serial), one.number, one.batch.number, one.batch.recipe.product.code,
                one.certified_at.isoformat(), signature.printed_name, signature.username,
                signature.role, one.statement,
                " ".join(str(deviation["number"]) for deviation in one.deviations),
                one.assessment, signature.record_digest,
            )
        )  # fmt: skip
    return out.getvalue()


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
