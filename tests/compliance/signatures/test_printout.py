"""The text of a printout has every signature with name, time, zone, role and meaning."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from compliance.access.duties import Role
from compliance.reports import layout, signed_blocks
from compliance.reports.document import Document, Section
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db


@pytest.mark.requirement("P11-50a", "P11-50b")
def test_all_of_a_signature_is_in_the_text_of_the_pdf(tmp_path: Path, settings: Any) -> None:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not on this machine")
    settings.SITE_ZONE = "Europe/Zurich"
    record, signer = factories.deviation(), factories.person(Role.QUALITY_ASSURANCE)
    signing.sign(record, meaning=Meaning.REVIEWED, confirmed=factories.confirmed(signer))
    document = Document(
        title="A title", number="RPT-1", digest="cd" * 32, tree_size=1, verify_text="Ask",
        generated_at=NOON, sections=(Section("Signatures", tuple(signed_blocks.of(record))),),
    )  # fmt: skip
    path = tmp_path / "drawn.pdf"
    path.write_bytes(layout.draw(document))

    done = subprocess.run(
        ["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True
    )

    for shown in (
        f"{signer.full_name} ({signer.username})", "2026-03-02 13:00:00 CET (UTC+01:00)",
        "Review", "Quality assurance", "Name and password",
    ):  # fmt: skip
        assert shown in done.stdout
