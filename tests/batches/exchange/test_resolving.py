"""What waits in quarantine is resolved by people with the duty, each act with a reason."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import Error
from django.test import Client

from batches.assets.models import MaterialKind, MaterialLot
from batches.exchange import declaring, resolving, sender_mappings, unit_aliases
from batches.exchange.actions import Action
from batches.exchange.formats import declared
from batches.exchange.models.messages import DeclarationState, Message, MessageState, UnitAlias
from batches.exchange.resolving import Delivery
from batches.execution.models import BatchEvent, EventKind
from compliance.access import record_admin
from compliance.access.authority import NotPermitted
from compliance.access.duties import Role
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.models import Entry
from tests import factories
from tests.batches.exchange import posting
from tests.batches.exchange.posting import CSV, REASON, XML
from tests.factories import NOON

pytestmark = pytest.mark.django_db
SPACE = 'xmlns="http://www.mesa.org/xml/B2MML"'


@pytest.fixture
def quality() -> User:
    return factories.person(Role.QUALITY_ASSURANCE)


@pytest.fixture
def supervisor() -> User:
    return factories.person(Role.QC_SUPERVISOR)


def _performance(batch: str, unit: str = "pH") -> bytes:
    return f"""<OperationsPerformance {SPACE}><OperationsResponse>
      <OperationsRequestID>{batch}</OperationsRequestID><SegmentResponse>
      <ActualEndTime>2026-03-02T11:58:00Z</ActualEndTime><SegmentData><ID>ph</ID>
      <Value><ValueString>7.05</ValueString><UnitOfMeasure>{unit}</UnitOfMeasure></Value>
      </SegmentData></SegmentResponse></OperationsResponse></OperationsPerformance>""".encode()


@pytest.mark.requirement("211-68b")
def test_a_unit_is_approved_by_a_second_person_and_then_the_message_maps(
    quality: User, supervisor: User
) -> None:
    batch = factories.running_batch()
    message = posting.received(_performance(batch.number, "pH units"), XML)
    assert posting.codes(message) == {"unit-unknown"}
    alias = unit_aliases.propose(
        "pH units", code="[pH]", display="pH", dimension="acidity", actor=supervisor, at=NOON,
        reason=REASON,
    )  # fmt: skip

    still = resolving.try_again(message, actor=quality, at=NOON, reason=REASON)
    assert still.state == MessageState.QUARANTINED  # a proposal counts for nothing
    assert still.decided_by == quality
    unit_aliases.approve(alias, actor=quality, at=NOON, reason=REASON)
    done = resolving.try_again(message, actor=quality, at=NOON, reason=REASON)

    assert (done.state, done.decided_by, done.decision) == (MessageState.RESOLVED, quality, REASON)
    event = BatchEvent.objects.get(batch=batch, kind=EventKind.MEASUREMENT)
    assert (event.source, event.value, event.unit) == (message.source, "7.05", "[pH]")
    assert [one["note"] for one in done.report["changed"] if "alias" in one["note"]] == [
        "unit by approved alias: “pH units” -> “[pH]”"
    ]
    assert Entry.objects.filter(record="exchange_message", record_id=str(message.pk)).count() == 4


def test_a_batch_is_chosen_for_a_message_that_names_none_of_ours(quality: User) -> None:
    batch = factories.running_batch()
    message = posting.received(_performance("THEIR-NUMBER"), XML)
    assert posting.codes(message) == {"batch-unknown"}

    done = resolving.try_again(message, batch=batch, actor=quality, at=NOON, reason=REASON)

    assert (done.state, done.batch) == (MessageState.RESOLVED, batch)
    assert BatchEvent.objects.filter(batch=batch, value="7.05").count() == 1


def test_a_mapping_is_chosen_for_a_table_that_came_without_one(quality: User) -> None:
    batch = factories.running_batch()
    factories.sample(batch)
    message = posting.received(b"x,y\n1,2\n", CSV)
    assert posting.codes(message) == {"mapping-missing"}

    again = resolving.try_again(
        message, mapping=posting.mapping(posting.FLEX), actor=quality, at=NOON, reason=REASON
    )

    assert posting.codes(again) == {"column-undeclared", "column-missing"}


def test_a_lot_is_received_by_a_person_of_the_warehouse() -> None:
    material = factories.material(code="CRBN0001", name="Product", unit="kg")
    data = f"""<MaterialLot {SPACE}><ID>LOT01</ID>
      <MaterialDefinitionID>CRBN0001</MaterialDefinitionID><Quantity>
      <QuantityString>24.910</QuantityString><UnitOfMeasure>KG</UnitOfMeasure></Quantity>
      </MaterialLot>""".encode()
    message = posting.received(data, XML)
    delivery = Delivery(
        supplier=factories.supplier(), supplier_lot="S-1", received_at=NOON, location="A-1"
    )

    with pytest.raises(NotPermitted):
        resolving.receive_lots(
            message, delivery=delivery, actor=factories.person(Role.OPERATOR), at=NOON,
            reason=REASON,
        )  # fmt: skip
    resolving.receive_lots(
        message, delivery=delivery, actor=factories.person(Role.WAREHOUSE), at=NOON, reason=REASON
    )

    lot = MaterialLot.objects.get(number="LOT01")
    assert (lot.material, lot.quantity, lot.unit) == (material, Decimal("24.91"), "kg")
    message.refresh_from_db()
    assert message.state == MessageState.RESOLVED


def test_a_material_is_entered_by_a_person_who_may(supervisor: User) -> None:
    data = f"""<MaterialDefinition {SPACE}><ID>M-NEW</ID><Description>A new one</Description>
      <MaterialDefinitionProperty><ID>BaseUnitOfMeasure</ID><Value><ValueString>KG</ValueString>
      </Value></MaterialDefinitionProperty></MaterialDefinition>""".encode()
    message = posting.received(data, XML)
    assert posting.codes(message) == {"material-unknown"}

    (made,) = resolving.enter_material(
        message, kind=MaterialKind.RAW, actor=supervisor, at=NOON, reason=REASON
    )

    assert (made.code, made.name, made.unit) == ("M-NEW", "A new one", "kg")
    # The same definition again has nothing to change, and maps by itself.
    assert posting.received(data, XML).state == MessageState.MAPPED


def test_a_message_is_dismissed_once_and_for_good(quality: User) -> None:
    message = posting.received(b"<a/>", XML)

    with pytest.raises(NotPermitted):
        resolving.dismiss(message, actor=factories.person(Role.AUDITOR), at=NOON, reason=REASON)
    with pytest.raises(recording.ReasonNotMeaningful):
        resolving.dismiss(message, actor=quality, at=NOON, reason="no")
    resolving.dismiss(message, actor=quality, at=NOON, reason=REASON)

    with pytest.raises(resolving.NotInQuarantine):
        resolving.try_again(message, actor=quality, at=NOON, reason=REASON)
    with pytest.raises(Error):
        with recording.recording(Action.MESSAGE_RESOLVED, actor=quality, at=NOON, reason=REASON):
            Message.objects.filter(pk=message.pk).update(state="quarantined")


# --- Aliases and mappings


@pytest.mark.requirement("P11-g1")
def test_whoever_proposes_a_declaration_does_not_approve_it() -> None:
    both = factories.person(Role.QC_SUPERVISOR, Role.QUALITY_ASSURANCE)
    alias = unit_aliases.propose(
        "dunno", code="kg", display="kg", dimension="mass", actor=both, at=NOON, reason=REASON
    )
    mapping = sender_mappings.propose(
        "one", definition=posting.FLEX, actor=both, at=NOON, reason=REASON
    )

    for attempt in (
        lambda: unit_aliases.approve(alias, actor=both, at=NOON, reason=REASON),
        lambda: sender_mappings.approve(mapping, actor=both, at=NOON, reason=REASON),
    ):
        with pytest.raises(declaring.ProposerApproves):
            attempt()
    for change in (
        {"state": "effective", "approved_by": both, "approved_at": NOON},
        {"code": "g"},
        {"origin": "aliases-2026.1", "state": "effective"},
    ):
        with pytest.raises(Error):
            with recording.recording(Action.UNIT_ALIAS_DECIDED, actor=both, at=NOON, reason=REASON):
                UnitAlias.objects.filter(pk=alias.pk).update(**change)


def test_an_alias_is_never_born_approved(quality: User) -> None:
    for said in (
        {"state": "effective", "origin": "aliases-2026.1"},
        {"state": "effective", "proposed_by": quality},
        {"state": "proposed"},
    ):
        with pytest.raises(Error):
            with recording.recording(
                Action.UNIT_ALIAS_PROPOSED, actor=quality, at=NOON, reason=REASON
            ):
                UnitAlias.objects.create(
                    raw="q", version=1, code="kg", display="kg", dimension="mass",
                    proposed_at=NOON, **said,
                )  # fmt: skip


def test_a_new_version_takes_the_place_of_the_one_before(quality: User, supervisor: User) -> None:
    first, second = (
        unit_aliases.propose(
            "OD", code="{OD}", display="OD", dimension=f"turbidity-{number}", actor=supervisor,
            at=NOON, reason=REASON,
        )
        for number in (1, 2)
    )  # fmt: skip
    assert unit_aliases.meant("OD").by == "aliases-2026.1"
    unit_aliases.approve(first, actor=quality, at=NOON, reason=REASON)
    assert unit_aliases.meant("OD").by == "alias v1"

    unit_aliases.approve(second, actor=quality, at=NOON, reason=REASON)

    first.refresh_from_db()
    assert first.state == DeclarationState.SUPERSEDED
    assert unit_aliases.meant("OD").by == "alias v2"
    with pytest.raises(declaring.DeclarationSettled):
        unit_aliases.approve(first, actor=quality, at=NOON, reason=REASON)


def test_a_withdrawn_alias_does_not_bring_back_the_one_of_the_product(
    quality: User, supervisor: User
) -> None:
    alias = unit_aliases.propose(
        "OD", code="{OD}", display="OD", dimension="turbidity", actor=supervisor, at=NOON,
        reason=REASON,
    )  # fmt: skip
    unit_aliases.approve(alias, actor=quality, at=NOON, reason=REASON)

    unit_aliases.withdraw(alias, actor=quality, at=NOON, reason=REASON)

    with pytest.raises(unit_aliases.UnitNotApproved):
        unit_aliases.meant("OD")


@pytest.mark.requirement("211-68b")
def test_units_mean_what_was_approved_and_never_what_a_parser_would_guess() -> None:
    assert unit_aliases.meant("pH").code == "[pH]"
    assert unit_aliases.meant("m{AU}").dimension == "absorbance"
    assert unit_aliases.meant("\u00b5L").code == unit_aliases.meant("\u03bcL").code == "uL"
    assert unit_aliases.meant("mmol/L").by == "aliases-2026.1"
    assert unit_aliases.meant("kilograms").by.startswith("units ")
    for raw in ("M", "TODO", "PH", "mau", " pH", "", "µ", "10^6 cells/ml"):
        with pytest.raises(unit_aliases.UnitNotApproved):
            unit_aliases.meant(raw)


def test_an_alias_says_what_the_unit_measures_as_the_table_does(supervisor: User) -> None:
    for said in (
        {"raw": "q", "code": "kg", "dimension": "length"},
        {"raw": "", "code": "kg", "dimension": "mass"},
        {"raw": "q" * 61, "code": "kg", "dimension": "mass"},
        {"raw": "q", "code": "{new}", "dimension": " "},
    ):
        with pytest.raises(unit_aliases.AliasInvalid):
            unit_aliases.propose(display="q", actor=supervisor, at=NOON, reason=REASON, **said)


def test_a_mapping_that_leaves_a_question_open_is_not_even_proposed(supervisor: User) -> None:
    with pytest.raises(declared.DeclarationInvalid):
        sender_mappings.propose(
            "one", definition={"kind": "csv"}, actor=supervisor, at=NOON, reason=REASON
        )
    with pytest.raises(declared.DeclarationInvalid):
        sender_mappings.propose(
            "No Name", definition=posting.FLEX, actor=supervisor, at=NOON, reason=REASON
        )


# --- Pages


def _act(client: Client, record: Any, act: str, **said: object) -> Any:
    page = record_admin.url(record).removesuffix("change/")
    assert client.get(f"{page}acts/{act}/").status_code == 200
    return client.post(f"{page}acts/{act}/", said)


def test_a_message_is_resolved_on_its_page(client: Client, quality: User) -> None:
    batch = factories.running_batch()
    message = posting.received(_performance("THEIRS"), XML)
    client.force_login(quality)

    page = client.get(record_admin.url(message)).content.decode()
    assert "batch-unknown" in page
    assert "used courtesy of MESA International" in page
    wrong = _act(client, message, "try-again", batch="NONE", mapping="", reason=REASON)
    assert wrong.status_code == 422
    done = _act(client, message, "try-again", batch=batch.number, mapping="", reason=REASON)

    assert done.status_code == 302, done.content.decode()
    message.refresh_from_db()
    assert message.state == MessageState.RESOLVED
    shown = client.get(record_admin.url(batch)).content.decode()
    assert "Production record as BatchML V0700" in shown
    assert f"message {message.pk}" in shown


def test_aliases_and_mappings_are_proposed_and_approved_on_their_pages(
    client: Client, quality: User, supervisor: User
) -> None:
    client.force_login(supervisor)
    alias = client.post(
        "/admin/exchange/unitalias/acts/propose/",
        {"raw": " kg ", "code": "kg", "display": "kg", "dimension": "mass", "reason": REASON},
    )
    assert alias.status_code == 302, alias.content.decode()
    for definition, status in (("{", 422), ("[]", 422), (json.dumps(posting.FLEX), 302)):
        answer = client.post(
            "/admin/exchange/sendermapping/acts/propose/",
            {"name": "flex", "definition": definition, "reason": REASON},
        )
        assert answer.status_code == status

    client.force_login(quality)
    made = UnitAlias.objects.get(raw=" kg ")
    assert _act(client, made, "approve", reason=REASON).status_code == 302
    assert unit_aliases.meant(" kg ").code == "kg"
    proposed = sender_mappings.SenderMapping.objects.get(name="flex")
    assert _act(client, proposed, "approve", reason=REASON).status_code == 302
    assert client.get(record_admin.url(proposed)).status_code == 200
    assert sender_mappings.effective("flex").pk == proposed.pk


def test_acts_that_do_not_fit_are_refused_with_a_code(quality: User) -> None:
    message = posting.received(b"<a/>", XML)
    warehouse = factories.person(Role.WAREHOUSE)
    delivery = Delivery(
        supplier=factories.supplier(), supplier_lot="1", location="A",
        received_at=datetime(2026, 3, 2, tzinfo=UTC),
    )  # fmt: skip

    for attempt in (
        lambda: resolving.receive_lots(
            message, delivery=delivery, actor=warehouse, at=NOON, reason=REASON
        ),
        lambda: resolving.enter_material(
            message, kind=MaterialKind.RAW, actor=quality, at=NOON, reason=REASON
        ),
    ):
        with pytest.raises(Refused) as refused:
            attempt()
        assert refused.value.code == "message-has-no-lot"
