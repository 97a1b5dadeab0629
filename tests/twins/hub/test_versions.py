"""Versions of twins are registered with what they stand for, and refused when altered."""

from datetime import timedelta

import pytest

from compliance.trail import recording
from tests.factories import NOON, TEST
from twins.hub import versions
from twins.hub.actions import Action
from twins.hub.models import ModelVersion
from twins.models.registry import MODELS

NAME = "cho-fed-batch"


def test_the_installed_twin_is_registered_once_with_what_it_is_for(db: None) -> None:
    first = versions.current(NAME, at=NOON)
    again = versions.current(NAME, at=NOON + timedelta(days=1))

    twin = MODELS.get(NAME)
    assert again.pk == first.pk
    assert again.registered_at == NOON
    assert ModelVersion.objects.count() == 1
    assert first.code_digest == twin.code_digest()
    assert first.parameters_digest == twin.parameters_digest()
    assert first.intended_use == twin.declaration.intended_use
    assert first.valid_range == twin.declaration.valid_range
    assert first.declarations["name"] == NAME


@pytest.mark.requirement("A22-1")
def test_other_code_is_another_version(db: None) -> None:
    former = versions.current(NAME, at=NOON)
    with recording.recording(
        Action.VERSION_REGISTERED, actor=TEST, at=NOON, reason="a version of earlier code"
    ):
        former.code_digest = "0" * 64
        former.save()

    now = versions.current(NAME, at=NOON)

    assert now.pk != former.pk
    assert versions.is_installed(now)
    assert not versions.is_installed(former)


@pytest.mark.requirement("A22-1")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("intended_use", "Release of batches without a person."),
        ("valid_range", "anything"),
        ("declarations", {"name": NAME}),
    ],
)
def test_a_version_whose_record_was_changed_is_refused(db: None, field: str, value: object) -> None:
    version = versions.current(NAME, at=NOON)
    with recording.recording(
        Action.VERSION_REGISTERED, actor=TEST, at=NOON, reason="altered for the test"
    ):
        setattr(version, field, value)
        version.save()

    with pytest.raises(versions.VersionAltered, match=field):
        versions.current(NAME, at=NOON)


def test_a_twin_that_is_not_installed_is_refused_by_name(db: None) -> None:
    with pytest.raises(versions.TwinMissing, match="no-such-twin"):
        versions.current("no-such-twin", at=NOON)
