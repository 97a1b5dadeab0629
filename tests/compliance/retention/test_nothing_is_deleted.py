"""Nothing regulated is deleted by any way: SQL, the ORM, a cascade, the admin, or its bulk actions."""

import contextlib
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import DatabaseError, connection, models, transaction
from django.db.models import ProtectedError
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, reverse

from compliance.access.duties import Role
from compliance.inspection import inspections
from compliance.inspection.models import Profile
from compliance.reports import requests
from compliance.retention import holds
from compliance.trail import capture, recording
from tests import factories
from tests.factories import NOON, TEST

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("P11-c1", "P11-e3")]
# When a job runs is no record of the product's making; its removal is an entry with a reason.
DELETABLE = {
    "django_celery_beat_clockedschedule", "django_celery_beat_crontabschedule",
    "django_celery_beat_intervalschedule", "django_celery_beat_periodictask",
    "django_celery_beat_solarschedule",
}  # fmt: skip


# Parts of a recipe are taken out of its draft, with a reason; once it is effective nothing is.
OF_DRAFTS = {
    "recipes_equipmentrequirement", "recipes_expectedyield", "recipes_labelrequirement",
    "recipes_materialrequirement", "recipes_parameter", "recipes_recipephase",
    "recipes_samplingpoint",
}  # fmt: skip


def _controls() -> list[Any]:
    return [one for one in capture.controls() if not one.table.startswith("trail_app_")]


def _kept() -> list[str]:
    return [one.table for one in _controls() if not one.deletable]


@pytest.fixture
def site() -> None:
    """Make records of as many kinds as the domain functions make in a life of a batch."""
    batch = factories.completed_batch()
    factories.closed_deviation(batch)
    factories.review(batch)
    factories.decision(batch)
    factories.certificate(batch, assessment="every attribute of the product is met")
    factories.shipment(batch)
    quality = factories.person(Role.QUALITY_ASSURANCE)
    holds.request(
        title="Claim about it", records=[("batch-record", batch.number)], actor=quality, at=NOON,
        reason="a claim was announced",
    )  # fmt: skip
    inspections.request(profile=Profile.FDA, scope=[batch.number], actor=quality, at=NOON)
    requests.request(kind="batch-record", subject=batch.number, actor=quality, at=NOON)


def _act() -> Any:
    return recording.recording(
        holds.Action.HOLD_LIFTED, actor=TEST, at=NOON, reason="an attempt to delete"
    )


def _refused(statement: str) -> str:
    with pytest.raises(DatabaseError) as caught, transaction.atomic(), _act():
        with connection.cursor() as cursor:
            cursor.execute(statement)
    return getattr(caught.value.__cause__, "sqlstate", "")


def test_only_schedules_and_parts_of_drafts_may_be_deleted_at_all() -> None:
    assert {one.table for one in _controls() if one.deletable} <= DELETABLE | OF_DRAFTS


def test_no_part_of_an_effective_recipe_is_deleted(site: None) -> None:
    for table in ("recipes_parameter", "recipes_recipephase"):
        assert _refused(f'DELETE FROM "{table}"').startswith("GM"), table


def test_no_statement_deletes_or_empties_a_controlled_table(site: None) -> None:
    """The application's own role, inside an act with a reason: 0A000 and 2BP01 come before."""
    with_rows = []
    for table in _kept():
        assert _refused(f'TRUNCATE "{table}"') in {"GM002", "42501", "0A000"}, table
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            (count,) = cursor.fetchone()
        if count:
            assert _refused(f'DELETE FROM "{table}"') == "GM002", table
            with_rows.append(table)
    assert len(with_rows) >= 25


def test_every_capture_refuses_a_deletion_also_of_tables_that_are_empty_here() -> None:
    with connection.cursor() as cursor:
        for table in _kept():
            cursor.execute(
                "SELECT p.prosrc FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid "
                "WHERE t.tgrelid = %s::regclass AND t.tgname = 'zz_capture' AND t.tgenabled = 'A'",
                [f'public."{table}"'],
            )
            (source,) = cursor.fetchone()
            branch = source.split("TG_OP = 'DELETE' THEN")[1].split("END IF;")[0]
            assert "nothing regulated is deleted" in branch, table


def test_the_orm_deletes_no_record_one_by_one_or_many_at_once(site: None) -> None:
    models_of = {
        model._meta.db_table: model for model in apps.get_models(include_auto_created=True)
    }
    for table in _kept():
        model = models_of[table]
        rows = model._default_manager.all()
        first = rows.first()
        if first is None:
            continue
        for delete in (first.delete, rows.delete, lambda rows=rows: rows._raw_delete("default")):
            with pytest.raises((ProtectedError, DatabaseError)):
                with transaction.atomic(), _act():
                    delete()
        assert model._default_manager.filter(pk=first.pk).exists(), table


def test_no_cascade_leads_from_a_controlled_table_to_another() -> None:
    controlled = {one.table for one in _controls()}
    cascades = []
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.local_fields:
            target = field.related_model
            if not isinstance(field, models.ForeignKey) or not isinstance(target, type):
                continue
            if model._meta.db_table in controlled - DELETABLE:
                is_through = bool(model._meta.auto_created)  # Django's own links cascade ...
                if field.remote_field.on_delete is not models.PROTECT and not is_through:
                    cascades.append(f"{model._meta.label}.{field.name}")
    assert cascades == []
    with connection.cursor() as cursor:  # ... in Python; in the database nothing does
        cursor.execute(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint "
            "WHERE contype = 'f' AND confdeltype <> 'a' AND connamespace = 'public'::regnamespace"
        )
        assert cursor.fetchall() == []


def _pages() -> list[tuple[Any, Any]]:
    controlled = set(_kept())
    found = admin.site._registry.items()
    return [(model, page) for model, page in found if model._meta.db_table in controlled]


@pytest.mark.parametrize("role", list(Role))
def test_no_role_may_delete_in_the_admin(role: Role) -> None:
    request = RequestFactory().get("/admin/")
    request.user = factories.person(role)
    for model, page in _pages():
        assert not page.has_delete_permission(request), model
        assert "delete_selected" not in page.get_actions(request), model


@pytest.mark.parametrize("role", [Role.QUALITY_ASSURANCE, Role.SYSTEM_ADMINISTRATOR])
def test_what_the_admin_is_sent_deletes_nothing(client: Client, role: Role, site: None) -> None:
    client.force_login(factories.person(role))
    for model, _ in _pages():
        record = model._default_manager.first()
        if record is None:
            continue
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        with contextlib.suppress(NoReverseMatch):
            address = reverse(f"{name}_delete", args=[record.pk])
            assert client.post(address, {"post": "yes"}).status_code in {302, 403, 404}, model
        chosen = {"action": "delete_selected", "_selected_action": [record.pk], "post": "yes"}
        with contextlib.suppress(NoReverseMatch):
            client.post(reverse(f"{name}_changelist"), chosen)
        assert model._default_manager.filter(pk=record.pk).exists(), model


def test_no_route_of_the_api_deletes_a_record(client: Client, site: None) -> None:
    """Sessions and enrolments end; records do not."""
    from config.api_urls import urlpatterns

    client.force_login(factories.person(Role.QUALITY_ASSURANCE))
    deleting = {
        pattern.name
        for pattern in urlpatterns
        if hasattr(getattr(pattern.callback, "cls", None), "delete")
    }
    assert deleting == set()
