"""Write docs/errors.md from the refusals in the source."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from compliance.api_contract import error_codes

HEAD = """# Errors of the API

Every refusal is `application/problem+json` (RFC 9457). Its `type` is `/problems/<code>`: the same
text on every installation, and the address of its entry on that installation. Codes never change.
What to do by status is in [api.md](api.md#errors). Made from the source by
`manage.py error_catalogue`; a test holds the two together.

| code | status | means |
|---|---|---|
"""


def text() -> str:
    error_codes.load()
    rows = [f"| `{one.code}` | {one.status} | {one.means} |\n" for one in error_codes.known()]
    return HEAD + "".join(rows)


class Command(BaseCommand):
    help = "Write the catalogue of errors to docs/errors.md."

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(settings.BASE_DIR) / "docs" / "errors.md"
        path.write_text(text())
        self.stdout.write(f"{path}: written")
