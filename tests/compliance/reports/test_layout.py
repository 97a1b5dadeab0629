"""Pages as a reader gets them: nothing lost, nothing orphaned, changes marked."""

import dataclasses
import os
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from compliance.reports import embedding, layout, tables
from compliance.reports.document import (
    Align,
    Attachment,
    Block,
    ChangedValue,
    Column,
    Document,
    Fact,
    Facts,
    Paragraph,
    Section,
    SignatureBlock,
    Table,
)

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
DIGEST = "cd" * 32


def _document(*blocks: Block, heading: str = "Section") -> Document:
    return Document(
        title="A title",
        number="RPT-1",
        digest=DIGEST,
        tree_size=1_234_567,
        verify_text="Ask the verifier",
        generated_at=AT,
        sections=(Section(heading, blocks),),
    )


def _changed(old: str | ChangedValue, new: str) -> ChangedValue:
    return ChangedValue(old=old, new=new, who="qc.one", when=AT, why="misread", entry="17")


def _pages(document: Document, folder: Path) -> list[str]:
    tool = shutil.which("pdftotext")
    if tool is None:
        if os.environ.get("CI"):
            pytest.fail("pdftotext is needed here")
        pytest.skip("pdftotext is not on this machine")
    path = folder / "drawn.pdf"
    path.write_bytes(layout.draw(document))
    done = subprocess.run(
        [tool, "-layout", str(path), "-"], capture_output=True, text=True, check=True
    )
    return done.stdout.split("\f")[:-1]


def test_a_row_longer_than_two_pages_loses_no_word(tmp_path: Path) -> None:
    words = " ".join(f"word{n}" for n in range(3000))
    table = Table((Column("Step"), Column("Text", 4.0)), (("1", words), ("2", "after")))

    pages = _pages(_document(table), tmp_path)

    text = " ".join(pages)
    assert len(pages) > 2
    assert [n for n in range(3000) if not re.search(rf"\bword{n}\b", text)] == []
    assert "after" in text
    assert all("Step" in page for page in pages if "word" in page)


def test_the_heading_row_stands_on_every_page_of_a_table(tmp_path: Path) -> None:
    rows = tuple((str(n), f"text {n}") for n in range(300))
    table = Table((Column("Number", align=Align.RIGHT), Column("Remark", 3.0)), rows)

    pages = _pages(_document(table), tmp_path)

    with_rows = [page for page in pages if re.search(r"text \d+", page)]
    assert len(with_rows) > 4
    assert all("Number" in page and "Remark" in page for page in with_rows)


def test_a_word_wider_than_its_column_is_broken_and_whole(tmp_path: Path) -> None:
    word = "".join(f"{n:03d}x" for n in range(40))
    table = Table((Column("A"), Column("B", 9.0)), ((word, ""),))

    text = "".join(_pages(_document(table), tmp_path))

    assert word in re.sub(r"\s", "", text)


def test_an_empty_table_and_an_empty_section_say_so(tmp_path: Path) -> None:
    document = dataclasses.replace(
        _document(Table((Column("A"),), ())), sections=(
            Section("First", (Table((Column("A"),), ()),)), Section("Second", ()),
        )
    )  # fmt: skip

    assert "".join(_pages(document, tmp_path)).count("none recorded") == 2


@pytest.mark.parametrize("lines", range(40, 62))
def test_no_heading_is_left_alone_at_a_pages_end(lines: int, tmp_path: Path) -> None:
    filler = Section("Filler", (Paragraph("\n".join(["filler"] * lines)),))
    table = Table((Column("Col"),), (("first row",), ("second row",)), caption="Caption")
    document = dataclasses.replace(
        _document(), sections=(filler, Section("Lonely heading", (table,)))
    )

    pages = _pages(document, tmp_path)

    assert [("Lonely heading" in page) == ("first row" in page) for page in pages] == [True] * len(
        pages
    )


def test_only_a_changed_value_is_marked_and_its_note_says_old_who_when_why(tmp_path: Path) -> None:
    facts = Facts((Fact("Kept", "5.0"), Fact("Changed", _changed("12.5", "12.6"))))

    text = "".join(_pages(_document(facts), tmp_path))

    # EU GMP Annex 11, 8.2; chapter 4, 4.9
    assert text.count("Δ1") == 2
    assert "Δ2" not in text
    assert (
        "Δ1 was 12.5, now 12.6 (qc.one, 2026-03-02 09:30:00 UTC: misread); trail entry 17" in text
    )
    assert "12.5" in text.split("Δ1")[0]


def test_a_value_changed_twice_shows_all_three(tmp_path: Path) -> None:
    table = Table((Column("Value"),), ((_changed(_changed("1.0", "2.0"), "3.0"),),))

    text = "".join(_pages(_document(table), tmp_path))

    assert "Δ1 was 1.0, now 2.0" in text
    assert "Δ2 was 2.0, now 3.0" in text
    assert "Δ3" not in text


def test_a_signature_that_no_longer_covers_its_record_says_so(tmp_path: Path) -> None:
    stale = SignatureBlock(
        printed_name="Kim Lee", username="qa.lee", role="QA", meaning="Approved", signed_at=AT,
        digest=DIGEST, is_current=False,
    )  # fmt: skip
    current = dataclasses.replace(stale, is_current=True)

    assert "no longer covers" in "".join(_pages(_document(stale), tmp_path))
    assert "no longer covers" not in "".join(_pages(_document(current), tmp_path))


def test_a_watermark_stands_on_every_page(tmp_path: Path) -> None:
    document = dataclasses.replace(
        _document(Paragraph("\n".join(["line"] * 150))), watermark="SIMULATED - by no authority"
    )

    pages = _pages(document, tmp_path)

    assert len(pages) > 2
    assert all("SIMULATED - by no authority" in page for page in pages)


def test_every_font_is_embedded_and_the_document_is_described(tmp_path: Path) -> None:
    document = _document(Paragraph("Text → arrow"))
    path = tmp_path / "drawn.pdf"
    path.write_bytes(layout.draw(document))
    if shutil.which("pdffonts") is None or shutil.which("pdfinfo") is None:
        pytest.skip("pdffonts and pdfinfo are not on this machine")

    fonts = subprocess.run(["pdffonts", path], capture_output=True, text=True, check=True).stdout
    info = subprocess.run(
        ["pdfinfo", path], capture_output=True, text=True, check=True, env={"TZ": "UTC"}
    ).stdout

    assert "DejaVuSans" in fonts
    assert all(" yes yes " in line for line in fonts.splitlines()[2:])
    assert re.search(r"Title: +A title RPT-1", info)
    assert re.search(r"CreationDate: +Mon Mar +2 09:30:00 2026", info)


def test_two_attachments_of_one_name_are_refused() -> None:
    attachment = Attachment(name="a.json", media_type="application/json", data=b"", description="")
    document = dataclasses.replace(_document(), attachments=(attachment, attachment))

    with pytest.raises(embedding.AttachmentNameTaken):
        layout.draw(document)


def test_a_row_of_the_wrong_length_is_refused_when_it_is_described() -> None:
    with pytest.raises(ValueError, match="row 2 has 1 values for 2 columns"):
        Table((Column("A"), Column("B")), (("1", "2"), ("3",)))


def test_a_word_in_a_cell_is_not_broken_where_another_column_can_spare_the_room(
    tmp_path: Path,
) -> None:
    columns = (
        Column("Sample", 1.3), Column("Test", 1.3), Column("Vers.", 0.4, Align.RIGHT),
        Column("Result", 1.0, Align.RIGHT), Column("Verdict", 0.9), Column("Taken", 1.4),
        Column("Reported", 1.4), Column("Analyst", 0.9),
    )  # fmt: skip
    row = (
        "S-1", "lab_viable_cells_1e6_per_ml", "1", "12.4 10⁶/mL", "not judged: earlier sample",
        "2026-03-02", "2026-03-02", "j.abelard",
    )  # fmt: skip

    (page,) = _pages(_document(Table(columns, (row,))), tmp_path)

    words = {word for cell in row for word in cell.split()}
    assert [word for word in words if word not in page.split()] == []


@pytest.mark.parametrize("wanted", [[10.0, 90.0], [60.0, 40.0], [5.0, 95.0]])
@pytest.mark.parametrize("needed", [[30.0, 20.0], [90.0, 90.0], [1.0, 1.0]])
def test_columns_together_are_as_wide_as_before(wanted: list[float], needed: list[float]) -> None:
    found = tables._widths(wanted, needed)

    assert sum(found) == pytest.approx(100.0)
    assert min(found) > 0
    if sum(needed) <= 100.0:
        assert all(width >= need - 1e-9 for width, need in zip(found, needed, strict=True))
