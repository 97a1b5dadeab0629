"""Trained batch twins are registered with their dossier, and refused when altered."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from compliance.trail import recording
from tests.factories import NOON, TEST
from twins.hub import batch_models, versions
from twins.hub.actions import Action
from twins.hub.models import ModelVersion

SHIPPED = "penicillin-batch@2"


def test_a_trained_twin_is_registered_once_with_its_dossier(db: None) -> None:
    first = batch_models.register(SHIPPED, at=NOON)
    again = batch_models.register(SHIPPED, at=NOON + timedelta(days=1))

    assert again.pk == first.pk
    assert ModelVersion.objects.count() == 1
    assert first.declarations == batch_models.open_(SHIPPED).dossier
    assert first.parameters_digest == first.declarations["digest"]


def test_a_kept_twin_whose_numbers_were_changed_is_refused(
    tmp_path: Path, settings: LazySettings
) -> None:
    settings.VAR_DIR = tmp_path
    text = (batch_models.SHIPPED / f"{SHIPPED}.json").read_text()
    path = batch_models.keep(
        "copy@1", text.replace('"profile": [\n   [29', '"profile": [\n   [28', 1)
    )

    with pytest.raises(batch_models.BatchModelAltered):
        batch_models.open_("copy@1")
    with pytest.raises(batch_models.BatchModelExists):
        batch_models.keep("copy@1", text)
    assert path.is_file()


@pytest.mark.requirement("A22-1")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("intended_use", "Release of batches without a person."),
        ("valid_range", "anything"),
        ("declarations", {"label": SHIPPED}),
    ],
)
def test_a_record_of_a_trained_twin_that_was_changed_is_refused_wherever_it_is_asked(
    db: None, field: str, value: object
) -> None:
    version = batch_models.register(SHIPPED, at=NOON)
    with recording.recording(
        Action.VERSION_REGISTERED, actor=TEST, at=NOON, reason="altered for the test"
    ):
        setattr(version, field, value)
        version.save()

    for asked in (
        lambda: versions.current(SHIPPED, at=NOON),
        lambda: batch_models.register(SHIPPED, at=NOON),
        lambda: batch_models.of_version(version),
    ):
        with pytest.raises(batch_models.BatchModelAltered, match=field):
            asked()


def test_a_word_taken_out_of_the_file_is_missed(db: None, tmp_path: Path, settings: Any) -> None:
    settings.VAR_DIR = tmp_path
    text = (batch_models.SHIPPED / f"{SHIPPED}.json").read_text()
    path = batch_models.keep("own@1", text.replace(SHIPPED, "own@1"))
    batch_models.register("own@1", at=NOON)

    cut, count = re.subn(r'"intended_use": "[^"]*",', "", path.read_text())
    assert count == 1
    path.write_text(cut)

    with pytest.raises(batch_models.BatchModelAltered, match="intended_use"):
        versions.current("own@1", at=NOON)
