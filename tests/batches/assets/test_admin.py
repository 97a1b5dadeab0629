"""Every page of equipment and lots answers, and its forms make the same calls."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.db import models
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from batches.assets import equipment, reconciling
from batches.assets.models import (
    Calibration,
    Cleaning,
    Equipment,
    Material,
    MaterialKind,
    MaterialLot,
    PartChange,
    Supplier,
)
from compliance.access.duties import Role
from compliance.access.record_admin import list_url, url
from tests import factories
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
WHY = "as the plan of this year says"


def signed_in(*roles: Role) -> Client:
    client = Client()
    client.force_login(factories.person(*roles, at=timezone.now()))
    return client


def done(client: Client, record: models.Model | type[models.Model], act: str, **said: Any) -> str:
    """Send the form of an act, and return what the next page says."""
    base = list_url(record) if isinstance(record, type) else url(record).removesuffix("change/")
    assert client.get(f"{base}acts/{act}/").status_code == 200
    answer = client.post(f"{base}acts/{act}/", said, follow=True)
    assert answer.status_code == 200, answer.content.decode()
    assert answer.redirect_chain, answer.content.decode()
    return answer.content.decode()


def test_every_kind_of_record_has_a_list_and_a_page() -> None:
    now = timezone.now()
    vessel = factories.vessel(at=now, calibration_interval_days=30, service_after_hours=1)
    factories.calibrated(vessel, at=now)
    equipment.mark_used(
        vessel, purpose="batch B-1", by_text="om", at=now, used_until=now,
        actor=factories.person(Role.OPERATOR, at=now),
    )  # fmt: skip
    done(
        signed_in(Role.MAINTENANCE), vessel, "replace-part", component="pump",
        old_manufacturer="A", old_model="1", old_serial_number="1", new_manufacturer="A",
        new_model="1", new_serial_number="2", is_like_for_like="on",
        changed_at=f"{now:%Y-%m-%dT%H:%M}", reason=WHY,
    )  # fmt: skip
    lot = factories.released_lot(at=now)
    reconciling.count(
        lot, counted=lot.quantity, unit="kg", actor=factories.person(Role.WAREHOUSE, at=now),
        at=now, explanation="counted at month end",
    )  # fmt: skip
    client = signed_in(Role.AUDITOR)

    answers = {}
    for model in admin.site._registry:
        if model._meta.app_label == "assets":
            answers[model._meta.label] = client.get(list_url(model)).status_code
            record = model._default_manager.order_by("pk").first()
            answers[f"one {model._meta.label}"] = client.get(url(record)).status_code

    assert len(answers) == 22
    assert set(answers.values()) == {200}


def test_the_pages_of_a_vessel_lead_it_from_registration_to_its_use() -> None:
    maintenance, quality = signed_in(Role.MAINTENANCE), signed_in(Role.QUALITY_ASSURANCE)
    procedure = factories.procedure(at=timezone.now())
    done(
        maintenance, Equipment, "register", code="BR-1", name="Bioreactor 1", kind="bioreactor",
        manufacturer="Steelworks", model="BR-200", serial_number="SN-1", needed_stages=["iq"],
        is_cleaned="on", location="Suite 1", calibration_interval_days="30",
    )  # fmt: skip
    vessel = Equipment.objects.get()
    done(
        maintenance, vessel, "record-stage", stage="iq", protocol="VP-1", report="VR-1",
        summary="All criteria are met.", performed_on="2026-01-05",
    )  # fmt: skip
    done(quality, vessel.qualifications.get(), "approve", password=PASSWORD)
    done(quality, vessel, "qualify", password=PASSWORD, reason=WHY)
    done(
        maintenance, vessel, "calibrate", performed_at=f"{timezone.now():%Y-%m-%dT%H:%M}",
        as_found="37.0", as_found_in_tolerance="on", as_left="37.0", as_left_in_tolerance="on",
        reference_standard="T-1", certificate="C-1",
    )  # fmt: skip
    done(quality, Calibration.objects.get(), "verify-as-quality", reason=WHY)
    operator, checker = signed_in(Role.OPERATOR), signed_in(Role.OPERATOR)
    done(operator, vessel, "clean", procedure=procedure.pk)
    done(operator, Cleaning.objects.get(), "finish")
    assert url(Cleaning.objects.get()) in checker.get(url(vessel)).content.decode()
    done(checker, Cleaning.objects.get(), "verify", is_clean="yes", reason=WHY)
    page = operator.get(url(vessel)).content.decode()
    assert "Nothing stands against its use." in page

    done(operator, vessel, "use", purpose="batch B-1, Growth")
    shown = done(operator, vessel, "end-use")

    assert "It is to be cleaned" in shown
    assert "batch B-1, Growth" in shown


def test_the_other_acts_on_equipment_answer_too() -> None:
    vessel = factories.equipment(at=timezone.now() - timedelta(hours=1))
    maintenance, quality = signed_in(Role.MAINTENANCE), signed_in(Role.QUALITY_ASSURANCE)

    done(maintenance, vessel, "service", reason=WHY)
    done(maintenance, vessel, "amend", location="Suite 2", reason=WHY)
    done(
        maintenance, vessel, "replace-part", component="pump", old_manufacturer="A", old_model="1",
        old_serial_number="1", new_manufacturer="B", new_model="2", new_serial_number="2",
        changed_at=f"{timezone.now():%Y-%m-%dT%H:%M}", change_reference="CC-1", reason=WHY,
    )  # fmt: skip
    done(maintenance, vessel, "take-out", reason=WHY)
    done(maintenance, vessel, "return", reason=WHY)
    done(quality, vessel, "retire", reason=WHY)

    vessel.refresh_from_db()
    assert (vessel.location, vessel.state) == ("Suite 2", "retired")
    assert not PartChange.objects.get().is_like_for_like


def test_an_instrument_has_its_due_date_brought_forward() -> None:
    balance = factories.instrument(at=timezone.now())

    done(
        signed_in(Role.QUALITY_ASSURANCE), balance.calibrations.get(), "shorten",
        due_on="2020-01-01", reason=WHY,
    )  # fmt: skip

    assert (
        "Its calibration was due on 2020-01-01"
        in signed_in(Role.AUDITOR).get(url(balance)).content.decode()
    )


def test_the_pages_of_a_lot_lead_it_from_the_delivery_to_its_end() -> None:
    engineer, quality = signed_in(Role.PROCESS_ENGINEER), signed_in(Role.QUALITY_ASSURANCE)
    warehouse, operator = signed_in(Role.WAREHOUSE), signed_in(Role.OPERATOR)
    done(
        engineer, Material, "create", code="RM-1", name="Glucose", unit="kg",
        kind=MaterialKind.RAW, reconciliation_limit_percent="1",
    )  # fmt: skip
    material = Material.objects.get()
    done(quality, Supplier, "register", code="SUP-1", name="Sugar works")
    supplier = Supplier.objects.get()
    done(quality, supplier, "approve", material=material.pk, valid_from="2020-01-01", basis=WHY)
    done(
        warehouse, MaterialLot, "receive", material=material.pk, supplier=supplier.pk,
        supplier_lot="L-7", quantity="25", unit="kg", container_count="1",
        received_at=f"{timezone.now():%Y-%m-%dT%H:%M}", location="A",
    )  # fmt: skip
    lot = MaterialLot.objects.get()
    done(quality, lot, "release", reason=WHY, password=PASSWORD)
    done(operator, lot, "dispense", quantity="5", unit="kg", reference="B-1", reason=WHY)
    done(warehouse, lot, "return", quantity="1", unit="kg", reason=WHY)
    done(warehouse, lot, "scrap", quantity="1", unit="kg", reason=WHY)
    done(warehouse, lot, "adjust", quantity="-1", unit="kg", reason=WHY)
    done(warehouse, lot, "move", location="B", reason=WHY)
    done(warehouse, lot, "count", counted="19", unit="kg", explanation=WHY)
    done(signed_in(Role.QC_ANALYST), lot, "sample", quantity="0.5", unit="kg", reason=WHY)
    done(quality, lot, "dates", expires_on="2099-01-01", reason=WHY)
    done(quality, lot, "block", reason=WHY)
    done(quality, lot, "quarantine", reason=WHY)
    shown = done(quality, lot, "reject", reason=WHY, password=PASSWORD)

    assert "It is rejected" in shown
    assert "18.5 kg" in shown
    done(quality, supplier.approvals.get(), "end", reason=WHY)


def test_a_refused_act_says_why_on_its_form() -> None:
    lot = factories.received_lot(at=timezone.now())
    client = signed_in(Role.QUALITY_ASSURANCE)
    base = url(lot).removesuffix("change/")

    answer = client.post(f"{base}acts/release/", {"reason": WHY, "password": "not mine"})

    assert answer.status_code in {401, 403, 422}
    lot.refresh_from_db()
    assert lot.state == "quarantine"


def test_the_overdue_are_found_by_their_filter() -> None:
    factories.instrument(at=timezone.now() - timedelta(days=40), days=30, code="LATE-1")
    factories.instrument(at=timezone.now(), days=30, code="GOOD-1")
    address = reverse("admin:assets_equipment_changelist")

    page = signed_in(Role.AUDITOR).get(f"{address}?calibration=overdue").content.decode()

    assert "LATE-1" in page
    assert "GOOD-1" not in page


def test_the_genealogy_is_shown_as_a_tree() -> None:
    sugar = factories.released_lot()
    product = factories.made_lot(factories.made_lot(sugar))

    page = signed_in(Role.AUDITOR).get(url(product)).content.decode()

    assert f'\u2003└ <a href="{url(sugar)}">{sugar.number}</a>' in page
