"""Time stamps count below trusted roots only, over this note only, by time-stamping keys only."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from compliance.trail.tlog import certificates, time_tokens
from compliance.trail.tlog.time_tokens import Authority, TokenInvalid
from tests import stamping

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)


def verify(response: bytes, *, root: bytes, authorities: bytes | None = None) -> datetime:
    offered = certificates.load(authorities) if authorities else ()
    authority = Authority.from_pem(root)
    found = time_tokens.verify(response, message=b"note", authority=authority, offered=offered)
    return found.gen_time


def test_a_token_below_a_trusted_root_gives_its_time() -> None:
    tsa = stamping.authority()

    assert verify(tsa.stamp(b"note", AT), root=tsa.root_pem) == AT


def test_an_intermediate_certificate_comes_from_the_bundle() -> None:
    tsa = stamping.Authority(has_intermediate=True)
    response = tsa.stamp(b"note", AT)

    assert verify(response, root=tsa.root_pem, authorities=tsa.middle_pem) == AT
    with pytest.raises(TokenInvalid):
        verify(response, root=tsa.root_pem)


@pytest.mark.parametrize("has_intermediate", [False, True])
def test_a_root_from_the_bundle_is_not_trusted(has_intermediate: bool) -> None:
    trusted, impostor = stamping.authority(), stamping.Authority(has_intermediate=has_intermediate)
    offered = impostor.root_pem + impostor.middle_pem

    with pytest.raises(TokenInvalid):
        verify(impostor.stamp(b"note", AT), root=trusted.root_pem, authorities=offered)


def test_the_signer_itself_in_the_bundle_is_not_trusted() -> None:
    impostor = stamping.Authority()
    pem = impostor.certificate.public_bytes(stamping._PEM)

    with pytest.raises(TokenInvalid):
        verify(impostor.stamp(b"note", AT), root=stamping.authority().root_pem, authorities=pem)


def test_a_token_over_something_else_is_refused() -> None:
    tsa = stamping.authority()

    with pytest.raises(TokenInvalid):
        verify(tsa.stamp(b"other", AT), root=tsa.root_pem)


@pytest.mark.parametrize("status", [1, 2])
def test_an_answer_that_is_not_granted_is_refused(status: int) -> None:
    tsa = stamping.authority()

    with pytest.raises(TokenInvalid):
        verify(tsa.stamp(b"note", AT, status=status), root=tsa.root_pem)


def test_every_changed_byte_is_refused_or_changes_nothing_that_is_signed() -> None:
    tsa = stamping.authority()
    response = tsa.stamp(b"note", AT)

    for at in range(len(response)):
        changed = bytearray(response)
        changed[at] ^= 1
        try:
            found = verify(bytes(changed), root=tsa.root_pem)
        except TokenInvalid:
            continue
        assert found == AT, at


@pytest.mark.parametrize("junk", [b"", b"\x30\x00", b"junk", b"\xff" * 100])
def test_what_is_no_answer_is_refused(junk: bytes) -> None:
    with pytest.raises(TokenInvalid):
        verify(junk, root=stamping.authority().root_pem)


def test_bytes_behind_an_answer_are_refused() -> None:
    tsa = stamping.authority()

    with pytest.raises(TokenInvalid):
        verify(tsa.stamp(b"note", AT) + b"\0", root=tsa.root_pem)


@pytest.mark.parametrize(
    "purposes",
    [
        (),
        (ExtendedKeyUsageOID.CODE_SIGNING,),
        (ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING),
    ],
)
def test_a_certificate_for_other_purposes_is_refused(purposes: tuple[object, ...]) -> None:
    tsa = stamping.Authority(purposes=purposes)

    with pytest.raises(TokenInvalid):
        verify(tsa.stamp(b"note", AT), root=tsa.root_pem)


@pytest.mark.parametrize("attribute", ["content_type", "message_digest", "signing_certificate_v2"])
def test_a_token_without_an_attribute_that_binds_it_is_refused(attribute: str) -> None:
    tsa = stamping.authority()

    with pytest.raises(TokenInvalid):
        verify(tsa.stamp(b"note", AT, without=attribute), root=tsa.root_pem)


@pytest.mark.parametrize("named", ["sha384_ecdsa", "sha256_rsa", "rsassa_pkcs1v15", "ed25519"])
def test_a_signature_under_the_name_of_another_algorithm_is_refused(named: str) -> None:
    tsa = stamping.authority()

    with pytest.raises(TokenInvalid):
        verify(tsa.stamp(b"note", AT, algorithm=named), root=tsa.root_pem)


def test_the_signer_beside_the_token_is_not_looked_for() -> None:
    tsa = stamping.authority()
    pem = tsa.certificate.public_bytes(stamping._PEM)

    with pytest.raises(TokenInvalid):
        verify(tsa.stamp(b"note", AT, shown=False), root=tsa.root_pem, authorities=pem)


@pytest.mark.parametrize("at", [AT.replace(year=2019), datetime(2049, 12, 30, tzinfo=UTC)])
def test_a_token_outside_of_the_life_of_its_certificate_is_refused(at: datetime) -> None:
    tsa = stamping.authority()

    with pytest.raises(TokenInvalid):
        verify(tsa.stamp(b"note", at), root=tsa.root_pem)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("file", "is_good"),
    [
        ("response-sha256.tsr", True),
        ("response-sha384.tsr", False),  # a good token, and not over SHA-256
        ("response-invalid-signature.tsr", False),
        ("response-no-embedded-cert.tsr", False),
    ],
)
def test_published_answers_of_an_authority_are_judged(
    shared: Path, file: str, is_good: bool
) -> None:
    folder = shared / "vectors" / "rfc3161" / "sigstage"
    chain = (folder / "ts_chain.pem").read_bytes()
    roots = [one for one in certificates.load(chain) if one.issuer == one.subject]

    try:
        time_tokens.verify(
            (folder / file).read_bytes(),
            message=b"hello",
            authority=Authority(tuple(roots)),
            offered=certificates.load(chain),
        )
        is_accepted = True
    except TokenInvalid:
        is_accepted = False

    assert is_accepted is is_good
