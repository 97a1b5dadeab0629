"""A document drawn, sealed, and judged: by us and by others' validators."""

import os
import random
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from compliance.reports import charts, layout, seal, spelling
from compliance.reports.document import (
    Attachment,
    ChangedValue,
    Chart,
    Column,
    Document,
    Fact,
    Facts,
    Finding,
    Paragraph,
    Section,
    Severity,
    SignatureBlock,
    Table,
    Tile,
    Tone,
)

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
DIGEST = "ab" * 32
EVIDENCE = b'{"entries":[1,2,3]}'


def _document(rows: int = 120) -> Document:
    points = [(AT + timedelta(hours=hour), 20.0 - hour / 10) for hour in range(100)]
    chart = charts.time_series(
        [charts.Series("Glucose", points)],
        limits=[charts.Limit("low 11", 11.0)],
        title="Glucose",
        unit="mmol/L",
    )
    table = Table(
        (Column("No."), Column("Text", 3.0)), tuple((str(n), f"row {n}") for n in range(rows))
    )
    changed = ChangedValue(
        old="12.50", new="12.60", who="qc.one", when=AT, why="typing error found"
    )
    signature = SignatureBlock(
        printed_name="Kim Lee", username="qa.lee", role="Quality assurance", meaning="Closure",
        signed_at=AT, digest=DIGEST, is_current=True,
    )  # fmt: skip
    finding = Finding(
        number="BR-04", severity=Severity.MAJOR, clause="21 CFR 211.192", text="A value is outside."
    )
    return Document(
        title="Batch record B-1", number="RPT-2026-0001", digest=DIGEST, tree_size=4711,
        verify_text="RPT-2026-0001", generated_at=AT,
        verdicts=(Tile("Disposition", "Rejected", Tone.BAD),),
        sections=(
            Section("Facts", (Facts((Fact("Result", changed),)), Chart(chart))),
            Section("Rows", (table,)),
            Section("Signatures", (signature, finding, Paragraph("Übergröße µg/mL ≤ 5 °C"))),
        ),
        attachments=(
            Attachment(
                name="evidence.json", media_type="application/json", data=EVIDENCE, description="e"
            ),
        ),
    )  # fmt: skip


@pytest.fixture(scope="module")
def sealing(tmp_path_factory: pytest.TempPathFactory) -> seal.Seal:
    folder = tmp_path_factory.mktemp("keys") / "seal"
    seal.create_trial_authority(folder, at=AT - timedelta(days=1))
    return seal.load(folder)


@pytest.fixture(scope="module")
def sealed(sealing: seal.Seal) -> bytes:
    drawn = layout.draw(_document())
    return sealing.sign(drawn, reason="Batch record B-1", location="Demo plant", at=AT)


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"{name} is needed here")
        pytest.skip(f"{name} is not on this machine")
    return found


def _text(pdf: Path) -> list[str]:
    done = subprocess.run(
        [_tool("pdftotext"), "-layout", str(pdf), "-"], capture_output=True, text=True, check=True
    )
    return done.stdout.split("\f")[:-1]


def test_others_validators_accept_the_seal(sealed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(sealed)

    judged = subprocess.run(
        [_tool("pdfsig"), str(path)], capture_output=True, text=True, check=False
    )

    assert "Signature is Valid" in judged.stdout
    assert "Total document signed" in judged.stdout
    subprocess.run([_tool("qpdf"), "--check", str(path)], capture_output=True, check=True)


def test_the_seal_is_valid_intact_trusted_and_covers_the_file(
    sealed: bytes, sealing: seal.Seal
) -> None:
    verdict = seal.verify(sealed, trusted=sealing.trusted, at=AT)

    assert verdict.is_valid, verdict.problems


def test_another_authority_is_not_trusted(sealed: bytes, tmp_path: Path) -> None:
    seal.create_trial_authority(tmp_path / "other", at=AT - timedelta(days=1))

    verdict = seal.verify(sealed, trusted=seal.load(tmp_path / "other").trusted, at=AT)

    assert verdict.intact
    assert not verdict.trusted
    assert not verdict.is_valid


@pytest.mark.requirement("P11-30")
def test_a_flipped_byte_anywhere_or_an_appended_revision_is_refused(
    sealed: bytes, sealing: seal.Seal
) -> None:
    accepted = []
    places = random.Random(7).sample(range(len(sealed)), 60)
    for place in places:
        altered = bytearray(sealed)
        altered[place] ^= 0x20
        if seal.verify(bytes(altered), trusted=sealing.trusted, at=AT).is_valid:
            accepted.append(place)

    assert accepted == []
    assert not seal.verify(sealed + b"\n% more", trusted=sealing.trusted, at=AT).is_valid


def test_every_page_says_its_number_and_the_record_digest(sealed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(sealed)

    pages = _text(path)

    assert len(pages) > 2
    for number, page in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in page
        assert DIGEST in page


def test_signature_changed_value_and_finding_are_in_the_text(sealed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(sealed)

    text = "\n".join(_text(path))

    # 21 CFR 11.50(a): printed name, date and time with zone, meaning; and the role
    for said in ("Kim Lee", "Closure", "Quality assurance", "2026-03-02 09:30:00"):
        assert said in text
    for said in ("12.50", "12.60", "typing error found", "BR-04", "Übergröße µg/mL ≤ 5 °C"):
        assert said in text
    assert all(f"row {number}" in text for number in range(120))


@pytest.mark.requirement("P11-b1")
def test_the_evidence_comes_out_as_it_went_in(sealed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(sealed)

    subprocess.run(
        [_tool("pdfdetach"), "-saveall", "-o", str(tmp_path), str(path)], check=True,
        capture_output=True,
    )  # fmt: skip

    assert (tmp_path / "evidence.json").read_bytes() == EVIDENCE


def test_the_same_document_draws_the_same_bytes() -> None:
    assert layout.draw(_document(rows=20)) == layout.draw(_document(rows=20))


def test_what_the_fonts_lack_is_spelled_out_and_nothing_else_is_touched() -> None:
    document = _document(rows=1)
    with_memo = spelling.spelled(
        Section("Text", (Paragraph("📝 Übergröße"), Facts((Fact("a", "é\ufe0f"),))))
    )

    assert with_memo.blocks[0] == Paragraph("⟦U+1F4DD MEMO⟧ Übergröße")
    assert with_memo.blocks[1] == Facts((Fact("a", "é⟦U+FE0F VARIATION SELECTOR-16⟧"),))
    assert spelling.spelled(document) == document


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("記録 7", "⟦U+8A18 U+9332⟧ 7"),
        ("ab\u202ecd", "ab⟦U+202E RIGHT-TO-LEFT OVERRIDE⟧cd"),
        ("a\u200bb", "a⟦U+200B ZERO WIDTH SPACE⟧b"),
        ("\u0645\u062d", "⟦U+0645 U+062D⟧"),
        ("\u0e44\u0e17\u0e22 \u05d0", "⟦U+0E44 U+0E17 U+0E22⟧ ⟦U+05D0 HEBREW LETTER ALEF⟧"),
        # What somebody wrote like it is not taken for it.
        ("⟦U+0041⟧", "⟦U+27E6 MATHEMATICAL LEFT WHITE SQUARE BRACKET⟧U+0041"
                     "⟦U+27E7 MATHEMATICAL RIGHT WHITE SQUARE BRACKET⟧"),
        ("[MEMO] [U+000B]", "[MEMO] [U+000B]"),
    ],
)  # fmt: skip
def test_every_character_that_cannot_be_drawn_is_there_by_its_number(text: str, shown: str) -> None:
    assert spelling.spelled(text) == shown


def test_no_two_texts_are_spelled_alike() -> None:
    dice = random.Random(5)
    signs = ["a", "⟦", "⟧", "U+0061", " ", "\u200d", "\ufe0f", "\U0001f4dd", "\u05d0", "記", "\x0b"]
    texts = {"".join(dice.choices(signs, k=dice.randint(1, 5))) for _ in range(20_000)}

    assert len({spelling.spelled(one) for one in texts}) == len(texts)


def test_an_outsider_is_told_step_by_step_how_to_verify(sealed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(sealed)

    text = " ".join("\n".join(_text(path)).split())

    for command in (
        "pdfsig FILE.pdf", "sha256sum FILE.pdf", "pdfdetach -saveall FILE.pdf",
        "python -m pip install cryptography",
        "python verifier.pyz evidence evidence.json --trust keys.txt",
    ):  # fmt: skip
        assert command in text
    assert "of a tree size of 4711 or more" in text


@pytest.mark.parametrize("character", ["\x0b", "\x07", "\r", "\x7f", "\x85"])
def test_a_control_character_is_spelled_out_and_the_document_is_drawn(character: str) -> None:
    text = f"one{character}two\nthree"

    said = spelling.spelled(Section("Text", (Paragraph(text), Facts((Fact("a", text),)))))

    shown = f"one⟦U+{ord(character):04X}⟧two\nthree"
    assert said.blocks == (Paragraph(shown), Facts((Fact("a", shown),)))
    document = replace(_document(rows=1), sections=(Section("Text", (Paragraph(text),)),))
    assert layout.draw(spelling.spelled(document)).startswith(b"%PDF")
