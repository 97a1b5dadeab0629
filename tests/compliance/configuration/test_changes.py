"""What the installation runs with is on record, and each change of it is assessed by quality."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from compliance.access.authority import NotPermitted
from compliance.access.duties import DUTIES, Duty, Role
from compliance.configuration import changes
from compliance.configuration.changes import ConfigurationAssessed
from compliance.configuration.models import ChangedSetting, ChangeState, ConfigurationChange
from compliance.quality import figures
from compliance.quality.changes import ChangeNotApproved
from compliance.signatures import verdicts
from compliance.trail import recording
from compliance.trail.models import Entry
from config import configuration, env
from tests import factories
from tests.factories import NOON, PASSWORD, TEST

pytestmark = pytest.mark.django_db
FIRST = {"GMP_SECOND_FACTOR": "1", "GMP_SITE_ZONE": "Europe/Madrid", "version": "1.0"}
SAID = "the site moved its clocks; no record of a batch is concerned"


def _found(values: dict[str, str] = FIRST) -> ConfigurationChange:
    change = changes.note(values, process="web", at=NOON)
    assert change is not None
    return change


def _assessed(change: ConfigurationChange, **said: str) -> ConfigurationChange:
    confirmed = factories.confirmed(factories.person(Role.QUALITY_ASSURANCE))
    return changes.assess(change, assessment=SAID, confirmed=confirmed, **said)


@pytest.mark.requirement("A11-10")
def test_a_setting_that_is_switched_is_a_change_with_its_old_and_its_new_value() -> None:
    _found()

    change = _found({**FIRST, "GMP_SECOND_FACTOR": "0"})

    (setting,) = change.settings.all()
    assert (setting.name, setting.before, setting.after) == ("GMP_SECOND_FACTOR", "1", "0")
    assert changes.in_force()["GMP_SECOND_FACTOR"] == "0"
    entry = Entry.objects.filter(record="configuration_changedsetting").latest("pk")
    assert (entry.action, entry.actor) == ("configuration.change-found", "installation")


def test_a_start_without_a_change_records_nothing() -> None:
    _found()

    assert changes.note(dict(FIRST), process="worker", at=NOON) is None
    assert ConfigurationChange.objects.count() == 1


def test_a_setting_that_is_gone_and_one_that_is_new_are_changes() -> None:
    _found()
    values = {"GMP_SITE_ZONE": "Europe/Madrid", "version": "1.0", "GMP_EXPORT": "/srv/log"}

    change = _found(values)

    rows = change.settings.order_by("name").values_list("name", "before", "after")
    assert list(rows) == [("GMP_EXPORT", "", "/srv/log"), ("GMP_SECOND_FACTOR", "1", "")]
    assert changes.in_force() == values


@pytest.mark.requirement("A11-10")
def test_quality_assesses_a_change_by_signature_once() -> None:
    change = _assessed(_found())

    assert change.state == ChangeState.ASSESSED
    assert [one.is_valid for one in verdicts.of_record(change)] == [True]
    with pytest.raises(ConfigurationAssessed):
        _assessed(change)


@pytest.mark.parametrize("role", list(Role))
def test_only_whoever_approves_changes_assesses(role: Role) -> None:
    change = _found()
    confirmed = factories.confirmed(factories.person(role))

    if Duty.APPROVE_CHANGE in DUTIES[role]:
        changes.assess(change, assessment=SAID, confirmed=confirmed)
    else:
        with pytest.raises(NotPermitted):
            changes.assess(change, assessment=SAID, confirmed=confirmed)


def test_a_number_that_change_control_did_not_approve_is_refused() -> None:
    with pytest.raises(ChangeNotApproved):
        _assessed(_found(), change_number="CHG-2026-0099")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE configuration_configurationchange SET state = 'assessed', assessment = 'fine'",
        "UPDATE configuration_configurationchange SET found_by = 'nobody'",
        "UPDATE configuration_changedsetting SET after = '1'",
        "DELETE FROM configuration_changedsetting",
    ],
)
def test_the_database_keeps_what_was_found(statement: str) -> None:
    _found()

    with (
        pytest.raises(DatabaseError),
        transaction.atomic(),
        recording.recording(changes.Action.CHANGE_ASSESSED, actor=TEST, at=NOON, reason="by hand"),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_the_database_adds_no_setting_to_what_was_assessed() -> None:
    change = _assessed(_found())

    with (
        pytest.raises(DatabaseError),
        transaction.atomic(),
        recording.recording(changes.Action.CHANGE_FOUND, actor=TEST, at=NOON, reason="by hand"),
    ):
        ChangedSetting.objects.create(change=change, name="GMP_EXPORT", after="/tmp")


def test_no_secret_is_among_what_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GMP_TEST_SECRET", "hunter2hunter2")
    monkeypatch.setenv("GMP_TEST_URL", "https://user:hunter2hunter2@tsa.example/")
    monkeypatch.setenv("GMP_TEST_WORDS", "hunter2hunter2,another")
    monkeypatch.setattr(env, "READ", {})

    env.secret("GMP_TEST_SECRET")
    env.text("GMP_TEST_URL", "")
    env.words("GMP_TEST_WORDS", (), are_secret=True)

    assert env.READ == {
        "GMP_TEST_SECRET": env.SET,
        "GMP_TEST_URL": "https://(not shown)@tsa.example/",
        "GMP_TEST_WORDS": env.SET,
    }


def test_what_a_process_notes_are_its_settings_and_versions() -> None:
    values = configuration.values()

    assert {"GMP_SECOND_FACTOR", "GMP_SITE_ZONE", "version", "python"} <= set(values)


def test_changes_are_read_and_assessed_over_the_api(client: Client) -> None:
    change = _found()
    client.force_login(factories.person(Role.QUALITY_ASSURANCE))

    said = {"assessment": SAID, "password": PASSWORD}
    path = f"/api/v1/configuration/changes/{change.number}/assessment"
    answer = client.post(path, said, content_type="application/json")

    assert answer.status_code == 201, answer.content
    (listed,) = client.get("/api/v1/configuration/changes?state=assessed").json()["results"]
    assert [one["name"] for one in listed["settings"]] == sorted(FIRST)
    assert {one["name"] for one in client.get("/api/v1/configuration").json()} == set(FIRST)


def test_a_change_has_its_page(client: Client) -> None:
    change = _found()
    client.force_login(factories.person(Role.QUALITY_ASSURANCE))

    page = client.get(f"/admin/configuration/configurationchange/{change.pk}/change/", follow=True)

    assert page.status_code == 200
    assert "GMP_SITE_ZONE" in page.content.decode()


@pytest.mark.requirement("A11-11")
def test_a_periodic_review_counts_changes_and_upgrades_of_the_installation() -> None:
    _found()
    _found({**FIRST, "version": "1.1"})
    _assessed(_found({**FIRST, "version": "1.1", "GMP_SITE_ZONE": "UTC"}))

    found = figures.collect(starts_on=NOON.date(), ends_on=NOON.date())["configuration"]

    assert found == {"changes-found": 3, "not-assessed": 2, "upgrades": 1}
    later = NOON.date() + timedelta(days=1)
    assert figures.collect(starts_on=later, ends_on=later)["configuration"]["changes-found"] == 0
