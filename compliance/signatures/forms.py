"""Ask for the password again, and turn it into a confirmed signer (21 CFR 11.200(a))."""

from django import forms

from compliance.access.acts import Occasion, ReasonForm
from compliance.signatures import signing
from compliance.signatures.signing import Confirmed


class SignForm(forms.Form):
    """Ask for the signer's own password."""

    password = forms.CharField(
        label="Your password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        help_text="This is your electronic signature, equal to your handwritten one.",
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
