"""A PEM file is one or more certificates, whole; anything else is refused."""

import pytest

from compliance.trail.tlog import certificates
from compliance.trail.tlog.certificates import NotCertificates
from tests import stamping

ROOT, MIDDLE = stamping.authority().root_pem, stamping.authority().middle_pem


@pytest.mark.parametrize(
    "pem",
    [
        ROOT + MIDDLE,
        b"Root of the harbour\n====\n" + ROOT + b"\nand below it\n" + MIDDLE + b"\n",
        (ROOT + MIDDLE).replace(b"\n", b"\r\n"),
        (ROOT + MIDDLE).rstrip(),
    ],
)
def test_certificates_are_read_whatever_text_is_around_them(pem: bytes) -> None:
    found = certificates.load(pem)

    assert found == (stamping.authority().root, stamping.authority().middle)
    assert certificates.usable(pem) == found


@pytest.mark.parametrize(
    "pem",
    [
        b"", b"junk", ROOT + b"-----BEGIN CERTIFICATE-----", ROOT + MIDDLE[:-9], ROOT[1:],
        ROOT.replace(b"MII", b"MIJ"), ROOT.replace(b"CERTIFICATE", b"PRIVATE KEY"),
        ROOT + b"-----BEGIN PRIVATE KEY-----\nMA==\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\n" + ROOT, ROOT.replace(b"\nMI", b"\n\xe9MI"),
    ],
)  # fmt: skip
def test_anything_else_is_refused(pem: bytes) -> None:
    with pytest.raises(NotCertificates):
        certificates.encoded(pem)


def test_every_place_to_cut_it_off_is_seen() -> None:
    whole = ROOT.rstrip()

    for end in range(len(whole)):
        with pytest.raises(NotCertificates):
            certificates.load(whole[:end])


def test_a_certificate_of_the_outer_form_only_is_no_root_and_serves_no_chain() -> None:
    hollow = b"-----BEGIN CERTIFICATE-----\nMAcwADAAAwEA\n-----END CERTIFICATE-----\n"

    assert certificates.usable(hollow + ROOT) == (stamping.authority().root,)
    with pytest.raises(NotCertificates):
        certificates.load(hollow + ROOT)
