"""Ask for codes, names and the answers of security keys."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError


class Answer(forms.CharField):
    """A security key's answer, which the page's script puts in."""

    def __init__(self) -> None:
        super().__init__(required=False, widget=forms.HiddenInput, max_length=20_000)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return {}
        try:
            read = json.loads(text)
        except ValueError as error:
            raise ValidationError("The security key's answer cannot be read.") from error
        if not isinstance(read, dict):
            raise ValidationError("The security key's answer cannot be read.")
        return read


class GiveForm(forms.Form):
    """Ask for a code, unless a security key answers."""

    code = forms.CharField(
        required=False,
        max_length=40,
        label="Code",
        help_text="Six digits of your authenticator app, or one of your recovery codes.",
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false"}
        ),
    )
    answer = Answer()


class AppForm(forms.Form):
    name = forms.CharField(max_length=100, help_text="Such as: telephone.")
    code = forms.CharField(
        max_length=10,
        help_text="Six digits that the app shows now: the enrolment is tested with them.",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )
    password = forms.CharField(
        label="Your password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    field_order = ("name", "code", "password")


class KeyForm(forms.Form):
    name = forms.CharField(max_length=100, help_text="Such as: blue key on my key ring.")
    password = forms.CharField(
        label="Your password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    answer = Answer()


class PasswordForm(forms.Form):
    password = forms.CharField(
        label="Your password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
