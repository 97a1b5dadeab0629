"""Forms for what people enter in the admin: the moment, and for a late entry its witness."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms

from batches.execution.late import Late
from compliance.access.acts import Occasion
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.signing import Confirmed


class PersonUnknown(Refused):
    code = "person-unknown"
    status = 422


def _password(label: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        strip=False,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )


class EntryForm(forms.Form):
    """When it was done; a late entry says why, and whoever saw it gives name and password."""

    performed_at = forms.DateTimeField(
        label="Done at (UTC)",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}),
        help_text="Empty for now. More than 15 minutes ago needs the three fields below.",
    )
    late_reason = forms.CharField(
        label="Why it is entered late", required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    witness = forms.CharField(label="User name of whoever saw it", required=False)
    witness_password = _password("Their password")

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        own = [name for name in self.fields if name not in EntryForm.base_fields]
        self.order_fields([*own, *EntryForm.base_fields])  # what is entered first, its moment last


class WhyForm(EntryForm):
    text = forms.CharField(
        label="Why", required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Needed to hold or abort.",
    )  # fmt: skip


class ResultForm(EntryForm):
    tag = forms.ChoiceField(label="Parameter")
    value = forms.CharField(max_length=60, help_text="As read: trailing zeros are data.")
    unit = forms.CharField(max_length=30)
    convert = forms.BooleanField(
        required=False, label="Convert", help_text="It is in another unit: record both."
    )
    override_reason = forms.CharField(
        required=False, label="Why an implausible value is right",
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip


class ChargeForm(EntryForm):
    line = forms.ChoiceField(label="Line of the bill of materials")
    lot = forms.CharField(max_length=60, label="Number of the lot")
    net = forms.CharField(max_length=40)
    unit = forms.CharField(max_length=30)
    gross = forms.CharField(max_length=40, required=False)
    tare = forms.CharField(max_length=40, required=False)
    scale = forms.CharField(max_length=40, required=False, label="Code of the balance")
    convert = forms.BooleanField(
        required=False, label="Convert", help_text="It is in another unit: record both."
    )
    override_reason = forms.CharField(
        required=False, label="Why more than the tolerance was charged",
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip
    verifier = forms.CharField(label="User name of the second person")
    verifier_password = _password("The second person's password")


class AccountForm(EntryForm):
    charged = forms.ChoiceField(label="Lot and line")
    issued = forms.CharField(max_length=40, help_text="What was brought of it for this line.")
    unit = forms.CharField(max_length=30)
    returned = forms.CharField(max_length=40, required=False)
    wasted = forms.CharField(
        max_length=40, required=False, help_text="It is scrapped in the ledger of the lot."
    )


class EquipmentForm(EntryForm):
    equipment = forms.CharField(max_length=40, label="Code of the equipment")
    need = forms.ChoiceField(label="Used as", required=False)


class YieldForm(forms.Form):
    value = forms.CharField(max_length=40, label="Actual yield")
    unit = forms.CharField(max_length=30)


class ExaminationForm(EntryForm):
    kind = forms.ChoiceField()
    is_conforming = forms.BooleanField(required=False, label="Conforming")
    finding = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What was looked at, and what was found.",
    )


class RemarkForm(forms.Form):
    text = forms.CharField(
        label="Comment", min_length=8, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="A comment is added and never changed.",
    )  # fmt: skip


class AssessmentForm(forms.Form):
    assessment = forms.CharField(
        min_length=8, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What it means for the product, and why.",
    )  # fmt: skip
    password = forms.CharField(
        label="Your password", strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        help_text="This is your electronic signature.",
    )  # fmt: skip


def moment(occasion: Occasion) -> datetime:
    found: datetime | None = occasion.values.get("performed_at")
    return occasion.at if found is None else found


def late(occasion: Occasion) -> Late | None:
    """Return the reason and the witness, when they were given."""
    given = occasion.values
    if not (given["late_reason"] or given["witness"]):
        return None
    witness = second_person(occasion, given["witness"], given["witness_password"])
    return Late(given["late_reason"], witness)


def second_person(occasion: Occasion, username: str, password: str) -> Confirmed:
    """Confirm a second person, who gives name and password at the first one's terminal."""
    signer = User.objects.filter(username__iexact=username).first()
    if signer is None:
        raise PersonUnknown(f"there is nobody called “{username}”")
    return signing.confirm(
        signer=signer, password=password, address=occasion.address, at=occasion.at
    )


def number(occasion: Occasion, name: str) -> Decimal | None:
    """Return a number as it was written; its zeros are data."""
    from batches.execution.in_process import ValueInvalid

    text = occasion.values[name]
    if not text:
        return None
    if not text.isascii() or not text.replace(".", "", 1).isdigit():
        raise ValueInvalid(f"“{text}” is no number: write digits, as in 12.50")
    return Decimal(text)
