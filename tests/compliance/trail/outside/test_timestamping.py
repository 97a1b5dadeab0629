"""Checkpoints get the time of an authority outside, which cannot be forged, replayed or hidden."""

import hashlib
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from django.db import connection, connections
from django.utils import timezone

from compliance.trail import keys, published, timestamping
from compliance.trail.models import Entry, LogEvent
from compliance.trail.timestamping import TsaUnavailable, TsaUnusable
from compliance.trail.tlog import canonical, time_tokens
from compliance.trail.tlog.time_tokens import Authority, TokenInvalid
from tests import trail_log
from tests import tsa as authorities
from tests.tsa import Ca, Tsa


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Ca:
    return Ca(tmp_path_factory.mktemp("ca"), "Root of the harbour")


@pytest.fixture
def tsa(ca: Ca, settings: Any) -> Iterator[Tsa]:
    with Tsa(ca).serving() as serving:
        settings.TSA_URL, settings.TSA_ROOTS = serving.url, str(ca.pem)
        yield serving


def tokens() -> list[tuple[int, bytes]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT size, tsr FROM audit.timestamp ORDER BY size")
        return [(size, bytes(tsr)) for size, tsr in cursor.fetchall()]


def test_the_newest_checkpoint_is_stamped_and_the_token_is_an_entry(
    written_log: int, tsa: Tsa, ca: Ca
) -> None:
    before = timezone.now()

    token = timestamping.stamp(timezone.now())

    assert token is not None
    assert before - timedelta(seconds=2) < token.gen_time < timezone.now() + timedelta(seconds=2)
    assert tokens() == [(written_log, token.tsr)]
    with connection.cursor() as cursor:
        newest = published.newest(cursor, 1)
    assert newest is not None
    again = time_tokens.verify(
        tokens()[0][1],
        message=newest.note.encode(),
        authority=Authority.from_pem(ca.pem.read_bytes(), tsa.name),
    )
    assert again == token
    event = LogEvent.objects.get(kind="timestamp")
    assert canonical.loads(event.document.encode()) == {
        "v": 1,
        "size": written_log,
        "note_sha256": hashlib.sha256(newest.note.encode()).hexdigest(),
        "token_sha256": hashlib.sha256(token.tsr).hexdigest(),
        "gen_time": token.gen_time.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "tsa": "Clock of the harbour",
    }
    entry = Entry.objects.of_record("trail_logevent", event.pk).get()
    assert entry.actor == "timestamping"
    assert hashlib.sha256(token.tsr).hexdigest() in entry.body


def test_openssl_verifies_the_stored_token_too(
    written_log: int, tsa: Tsa, ca: Ca, tmp_path: Path
) -> None:
    import subprocess

    timestamping.stamp(timezone.now())
    with connection.cursor() as cursor:
        newest = published.newest(cursor, 1)
    assert newest is not None
    (tmp_path / "note").write_text(newest.note)
    (tmp_path / "tsr").write_bytes(tokens()[0][1])

    found = subprocess.run(
        [
            *("openssl", "ts", "-verify", "-data", str(tmp_path / "note")),
            *("-in", str(tmp_path / "tsr"), "-CAfile", str(ca.pem)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "Verification: OK" in found.stdout


def test_a_checkpoint_is_stamped_once_however_often_and_by_however_many(
    written_log: int, tsa: Tsa
) -> None:
    def stamp() -> None:
        try:
            timestamping.stamp(timezone.now())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=stamp) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    timestamping.stamp(timezone.now())

    assert [size for size, _ in tokens()] == [written_log]
    assert LogEvent.objects.filter(kind="timestamp").count() == 1


def test_a_token_whose_entry_was_lost_in_a_crash_gets_it_at_the_next_call(
    written_log: int, tsa: Tsa, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as crashing:
        crashing.setattr(timestamping.log_events, "record", _crash)
        with pytest.raises(KeyboardInterrupt):
            timestamping.stamp(timezone.now())
    assert len(tokens()) == 1
    assert not LogEvent.objects.filter(kind="timestamp").exists()

    timestamping.stamp(timezone.now())

    assert LogEvent.objects.filter(kind="timestamp").count() == 1
    assert tsa.requests == 1


def _crash(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


def test_an_outage_stops_no_sealing_and_the_bracket_says_how_wide_it_is(
    written_log: int, tsa: Tsa
) -> None:
    stamped = timestamping.stamp(timezone.now())
    assert stamped is not None
    tsa.is_down = True
    trail_log.vessels(5, "during")

    sealed = trail_log.seal_and_sign()
    with pytest.raises(TsaUnavailable):
        timestamping.stamp(timezone.now())
    tomorrow = timezone.now() + timedelta(days=1)
    during = timestamping.status(tomorrow)
    tsa.is_down = False
    timestamping.stamp(timezone.now())
    after = timestamping.status(timezone.now())

    assert sealed > written_log
    assert (during["size"], during["stamped_size"]) == (sealed, written_log)
    assert during["unstamped"] == sealed - written_log
    assert 86_000 < during["bracket_s"] < 87_000
    assert (after["stamped_size"], after["unstamped"]) == (sealed, 0)
    assert after["bracket_s"] < 60


def test_a_log_never_stamped_has_a_bracket_since_its_first_checkpoint(
    written_log: int, tsa: Tsa
) -> None:
    status = timestamping.status(timezone.now() + timedelta(hours=1))

    assert (status["stamped_size"], status["unstamped"]) == (None, written_log)
    assert 3600 <= status["bracket_s"] < 3700


def test_without_an_authority_nothing_is_asked(written_log: int) -> None:
    assert timestamping.stamp(timezone.now()) is None
    assert timestamping.status(timezone.now())["is_configured"] is False


def test_roots_that_are_none_say_so(written_log: int, tsa: Tsa, settings: Any) -> None:
    settings.TSA_ROOTS = "/nowhere.pem"

    with pytest.raises(TsaUnusable, match="GMP_TSA_ROOTS"):
        timestamping.stamp(timezone.now())


@pytest.mark.parametrize(
    ("sin", "why"),
    [
        ({"before": authorities.other_nonce}, "Nonce mismatch"),
        ({"before": authorities.other_message}, "Mismatch between messages"),
        ({"before": authorities.without_certificate}, "ertificate"),
        ({"before": lambda _: b"0"}, "not an answer|refused with status"),
        ({"spoil": lambda _: b""}, "not an answer"),
        ({"spoil": lambda tsr: tsr + b"\0"}, "."),
        ({"spoil": lambda tsr: tsr[:-9] + b"\0" + tsr[-8:]}, "verify"),
    ],
)
def test_an_answer_that_proves_nothing_is_not_kept(
    written_log: int, tsa: Tsa, sin: dict[str, Any], why: str
) -> None:
    for name, alter in sin.items():
        setattr(tsa, name, alter)

    with pytest.raises(TokenInvalid, match=why):
        timestamping.stamp(timezone.now())

    assert tokens() == []
    assert not LogEvent.objects.filter(kind="timestamp").exists()


def test_an_authority_below_another_root_is_not_believed(
    written_log: int, tsa: Tsa, settings: Any, tmp_path: Path
) -> None:
    settings.TSA_ROOTS = str(Ca(tmp_path, "Root of the harbour").pem)  # the same name, another key

    with pytest.raises(TokenInvalid, match="verifying certificates"):
        timestamping.stamp(timezone.now())


def test_another_authority_of_the_same_root_passes_for_the_pinned_one_in_no_way(
    written_log: int, tsa: Tsa, ca: Ca, settings: Any
) -> None:
    """The attack on CVE-bound verifiers: the pinned authority's certificate is put beside it."""
    pinned = ca.certify("Pinned clock", "pinned")
    tsa.spoil = lambda tsr: authorities.with_certificates(tsr, pinned)
    tsa_fingerprint = hashlib.sha256(_der(tsa.certificate)).hexdigest()

    for name in ("Pinned clock", f"sha256:{hashlib.sha256(_der(pinned)).hexdigest()}"):
        settings.TSA_NAME = name
        with pytest.raises(TokenInvalid, match=r"not by Pinned clock|pinned"):
            timestamping.stamp(timezone.now())
    assert tokens() == []
    settings.TSA_NAME = f"sha256:{tsa_fingerprint}"
    token = timestamping.stamp(timezone.now())

    # What is injected harms nothing where the signer is the right one, and names nobody else.
    assert token is not None
    assert token.name == tsa.name


def test_a_certificate_of_the_same_issuer_and_number_beside_it_is_refused(
    written_log: int, tsa: Tsa, ca: Ca, tmp_path: Path
) -> None:
    twin = Ca(tmp_path, ca.name).certify(
        "Pinned clock", "twin", serial=tsa.certificate.serial_number
    )
    tsa.spoil = lambda tsr: authorities.with_certificates(tsr, twin)

    with pytest.raises(TokenInvalid):
        timestamping.stamp(timezone.now())


def test_a_certificate_for_another_purpose_stamps_nothing(ca: Ca) -> None:
    tsa = Tsa(ca, stem="mail")
    message = b"a note"
    asked = time_tokens.request(message)
    good = tsa.answer(asked.der)
    authority = Authority.from_pem(ca.pem.read_bytes())
    ca.certify(tsa.name, tsa.stem, purpose=ExtendedKeyUsageOID.CLIENT_AUTH)

    assert time_tokens.verify(good, message=message, authority=authority, nonce=asked.nonce)
    with pytest.raises(Exception):  # noqa: B017 -- openssl itself refuses to sign with it
        tsa.answer(asked.der)


@pytest.mark.shared
def test_published_answers_have_their_verdicts(shared: Path) -> None:
    folder = shared / "vectors/rfc3161"
    staging = Authority.from_pem((folder / "sigstage/ts_chain.pem").read_bytes())
    other = Authority.from_pem((folder / "test_tsa/ts_chain.pem").read_bytes())
    good = (folder / "sigstage/response-sha256.tsr").read_bytes()

    token = time_tokens.verify(good, message=b"hello", authority=staging)

    assert token.gen_time.isoformat() == "2025-05-09T11:58:55+00:00"
    assert token.name == "sigstore-tsa"
    for name, message, authority in [
        ("sigstage/response-sha256.tsr", b"hello!", staging),
        ("sigstage/response-sha256.tsr", b"hello", other),
        ("sigstage/response-sha384.tsr", b"hello", staging),
        ("sigstage/response-invalid-signature.tsr", b"hello", staging),
        ("sigstage/response-no-embedded-cert.tsr", b"hello", staging),
        ("test_tsa/response.tsr", b"hello", other),  # over SHA-512, which nobody asked for
    ]:
        with pytest.raises(TokenInvalid):
            time_tokens.verify((folder / name).read_bytes(), message=message, authority=authority)


def test_no_flipped_bit_is_believed(ca: Ca) -> None:
    tsa = Tsa(ca, stem="flip")
    authority = Authority.from_pem(ca.pem.read_bytes())
    asked = time_tokens.request(b"a note")
    good = tsa.answer(asked.der)
    expected = time_tokens.verify(good, message=b"a note", authority=authority)

    for at in range(0, len(good), 29):
        bad = good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
        try:
            found = time_tokens.verify(bad, message=b"a note", authority=authority)
        except TokenInvalid:
            continue
        # Parts that nothing signs: they may differ, and what was said may not.
        assert (found.gen_time, found.name) == (expected.gen_time, expected.name), at


def _der(certificate: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return bytes(certificate.public_bytes(Encoding.DER))


def test_the_key_of_the_log_is_needed_for_no_stamp(written_log: int, tsa: Tsa) -> None:
    for private in keys.folder().glob("*.key"):
        private.unlink()

    assert timestamping.stamp(timezone.now()) is not None
