"""Devices in the admin: administrators enrol and revoke them, quality qualifies them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from compliance.access import acts, devices, page_parts
from compliance.access.acts import Act, Done, Occasion, ReasonForm
from compliance.access.duties import Duty
from compliance.access.models import Device, DeviceKind, Qualification
from compliance.access.page_parts import Facts, Page, Section
from compliance.access.record_admin import RecordAdmin

BOUND = forms.CharField(
    label="Equipment",
    max_length=60,
    help_text="Code of the equipment or system that the device speaks for.",
)


class EnrolForm(ReasonForm):
    name = forms.CharField(max_length=60, help_text="As it appears with everything it posts.")
    kind = forms.ChoiceField(choices=DeviceKind.choices)
    bound_to = BOUND
    field_order = ("name", "kind", "bound_to", "reason")


class QualifyForm(ReasonForm):
    bound_to = BOUND
    until = forms.DateField(
        label="Qualified until",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="The last day; empty: without end.",
    )
    field_order = ("bound_to", "until", "reason")


class DisqualifyForm(ReasonForm):
    for_good = forms.BooleanField(label="Retire it for good", required=False)
    field_order = ("for_good", "reason")


def _enrol(occasion: Occasion) -> Done:
    device, token = devices.enrol(
        name=occasion.values["name"],
        kind=DeviceKind(occasion.values["kind"]),
        bound_to=occasion.values["bound_to"],
        actor=occasion.actor,
        at=occasion.at,
        reason=occasion.values["reason"],
    )
    return Done(f"The token of {device}", device, secret=token)


def _qualify(occasion: Occasion) -> Done:
    device = devices.qualify(
        occasion.record,
        bound_to=occasion.values["bound_to"],
        until=occasion.values["until"],
        actor=occasion.actor,
        at=occasion.at,
        reason=occasion.values["reason"],
    )
    return Done(f"{device} is qualified for {device.bound_to} and may post.")


def _disqualify(occasion: Occasion) -> Done:
    device = devices.disqualify(
        occasion.record,
        for_good=occasion.values["for_good"],
        actor=occasion.actor,
        at=occasion.at,
        reason=occasion.values["reason"],
    )
    return Done(f"{device}: {device.get_qualification_display().lower()}. It posts nothing.")


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


def _is_active(device: Any) -> bool:
    return bool(device.is_active)


def _is_in_use(device: Any) -> bool:
    return bool(device.is_active and device.qualification != Qualification.RETIRED)


def _is_qualified(device: Any) -> bool:
    return bool(device.is_active and device.qualification == Qualification.QUALIFIED)


def _present(device: Any) -> dict[str, Any]:
    return {"bound_to": device.bound_to, "until": device.qualified_until}


_ADMINISTER = Duty.ADMINISTER_ACCESS
acts.offer(
    Device,
    Act(
        "enrol", "Enrol a device", _ADMINISTER, _enrol, form=EnrolForm, is_for_list=True,
        explanation="It posts nothing before quality assurance has qualified it.",
    ),
    Act(
        "qualify", "Qualify", Duty.QUALIFY_EQUIPMENT, _qualify, form=QualifyForm,
        is_offered=_is_in_use, initial=_present, is_replacing=True,
        explanation="Name the evidence in the reason: the protocol of the interface's test.",
    ),
    Act(
        "disqualify", "Take the qualification back", Duty.QUALIFY_EQUIPMENT, _disqualify,
        form=DisqualifyForm, is_offered=_is_qualified, is_grave=True,
        explanation="What the device posts is refused from now on, and alarmed.",
    ),
    Act("renew-token", "Renew its token", _ADMINISTER, _renew, is_offered=_is_in_use),
    Act(
        "revoke", "Revoke", _ADMINISTER, _revoke, is_offered=_is_active, is_grave=True,
        explanation="The device is shut out at its next request, for good.",
    ),
)  # fmt: skip


@admin.register(Device)
class DeviceAdmin(RecordAdmin):
    list_display = (
        "name", "kind", "bound_to", "qualification", "qualified_until", "is_active", "enrolled_at",
    )  # fmt: skip
    search_fields = ("name", "bound_to")
    list_filter = ("kind", "is_active", "qualification")
    badges = ("qualification",)
    ordering = ("name",)
    empty_text = "No device is enrolled. Enrol one, and give its token to the system that posts."

    def page(self, record: Device, request: HttpRequest) -> Page:
        why = devices.objection(record, at=timezone.now())
        facts = Facts(
            [
                ("Name", record.name),
                ("Kind", record.get_kind_display()),
                ("Speaks for", record.bound_to or "nothing yet"),
                ("Qualification", self.toned(record, "qualification")),
                ("Qualified by", str(record.qualified_by or "")),
                ("Qualified at", page_parts.moment(record.qualified_at)),
                ("Qualified until", page_parts.day(record.qualified_until)),
                ("Enrolled", page_parts.moment(record.enrolled_at)),
                ("Identity in the trail", f"device:{record.pk}"),
                ("Digest of its secret", page_parts.code(record.secret_digest)),
            ]
        )
        standing = (
            page_parts.badge("May post", "good")
            if why is None
            else page_parts.badge(f"May not post: {why}", "bad")
        )
        return Page(title=record.name, badges=[standing], sections=[Section("Device", [facts])])
