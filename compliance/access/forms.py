"""Ask for a name and password, and for a new password."""

from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.utils import timezone

from compliance.access import credentials
from compliance.access.actions import Action
from compliance.refusals import Refused
from compliance.trail import refusals


class RoleNeeded(Refused):
    """Somebody without a role sees nothing."""

    code = "role-needed"
    status = 403


class SignInForm(AdminAuthenticationForm):
    """Django's sign-in form, which says when a name is locked."""

    error_messages = {
        "invalid_login": "This name and password do not belong together.",
        "inactive": "This name has been deactivated.",
        "no_role": "You hold no role yet. Ask an administrator to give you one.",
    }

    def get_invalid_login_error(self) -> ValidationError:
        name = self.cleaned_data.get("username", "")
        if credentials.is_locked(name, at=timezone.now()):
            minutes = credentials.LOCK_FOR.seconds // 60
            return ValidationError(
                f"{name} is locked after {credentials.MAX_FAILURES} wrong attempts. Wait "
                f"{minutes} minutes, or ask an administrator.",
                code="locked",
            )
        return ValidationError(self.error_messages["invalid_login"], code="invalid_login")

    def confirm_login_allowed(self, user: Any) -> None:
        if not user.is_active:
            raise ValidationError(self.error_messages["inactive"], code="inactive")
        if not user.is_staff:
            refusals.record(
                RoleNeeded(str(self.error_messages["no_role"])),
                action=Action.SIGN_IN,
                actor=user,
                at=timezone.now(),
                subject="session",
            )
            raise ValidationError(self.error_messages["no_role"], code="no_role")


class OwnPasswordForm(forms.Form):
    """Ask for the present password, and twice for another one."""

    present = forms.CharField(
        label="Present password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )
    new = forms.CharField(
        label="New password",
        strip=False,
        help_text="At least 12 characters; not a common one, and not like your name.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label="New password again",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("new") and given.get("again") and given["new"] != given["again"]:
            self.add_error("again", "The two new passwords differ.")
        if given.get("new") and given["new"] == given.get("present"):
            self.add_error("new", "Choose another password than the present one.")
        return given
