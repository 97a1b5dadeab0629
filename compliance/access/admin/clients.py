"""Clients of the API in the admin: administrators register, rotate and revoke them."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from compliance.access import acts, clients, page_parts
from compliance.access.acts import Act, Done, Occasion, ReasonForm
from compliance.access.duties import Duty
from compliance.access.models import AccessToken, ApiClient, ClientSecret, Device
from compliance.access.page_parts import Facts, Page, Section, Table
from compliance.access.record_admin import RecordAdmin
from compliance.access.scopes import MEANS

NEWEST = 50
SCOPES = [(scope.value, f"{scope.value}: {means}") for scope, means in MEANS.items()]


class ScopesForm(ReasonForm):
    scopes = forms.MultipleChoiceField(choices=SCOPES, widget=forms.CheckboxSelectMultiple)
    field_order: tuple[str, ...] = ("scopes", "reason")


class RegisterForm(ScopesForm):
    device = forms.ModelChoiceField(
        Device.objects.filter(is_active=True).order_by("name"),
        help_text="Everything that the client posts is posted by this device.",
    )
    field_order = ("device", "scopes", "reason")


class RotateForm(ReasonForm):
    overlap_hours = forms.IntegerField(
        label="Overlap in hours",
        min_value=0,
        max_value=clients.MOST_OVERLAP.days * 24,
        initial=24,
        help_text="How long the present secret stays valid beside the new one; 0: not at all.",
    )
    field_order = ("overlap_hours", "reason")


class RevokeSecretForm(ReasonForm):
    secret = forms.ChoiceField()
    field_order = ("secret", "reason")


def _register(occasion: Occasion) -> Done:
    client, secret = clients.register(
        occasion.values["device"],
        wanted=occasion.values["scopes"],
        actor=occasion.actor,
        at=occasion.at,
        reason=occasion.values["reason"],
    )
    return Done(f"The secret of {client}", client, secret=secret)


def _set_scopes(occasion: Occasion) -> Done:
    client = clients.set_scopes(
        occasion.record,
        wanted=occasion.values["scopes"],
        actor=occasion.actor,
        at=occasion.at,
        reason=occasion.values["reason"],
    )
    return Done(f"{client} has these scopes: {client.scopes}")


def _rotate(occasion: Occasion) -> Done:
    secret = clients.rotate(
        occasion.record,
        overlap=timedelta(hours=occasion.values["overlap_hours"]),
        actor=occasion.actor,
        at=occasion.at,
        reason=occasion.values["reason"],
    )
    return Done(f"The new secret of {occasion.record}", secret=secret)


def _revoke_secret(occasion: Occasion) -> Done:
    secret = clients.revoke_secret(
        ClientSecret.objects.get(client=occasion.record, pk=occasion.values["secret"]),
        actor=occasion.actor,
        at=occasion.at,
        reason=occasion.values["reason"],
    )
    return Done(f"Secret {secret.pk} opens nothing any more, nor do its tokens.")


def _revoke(occasion: Occasion) -> Done:
    client = clients.revoke(
        occasion.record, actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"]
    )
    return Done(f"{client} is shut out from now on.")


def _is_in_use(client: Any) -> bool:
    return client.revoked_at is None


def _present(client: Any) -> dict[str, Any]:
    return {"scopes": client.scope_list}


def _valid_secrets(client: Any) -> list[tuple[str, str]]:
    return [
        (str(one.pk), f"Secret {one.pk}, of {page_parts.moment(one.created_at)}")
        for one in clients.valid_secrets(client, at=timezone.now())
    ]


_ADMINISTER = Duty.ADMINISTER_ACCESS
acts.offer(
    ApiClient,
    Act(
        "register", "Register a client", _ADMINISTER, _register, form=RegisterForm,
        is_for_list=True,
        explanation="It gets tokens once quality assurance has qualified its device.",
    ),
    Act(
        "scopes", "Set its scopes", _ADMINISTER, _set_scopes, form=ScopesForm,
        is_offered=_is_in_use, initial=_present, is_replacing=True,
        explanation="What is taken away is lost at the next request, also to tokens in use.",
    ),
    Act(
        "rotate", "Rotate its secret", _ADMINISTER, _rotate, form=RotateForm, is_offered=_is_in_use,
        explanation="Two secrets are valid during the overlap, and no more than two.",
    ),
    Act(
        "revoke-secret", "Revoke a secret", _ADMINISTER, _revoke_secret, form=RevokeSecretForm,
        is_offered=_is_in_use, is_grave=True, choices={"secret": _valid_secrets},
        explanation="The tokens that were issued on it are dead at their next request.",
    ),
    Act(
        "revoke", "Revoke", _ADMINISTER, _revoke, is_offered=_is_in_use, is_grave=True,
        explanation="The client is shut out at its next request, for good.",
    ),
)  # fmt: skip


@admin.register(ApiClient)
class ApiClientAdmin(RecordAdmin):
    list_display = ("client_id", "device", "scopes", "created_at", "revoked_at")
    search_fields = ("client_id", "device__name")
    list_filter = ("device__kind",)
    list_select_related = ("device",)
    ordering = ("client_id",)
    empty_text = "No client is registered. Register one for a device that asks for access tokens."

    def page(self, record: ApiClient, request: HttpRequest) -> Page:
        at = timezone.now()
        facts = Facts(
            [
                ("Client", page_parts.code(record.client_id)),
                ("Device", record.device.name),
                ("Site", record.site),
                ("Scopes", record.scopes),
                ("Registered", page_parts.moment(record.created_at)),
                ("Revoked", page_parts.moment(record.revoked_at)),
            ]
        )
        standing = (
            page_parts.badge("In use", "good")
            if record.revoked_at is None
            else page_parts.badge("Revoked", "bad")
        )
        return Page(
            title=record.client_id,
            badges=[standing],
            sections=[
                Section("Client", [facts]),
                Section("Secrets", [_secrets(record, at)]),
                Section(f"The newest {NEWEST} access tokens", [_tokens(record)]),
            ],
        )


def _secrets(client: ApiClient, at: Any) -> Table:
    rows: list[list[Any]] = [
        [
            str(one.pk),
            page_parts.moment(one.created_at),
            page_parts.moment(one.ends_at),
            page_parts.moment(one.revoked_at),
            "valid" if one.is_valid_at(at) else "opens nothing",
        ]
        for one in client.secrets.order_by("-pk")
    ]
    return Table(columns=["Secret", "Made", "Ends", "Revoked", "State"], rows=rows)


def _tokens(client: ApiClient) -> Table:
    found = AccessToken.objects.filter(secret__client=client).order_by("-pk")[:NEWEST]
    rows: list[list[Any]] = [
        [
            page_parts.moment(one.issued_at),
            page_parts.moment(one.expires_at),
            str(one.secret_id),
            one.scopes,
            one.address,
        ]
        for one in found
    ]
    return Table(
        columns=["Issued", "Runs out", "Secret", "Scopes", "Address"],
        rows=rows,
        empty="None was issued.",
    )
