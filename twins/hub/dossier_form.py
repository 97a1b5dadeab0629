"""The form in which whoever answers for a model version prepares its dossier."""

from typing import Any

from django import forms
from rest_framework.exceptions import APIException

from compliance.access import acts
from compliance.access.acts import Act, Done, Occasion
from compliance.access.duties import Duty
from compliance.api_contract import strict_json
from compliance.signatures.forms import SignForm, confirmed
from twins.hub import dossiers, lined_batches
from twins.hub.dossiers import BatchRows
from twins.hub.models import ModelDossier, ModelVersion, VersionState

_LONGEST_NAME = 120


def _text(rows: int, **said: Any) -> forms.CharField:
    return forms.CharField(widget=forms.Textarea(attrs={"rows": rows}), max_length=4000, **said)


class DossierForm(SignForm):
    """Ask what the version is for and was trained on, then for the author's own password."""

    subgroups = _text(2, help_text="One a line; “all” when there is one only.")
    limits = _text(3, help_text="What it cannot do.")
    training = _text(
        3, label="Training data", help_text="Where they came from, or why there are none."
    )
    trainers = _text(
        2,
        label="Trained by",
        required=False,
        help_text="User names of whoever trained it, one a line.",
    )
    batches = forms.FileField(
        label="Rows of the training batches", required=False,
        help_text='One line a row, as JSON: {"batch": NAME, "row": {…}}. Digests are taken of them; '
        "they are not kept.",
    )  # fmt: skip
    is_untrained = forms.BooleanField(label="It was trained on no batches", required=False)
    field_order = (
        "subgroups", "limits", "training", "trainers", "batches", "is_untrained", "password",
    )  # fmt: skip

    def clean_batches(self) -> list[BatchRows]:
        given = self.cleaned_data["batches"]
        if given is None:
            return []
        if given.size > strict_json.MOST_BYTES_NDJSON:
            most = strict_json.MOST_BYTES_NDJSON // 2**20
            raise forms.ValidationError(f"The file is larger than {most} MiB: name the version's "
                "training over the command line (docs/twins.md).")  # fmt: skip
        try:
            found = lined_batches.rows(given.read().splitlines(), begins=1)
        except APIException as error:
            raise forms.ValidationError(f"{given.name}: {lined_batches.wrong(error)}") from error
        if long := [name for name in found if not 0 < len(name) <= _LONGEST_NAME]:
            raise forms.ValidationError(
                f"{given.name}: “{long[0][:40]}” names no batch (1 to {_LONGEST_NAME} characters)."
            )
        return [BatchRows(name, rows) for name, rows in found.items()]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if "batches" in found and bool(found["batches"]) == found["is_untrained"]:
            self.add_error(
                "batches",
                "Give the rows of its training batches, or say below that there are none.",
            )
        return found


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _prepare(occasion: Occasion) -> Done:
    given = occasion.values
    dossier = dossiers.prepare(
        occasion.record,
        subgroups=_lines(given["subgroups"]),
        limits=given["limits"],
        training=given["training"],
        trainers=dossiers.trainers(_lines(given["trainers"])),
        batches=given["batches"],
        confirmed=confirmed(occasion),
    )
    return Done(
        f"The dossier of {occasion.record} is signed; it names {dossier.batches.count()} batches."
    )


def _is_wanted(version: ModelVersion) -> bool:
    is_known = ModelDossier.objects.filter(version=version).exists()
    return version.state == VersionState.DRAFT and not is_known


acts.offer(
    ModelVersion,
    Act(
        "prepare-dossier", "Prepare the dossier", Duty.AUTHOR_MODEL, _prepare, form=DossierForm,
        is_offered=_is_wanted, is_grave=True,
        explanation="Your signature freezes the version: what is different is another version.",
    ),
)  # fmt: skip
