"""Ask for the password again, and turn it into a confirmed signer (21 CFR 11.200(a))."""

from dataclasses import dataclass

from django import forms
from django.db import models

from compliance.access.acts import Occasion, ReasonForm
from compliance.signatures import contents, signing
from compliance.signatures.signing import Confirmed
from compliance.trail import capture


@dataclass(frozen=True)
class Signable:
    """What a security key is asked about: a record, and what a signature under it may mean."""

    record: str
    record_id: str
    meanings: list[tuple[str, str]]


class SignForm(forms.Form):
    """Ask for the signer's own password, or for the code of a security key or identity provider."""

    record: models.Model | None = None  # set by the act whose form it is

    password = forms.CharField(
        label="Your password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        help_text="This is your electronic signature, equal to your handwritten one.",
    )

    @property
    def signable(self) -> Signable | None:
        """What is signed; None where the record is only made by the act."""
        if self.record is None or not contents.is_signable(type(self.record)):
            return None
        meanings = contents.meanings(type(self.record))
        return Signable(
            capture.record_of(type(self.record)),
            str(self.record.pk),
            [(one.value, one.label) for one in meanings],
        )


class SignWithReasonForm(ReasonForm, SignForm):
    """Ask why, then for the signer's own password."""

    field_order = ("reason", "password")


def confirmed(occasion: Occasion) -> Confirmed:
    """Re-authenticate whoever uses the act; raise what `signing.confirm` raises."""
    return signing.confirm(
        signer=occasion.actor,
        password=occasion.values["password"],
        address=occasion.address,
        at=occasion.at,
    )
