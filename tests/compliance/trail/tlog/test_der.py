"""DER has one form for everything; another one is refused at its offset."""

import pytest
from asn1crypto import core

from compliance.trail.tlog import der
from compliance.trail.tlog.der import Members, NotDer


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65535, 65536])
def test_every_length_is_read_as_others_write_it(size: int) -> None:
    content = bytes(size)

    found = der.whole(core.OctetString(content).dump())

    assert (found.tag, found.content) == (der.OCTETS, content)


@pytest.mark.parametrize(
    "octets",
    [
        b"", b"\x04", b"\x04\x01", b"\x04\x80\x00\x00", b"\x04\x81\x01a",
        b"\x04\x82\x00\x80" + bytes(128),
        b"\x04\x85\x00\x00\x00\x00\x01a", b"\x1f\x01\x00", b"\x04\x01ab", b"\x04\x81", b"\x04\x82\x01",
    ],
)  # fmt: skip
def test_another_form_is_refused(octets: bytes) -> None:
    with pytest.raises(NotDer):
        der.whole(octets)


def test_a_member_that_ends_behind_its_parent_is_refused() -> None:
    sequence = der.whole(b"\x30\x03\x04\x02a")

    with pytest.raises(NotDer):
        Members(sequence)


@pytest.mark.parametrize(
    "name", ["1.2.840.10045.4.3.2", "2.16.840.1.101.3.4.2.1", "0.9.1", "2.999.3"]
)
def test_names_are_read_as_others_write_them(name: str) -> None:
    assert der.oid(der.whole(core.ObjectIdentifier(name).dump())) == name


def test_members_are_taken_in_order_and_none_is_left() -> None:
    members = Members(der.whole(b"\x30\x05\x02\x01\x07\x05\x00"))

    assert members.optional(der.OCTETS) is None
    assert members.take(der.INTEGER).content == b"\x07"
    with pytest.raises(NotDer):
        members.done()
    with pytest.raises(NotDer):
        members.take(der.INTEGER)
