"""Trained batch twins are registered with their dossier, and refused when altered."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings

from tests.factories import NOON
from twins.hub import batch_models
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
