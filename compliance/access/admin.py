"""People, devices and sign-ins in the admin; only administrators of access see its buttons."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from compliance.access import acts, devices, page_parts, people
from compliance.access.acts import Act, Done, Occasion, ReasonForm
from compliance.access.duties import LABELS, Duty, Role
from compliance.access.models import (
    Device,
    DeviceKind,
    RoleAssignment,
    SignIn,
    SignInOutcome,
    User,
)
from compliance.access.page_parts import Facts, Page, Section, Table
from compliance.access.record_admin import RecordAdmin

ROLES = [(role.value, LABELS[role]) for role in Role]


class NewPassword(forms.Form):
    password = forms.CharField(
        label="First password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 12 characters. It must be changed at the first sign-in.",
    )


class PersonForm(NewPassword):
    username = forms.RegexField(
        label="User name",
        regex=r"^[A-Za-z0-9._-]+$",
        max_length=60,
        help_text="Letters, digits, dot, dash and underscore. It is never given to another person.",
    )
    full_name = forms.CharField(max_length=200, help_text="As printed with a signature.")
    roles = forms.MultipleChoiceField(choices=ROLES, widget=forms.CheckboxSelectMultiple)
    reason = ReasonForm.base_fields["reason"]
    field_order = ("username", "full_name", "roles", "password", "reason")


class ResetForm(NewPassword, ReasonForm):
    field_order = ("password", "reason")


class GrantForm(ReasonForm):
    role = forms.ChoiceField(choices=ROLES)
    field_order = ("role", "reason")


class EndRoleForm(ReasonForm):
    assignment = forms.ChoiceField(label="Role")
    field_order = ("assignment", "reason")


class EnrolForm(ReasonForm):
    name = forms.CharField(max_length=60, help_text="As it appears with everything it posts.")
    kind = forms.ChoiceField(choices=DeviceKind.choices)
    field_order = ("name", "kind", "reason")


# --- Acts


def _create(occasion: Occasion) -> Done:
    given = occasion.values
    person = people.create(
        username=given["username"],
        full_name=given["full_name"],
        password=given["password"],
        roles=frozenset(given["roles"]),
        actor=occasion.actor,
        at=occasion.at,
        reason=given["reason"],
    )
    return Done(f"{person} may sign in, and must choose a password then.", person)


def _deactivate(occasion: Occasion) -> Done:
    person = people.deactivate(
        occasion.record,
        actor=occasion.actor,
        at=occasion.at,
        reason=occasion.values["reason"],
    )
    return Done(f"{person} is shut out from now on.")


def _grant(occasion: Occasion) -> Done:
    role = Role(occasion.values["role"])
    people.grant(
        occasion.record,
        role=role,
        actor=occasion.actor,
        at=occasion.at,
        reason=occasion.values["reason"],
    )
    return Done(f"{occasion.record} holds the role {LABELS[role]}.")


def _end_role(occasion: Occasion) -> Done:
    assignment = RoleAssignment.objects.get(
        pk=occasion.values["assignment"], user=occasion.record, ended_at=None
    )
    people.end_role(
        assignment, actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"]
    )
    return Done(f"{occasion.record} no longer holds the role {assignment.get_role_display()}.")


def _reset_password(occasion: Occasion) -> Done:
    people.change_password(
        occasion.record,
        new=occasion.values["password"],
        actor=occasion.actor,
        at=occasion.at,
        reason=occasion.values["reason"],
    )
    return Done(f"{occasion.record} must choose a password at the next sign-in.")


def _enrol(occasion: Occasion) -> Done:
    device, token = devices.enrol(
        name=occasion.values["name"],
        kind=DeviceKind(occasion.values["kind"]),
        actor=occasion.actor,
        at=occasion.at,
        reason=occasion.values["reason"],
    )
    return Done(f"The token of {device}", device, secret=token)


def _renew(occasion: Occasion) -> Done:
    token = devices.renew_token(
        occasion.record, actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"]
    )
    return Done(f"The new token of {occasion.record}", secret=token)


def _revoke(occasion: Occasion) -> Done:
    device = devices.revoke(
        occasion.record, actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"]
    )
    return Done(f"{device} is shut out from now on.")


def _roles_of(person: User) -> list[tuple[str, str]]:
    held = person.role_assignments.filter(ended_at=None).order_by("role")
    return [(str(one.pk), one.get_role_display()) for one in held]


def _is_active(record: Any) -> bool:
    return bool(record.is_active)


_ADMINISTER = Duty.ADMINISTER_ACCESS
acts.offer(
    User,
    Act("create", "Create a person", _ADMINISTER, _create, form=PersonForm, is_for_list=True),
    Act("grant-role", "Give a role", _ADMINISTER, _grant, form=GrantForm, is_offered=_is_active),
    Act(
        "end-role", "End a role", _ADMINISTER, _end_role, form=EndRoleForm,
        is_offered=lambda person: bool(person.roles), choices={"assignment": _roles_of},
    ),
    Act(
        "reset-password", "Reset the password", _ADMINISTER, _reset_password, form=ResetForm,
        is_offered=_is_active,
    ),
    Act(
        "deactivate", "Deactivate", _ADMINISTER, _deactivate, is_offered=_is_active, is_grave=True,
        explanation="The person can no longer sign in or sign. The name stays on every record "
        "and is never given to somebody else.",
    ),
)  # fmt: skip
acts.offer(
    Device,
    Act("enrol", "Enrol a device", _ADMINISTER, _enrol, form=EnrolForm, is_for_list=True),
    Act("renew-token", "Renew its token", _ADMINISTER, _renew, is_offered=_is_active),
    Act(
        "revoke", "Revoke", _ADMINISTER, _revoke, is_offered=_is_active, is_grave=True,
        explanation="The device is shut out at its next request.",
    ),
)  # fmt: skip


# --- Pages


@admin.register(User)
class UserAdmin(RecordAdmin):
    list_display = ("username", "full_name", "roles_now", "is_active", "created_at")
    search_fields = ("username", "full_name", "email")
    list_filter = ("is_active", "role_assignments__role")
    ordering = ("username",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("role_assignments")

    @admin.display(description="Roles")
    def roles_now(self, person: User) -> str:
        held = [one for one in person.role_assignments.all() if one.ended_at is None]
        return ", ".join(sorted(one.get_role_display() for one in held)) or "no role"

    def page(self, record: User, request: HttpRequest) -> Page:
        held = record.role_assignments.order_by("pk")
        attempts = SignIn.objects.filter(username__iexact=record.username).order_by("-pk")[:20]
        return Page(
            title=record.full_name,
            subtitle=f"{record.username}, {record.role_names}",
            badges=[
                page_parts.badge("Active", "good")
                if record.is_active
                else page_parts.badge("Deactivated", "bad")
            ],
            sections=[
                Section(
                    "Person",
                    [
                        Facts(
                            [
                                ("Printed name", record.full_name),
                                ("User name", record.username),
                                ("E-mail", record.email),
                                ("Created", page_parts.moment(record.created_at)),
                                (
                                    "Password",
                                    "set by an administrator, to be changed at the next sign-in"
                                    if record.must_change_password
                                    else "own",
                                ),
                            ]
                        )
                    ],
                    is_wide=False,
                ),
                Section(
                    "Roles",
                    [
                        Table(
                            ["Role", "From", "Until"],
                            [
                                [
                                    one.get_role_display(),
                                    page_parts.moment(one.granted_at),
                                    page_parts.moment(one.ended_at) or "now",
                                ]
                                for one in held
                            ],
                            empty="No role: this person cannot sign in.",
                        )
                    ],
                    is_wide=False,
                ),
                Section("Last attempts to sign in", [_attempts(attempts)]),
            ],
        )


@admin.register(Device)
class DeviceAdmin(RecordAdmin):
    list_display = ("name", "kind", "is_active", "enrolled_at")
    search_fields = ("name",)
    list_filter = ("kind", "is_active")
    ordering = ("name",)
    empty_text = "No device is enrolled. Enrol one, and give its token to the system that posts."

    def page(self, record: Device, request: HttpRequest) -> Page:
        facts = Facts(
            [
                ("Name", record.name),
                ("Kind", record.get_kind_display()),
                ("Enrolled", page_parts.moment(record.enrolled_at)),
                ("Identity in the trail", f"device:{record.pk}"),
                ("Digest of its secret", page_parts.code(record.secret_digest)),
            ]
        )
        standing = (
            page_parts.badge("Active", "good")
            if record.is_active
            else page_parts.badge("Revoked", "bad")
        )
        return Page(title=record.name, badges=[standing], sections=[Section("Device", [facts])])


@admin.register(SignIn)
class SignInAdmin(RecordAdmin):
    list_display = ("attempted_at", "username", "purpose", "outcome", "address")
    search_fields = ("username", "address")
    list_filter = ("outcome", "purpose")
    badges = ("outcome",)
    date_hierarchy = "attempted_at"
    ordering = ("-pk",)
    empty_text = "Nobody has tried to sign in yet."


def _attempts(found: Any) -> Table:
    return Table(
        ["At", "For", "Outcome", "From"],
        [
            [
                page_parts.moment(one.attempted_at),
                one.get_purpose_display(),
                page_parts.state(one.outcome, SignInOutcome(one.outcome).label),
                one.address,
            ]
            for one in found
        ],
        empty="This person has not tried to sign in yet.",
    )
