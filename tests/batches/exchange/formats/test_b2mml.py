"""B2MML and BatchML are read whatever their version, and nothing is left unsaid."""

from pathlib import Path

import pytest

from batches.exchange.formats import b2mml, gates
from batches.exchange.formats.contents import LotSaid, MaterialSaid, OrderSaid, RecipeSaid

SPACES = {
    "V02": "http://www.wbf.org/xml/B2MML-V02",
    "V0401": "http://www.wbf.org/xml/B2MML-V0401",
    "V0600": "http://www.mesa.org/xml/B2MML-V0600",
    "V0700": "http://www.mesa.org/xml/B2MML",
}


def _lot(space: str, more: str = "") -> bytes:
    return f"""<MaterialLot xmlns="{space}"><ID>L-1</ID>
      <MaterialDefinitionID>M-1</MaterialDefinitionID><Status>Released</Status>{more}
      <Quantity><QuantityString>24.910</QuantityString><DataType>decimal</DataType>
      <UnitOfMeasure>KG</UnitOfMeasure></Quantity></MaterialLot>""".encode()


@pytest.mark.parametrize("version", SPACES)
def test_a_lot_says_the_same_in_every_version(version: str) -> None:
    content = b2mml.read(_lot(SPACES[version]))

    assert (content.format, content.version) == ("b2mml-material-lot", version)
    (lot,) = content.items
    assert isinstance(lot, LotSaid)
    assert (lot.material, lot.lot, lot.quantity, lot.unit) == ("M-1", "L-1", "24.910", "KG")
    assert content.report.is_clean
    assert content.report.counts["unmapped"] == 0


def test_what_is_not_mapped_is_said_with_its_path() -> None:
    content = b2mml.read(_lot(SPACES["V0700"], "<Odd a='1'>kept</Odd><x xmlns='urn:x'>y</x>"))

    said = {one["pointer"]: one["note"] for one in content.report.as_json()["unmapped"]}  # type: ignore[attr-defined]
    assert said == {
        "/MaterialLot/Odd[*]": "",
        "/MaterialLot/Odd[*]/@a": "",
        "/MaterialLot/x[*]": "of another namespace",
    }


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ('<MaterialLot xmlns="urn:x"/>', "namespace-unknown"),
        ('<MaterialLot xmlns="http://www.wbf.org/xml/B2MML-V0300"/>', "version-unknown"),
        ('<GetMaterialLot xmlns="http://www.mesa.org/xml/B2MML"/>', "verb-not-mapped"),
        ('<Equipment xmlns="http://www.mesa.org/xml/B2MML"/>', "noun-not-mapped"),
        ('<MaterialLot xmlns="http://www.mesa.org/xml/B2MML"/>', "id-missing"),
        ('<ProductionSchedule xmlns="http://www.mesa.org/xml/B2MML"/>', "nothing-mapped"),
    ],
)
def test_what_has_no_rule_is_a_problem_and_no_refusal(document: str, code: str) -> None:
    assert code in b2mml.read(document.encode()).report.problem_codes()


@pytest.mark.shared
@pytest.mark.requirement("A11-5")
def test_real_messages_of_a_weighing_centre_are_read_as_they_are_written(shared: Path) -> None:
    folder = shared / "data/exchange/b2mml/courbon_pharmacim_v0401"
    found = {
        one.name[:3]: b2mml.read(one.read_bytes()).items for one in sorted(folder.glob("*.xml"))
    }

    (lot,) = found["INV"]
    assert isinstance(lot, LotSaid)
    assert (lot.lot, lot.sublot, lot.status) == (
        "CRBN0001_LOT01", "CRBN0001_LOT01_01", "NotValid",
    )  # fmt: skip
    (material,) = found["MAT"]
    assert isinstance(material, MaterialSaid)
    assert (material.code, material.name, material.unit) == (
        "CRBN0001", "Product Courbon0001", "KG",
    )  # fmt: skip
    (order,) = found["PRO"]
    assert isinstance(order, OrderSaid)
    assert (order.number, order.product, order.quantity) == ("258456", "SO1215", "1.000")
    assert [one.quantity for one in order.needs] == [
        "5.000", "50.000", "811.000", "100.000", "199.910", "2152.3",
    ]  # fmt: skip


@pytest.mark.shared
def test_a_recipe_of_another_system_is_recognised(shared: Path) -> None:
    file = shared / "data/exchange/b2mml/coughsyrup_batchml_v02/cough_syrup_pmw.xml"

    content = b2mml.read(file.read_bytes())

    (recipe,) = content.items
    assert isinstance(recipe, RecipeSaid)
    assert (content.version, recipe.version, recipe.product) == ("V02", "1.0", "Cough Syrup Demo")


@pytest.mark.parametrize(
    "document",
    [
        "<!DOCTYPE a><a/>",
        "<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a>&e;</a>",
        "<!DOCTYPE a SYSTEM 'http://127.0.0.1/x'><a/>",
    ],
)
def test_a_dtd_is_refused_before_anything_is_built(document: str) -> None:
    with pytest.raises(gates.MessageForbidden):
        gates.xml(document.encode())


def test_depth_size_and_number_of_parts_are_bounded_at_the_limit() -> None:
    deepest = gates.MOST_DEPTH
    assert gates.xml(b"<a>" * deepest + b"</a>" * deepest) is not None
    attributes = [f'a{number}="1"' for number in range(gates.MOST_ATTRIBUTES + 1)]
    assert gates.xml(f"<a {' '.join(attributes[:-1])}/>".encode()) is not None

    for document in (
        b"<a>" * (deepest + 1) + b"</a>" * (deepest + 1),
        f"<a {' '.join(attributes)}/>".encode(),
        b"<a>" + b"x" * (gates.MOST_TEXT + 1) + b"</a>",
        b"<a>" + b"<b/>" * gates.MOST_ELEMENTS + b"</a>",
    ):
        with pytest.raises(gates.TooComplex):
            gates.xml(document)


def test_json_keeps_digits_and_refuses_what_has_two_meanings() -> None:
    assert gates.json_(b'{"a":3.10,"b":1e400,"c":-0}') == {"a": "3.10", "b": "1e400", "c": "-0"}

    for document in (
        b'{"a":1,"a":2}',
        b'{"a":NaN}',
        b'{"a":"\\ud800"}',
        b'{"a":"\\u0000"}',
        b"\xff",
    ):
        with pytest.raises(gates.MessageMalformed):
            gates.json_(document)
    for document in (b"[" * 100_000, b"[" * 66 + b"]" * 66, b"1" * (gates.MOST_DIGITS + 1)):
        with pytest.raises((gates.TooComplex, gates.MessageMalformed)):
            gates.json_(document)
