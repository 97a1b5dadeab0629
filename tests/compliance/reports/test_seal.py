"""The system's seal: its keys, what it refuses to do, and what it refuses to accept."""

import random
import stat
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from cryptography import x509
from pyhanko.pdf_utils.generic import pdf_name, pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader

from compliance.reports import layout, seal
from compliance.reports.document import Document

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys") / "seal"
    seal.create_trial_authority(folder, at=AT - timedelta(days=1))
    return folder


@pytest.fixture(scope="module")
def sealing(keys: Path) -> seal.Seal:
    return seal.load(keys)


@pytest.fixture(scope="module")
def drawn() -> bytes:
    return layout.draw(
        Document(
            title="Small", number="RPT-1", digest="ab" * 32, tree_size=1, verify_text="v",
            generated_at=AT,
        )
    )  # fmt: skip


@pytest.fixture(scope="module")
def sealed(sealing: seal.Seal, drawn: bytes) -> bytes:
    return sealing.sign(drawn, reason="Łódź batch", location="Plant 2", at=AT)


def _container(pdf: bytes) -> tuple[int, int]:
    """Give where the only bytes begin and end that the signature does not cover."""
    _, begin, end, _ = PdfFileReader(BytesIO(pdf)).embedded_signatures[0].byte_range
    return int(begin), int(end)


def _accepted(pdf: bytes, places: list[tuple[int, int]], sealing: seal.Seal) -> list[int]:
    found = []
    for place, bit in places:
        altered = bytearray(pdf)
        altered[place] ^= 1 << bit
        if seal.verify(bytes(altered), trusted=sealing.trusted, at=AT).is_valid:
            found.append(place)
    return found


def test_keys_are_open_to_their_owner_only(keys: Path) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in keys.iterdir()}

    assert modes == {"seal.p12": 0o600, "seal.passphrase": 0o600, "authority.pem": 0o600}
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700


def test_the_certificate_is_for_documents_and_says_that_it_is_a_trial(sealing: seal.Seal) -> None:
    usage = sealing.certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    purposes = sealing.certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value

    assert sealing.key.key_size == 3072
    assert (usage.digital_signature, usage.content_commitment) == (True, True)
    assert [purpose.dotted_string for purpose in purposes] == [
        "1.3.6.1.5.5.7.3.36",
        "1.3.6.1.5.5.7.3.4",
    ]
    assert sealing.is_trial
    assert sealing.name == "TRIAL system seal 2026-01"


def test_a_seal_is_never_overwritten(keys: Path) -> None:
    before = (keys / "seal.p12").read_bytes()

    with pytest.raises(seal.SealExists):
        seal.create_trial_authority(keys, at=AT)

    assert (keys / "seal.p12").read_bytes() == before


def test_a_key_that_others_can_read_is_not_used(keys: Path, tmp_path: Path) -> None:
    for name in ("seal.p12", "seal.passphrase"):
        (tmp_path / name).write_bytes((keys / name).read_bytes())
        (tmp_path / name).chmod(0o600)
    seal.load(tmp_path)
    (tmp_path / "seal.passphrase").chmod(0o640)

    with pytest.raises(seal.SealUnusable, match="chmod 600"):
        seal.load(tmp_path)


@pytest.mark.parametrize("wrong", ["seal.p12", "seal.passphrase"])
def test_a_missing_or_wrong_key_file_is_named(keys: Path, tmp_path: Path, wrong: str) -> None:
    for name in ("seal.p12", "seal.passphrase"):
        (tmp_path / name).write_bytes(b"wrong" if name == wrong else (keys / name).read_bytes())
        (tmp_path / name).chmod(0o600)

    with pytest.raises(seal.SealUnusable, match=r"seal\.p12 does not open"):
        seal.load(tmp_path)
    (tmp_path / wrong).unlink()
    with pytest.raises(seal.SealUnusable, match="is missing"):
        seal.load(tmp_path)


def test_the_given_moment_is_the_signing_time_and_the_system_the_signer(
    sealed: bytes, sealing: seal.Seal
) -> None:
    verdict = seal.verify(sealed, trusted=sealing.trusted, at=AT)

    assert verdict.is_valid, verdict.problems
    assert verdict.signed_at == AT
    assert verdict.signer == "TRIAL system seal 2026-01"


def test_an_approval_seal_is_valid_too(drawn: bytes, sealing: seal.Seal) -> None:
    approved = sealing.sign(drawn, reason="r", location="l", at=AT, certify=False)

    assert seal.verify(approved, trusted=sealing.trusted, at=AT).is_valid


def test_sealing_only_appends(drawn: bytes, sealed: bytes) -> None:
    assert sealed.startswith(drawn)


def test_a_sealed_file_is_not_sealed_again(sealed: bytes, sealing: seal.Seal) -> None:
    with pytest.raises(seal.CannotSeal):
        sealing.sign(sealed, reason="r", location="l", at=AT)


def test_an_unsealed_file_and_no_file_at_all_are_refused(drawn: bytes, sealing: seal.Seal) -> None:
    for data in (drawn, b"", b"%PDF-1.7\n", b"\x00" * 500):
        verdict = seal.verify(data, trusted=sealing.trusted, at=AT)

        assert not (verdict.intact or verdict.trusted or verdict.complete_coverage)
        assert verdict.problems


def test_two_hundred_flipped_bits_all_over_the_file_are_refused(
    sealed: bytes, sealing: seal.Seal
) -> None:
    chance = random.Random(20260302)
    places = [(chance.randrange(len(sealed)), chance.randrange(8)) for _ in range(200)]

    assert _accepted(sealed, places, sealing) == []


def test_flipped_bits_in_the_container_that_no_signature_covers_are_refused(
    sealed: bytes, sealing: seal.Seal
) -> None:
    begin, end = _container(sealed)
    chance = random.Random(11)
    places = [(place, chance.randrange(8)) for place in chance.sample(range(begin, end), 200)]
    places += [(begin, 0), (end - 1, 0)]

    assert _accepted(sealed, places, sealing) == []


def test_the_container_in_another_spelling_is_refused(sealed: bytes, sealing: seal.Seal) -> None:
    begin, end = _container(sealed)
    spelled = sealed[:begin] + sealed[begin:end].swapcase() + sealed[end:]

    verdict = seal.verify(spelled, trusted=sealing.trusted, at=AT)

    assert spelled != sealed
    assert verdict.problems == ("the signature's container was tampered with",)


def test_an_incremental_update_is_refused_for_its_coverage(
    sealed: bytes, sealing: seal.Seal
) -> None:
    writer = IncrementalPdfFileWriter(BytesIO(sealed))
    writer.root[pdf_name("/Extra")] = pdf_string("added later")
    writer.update_root()
    out = BytesIO()
    writer.write(out)

    verdict = seal.verify(out.getvalue(), trusted=sealing.trusted, at=AT)

    assert out.getvalue().startswith(sealed)
    assert verdict.intact
    assert verdict.trusted
    assert not verdict.complete_coverage
    assert not verdict.is_valid


def test_bytes_appended_or_cut_off_are_refused(sealed: bytes, sealing: seal.Seal) -> None:
    for altered in (sealed + b"\n", sealed + b"%%EOF\n", sealed[:-1], sealed[: len(sealed) // 2]):
        assert not seal.verify(altered, trusted=sealing.trusted, at=AT).is_valid


def test_a_look_alike_authority_of_the_same_name_is_not_trusted(
    drawn: bytes, sealing: seal.Seal, tmp_path: Path
) -> None:
    seal.create_trial_authority(tmp_path / "false", at=AT - timedelta(days=1))
    forged = seal.load(tmp_path / "false").sign(drawn, reason="r", location="l", at=AT)

    verdict = seal.verify(forged, trusted=sealing.trusted, at=AT)

    assert verdict.signer == sealing.name
    assert verdict.intact
    assert verdict.complete_coverage
    assert not verdict.trusted
    assert not verdict.is_valid


def test_out_of_its_time_the_certificate_is_not_trusted(
    sealed: bytes, drawn: bytes, sealing: seal.Seal
) -> None:
    late = seal.verify(sealed, trusted=sealing.trusted, at=AT + timedelta(days=6 * 365))
    backdated = sealing.sign(drawn, reason="r", location="l", at=AT - timedelta(days=30))

    assert late.intact
    assert not late.trusted
    verdict = seal.verify(backdated, trusted=sealing.trusted, at=AT)
    assert "the seal's certificate was not valid when the file says it was sealed" in (
        verdict.problems
    )
