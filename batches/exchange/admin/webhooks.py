"""Webhooks in the admin: who is told, how every message went, and once more by a person."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from batches.exchange import deliveries, subscriptions
from batches.exchange.models import Delivery, DeliveryState, Replay, Scheme, Subscription
from compliance.access import acts, page_parts, record_admin
from compliance.access.acts import Act, Done, Occasion, ReasonForm
from compliance.access.duties import Duty
from compliance.access.models import Device
from compliance.access.page_parts import Facts, Page, Section, Table, Text
from compliance.access.record_admin import RecordAdmin

_TONES: dict[str, page_parts.Tone] = {
    DeliveryState.WAITING: "busy", DeliveryState.DELIVERED: "good", DeliveryState.EXHAUSTED: "bad"
}  # fmt: skip
_ONCE = "Give it to the receiver now: it is not shown again."


class SubscribeForm(ReasonForm):
    name = forms.CharField(max_length=60)
    url = forms.CharField(label="Address", max_length=500)
    device = forms.ChoiceField(help_text="Whose permissions apply.")
    kinds = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}), required=False,
        help_text="Tables, or tables with an operation, one a line. Empty: everything.",
    )  # fmt: skip
    scheme = forms.ChoiceField(label="Signature", choices=Scheme.choices)
    field_order = ("name", "url", "device", "kinds", "scheme", "reason")


class RotateForm(ReasonForm):
    overlap_hours = forms.IntegerField(
        label="Both hold for (hours)", min_value=1, max_value=720, initial=24
    )
    field_order = ("overlap_hours", "reason")


def _subscribe(occasion: Occasion) -> Done:
    said = occasion.values
    made, shown = subscriptions.subscribe(
        name=said["name"],
        url=said["url"],
        device=Device.objects.get(pk=said["device"]),
        kinds=said["kinds"],
        scheme=Scheme(said["scheme"]),
        actor=occasion.actor,
        at=occasion.at,
        reason=said["reason"],
    )
    return Done(f"{made} is told of what changes from now on. {_ONCE}", made, secret=shown)


def _rotate(occasion: Occasion) -> Done:
    shown = subscriptions.rotate(
        occasion.record,
        overlap=timedelta(hours=occasion.values["overlap_hours"]),
        actor=occasion.actor,
        at=occasion.at,
        reason=occasion.values["reason"],
    )
    return Done(f"The secret is renewed; the earlier one signs too. {_ONCE}", secret=shown)


def _stop(occasion: Occasion) -> Done:
    stopped = subscriptions.stop(
        occasion.record, actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"]
    )
    return Done(f"{stopped} is told nothing more.", stopped)


def _resume(occasion: Occasion) -> Done:
    resumed = subscriptions.resume(
        occasion.record, actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"]
    )
    return Done(f"{resumed} is told again, also of what happened meanwhile.", resumed)


def _replay(occasion: Occasion) -> Done:
    delivery = deliveries.replay(
        occasion.record, actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"]
    )
    return Done("It is sent again within moments.", delivery)


def _devices(record: Any) -> list[tuple[str, str]]:
    found = Device.objects.filter(is_active=True).order_by("name")
    return [(str(device.pk), device.name) for device in found]


acts.offer(
    Subscription,
    Act(
        "subscribe", "Tell an address of changes", Duty.ADMINISTER_ACCESS, _subscribe,
        form=SubscribeForm, is_for_list=True, choices={"device": _devices},
    ),
    Act("rotate", "Renew the secret", Duty.ADMINISTER_ACCESS, _rotate, form=RotateForm),
    Act(
        "stop", "Stop", Duty.ADMINISTER_ACCESS, _stop, is_grave=True,
        is_offered=lambda subscription: bool(subscription.is_active),
    ),
    Act(
        "resume", "Go on", Duty.ADMINISTER_ACCESS, _resume,
        is_offered=lambda subscription: not subscription.is_active,
    ),
)  # fmt: skip
acts.offer(
    Delivery,
    Act(
        "replay", "Send it again", Duty.ADMINISTER_ACCESS, _replay,
        explanation="Under the same id: its receiver knows whether it has it.",
        is_offered=lambda delivery: delivery.attempt_count > 0,
    ),
)  # fmt: skip


@admin.register(Subscription)
class SubscriptionAdmin(RecordAdmin):
    list_display = ("name", "url", "device", "shown_state", "created_at")
    search_fields = ("name", "url")
    list_filter = ("is_active",)
    list_select_related = ("device",)
    ordering = ("name",)
    empty_text = "Nobody is told of changes yet."

    @admin.display(description="State")
    def shown_state(self, subscription: Subscription) -> SafeString:
        return _state(subscription)

    def page(self, record: Subscription, request: HttpRequest) -> Page:
        facts = Facts(
            [
                ("Address", record.url),
                (
                    "Told of",
                    ", ".join(record.kinds.split()) or "everything that its device may read",
                ),
                ("Device", record_admin.link(record.device)),
                ("Signature", record.get_scheme_display()),
                ("Public key", page_parts.code(key) if (key := _key(record)) else ""),
                ("The earlier secret signs until", page_parts.moment(record.previous_until)),
                ("Stopped because", record.why_inactive),
                ("Subscribed", page_parts.moment(record.created_at)),
                ("By", record_admin.link(record.created_by)),
            ]
        )
        rows = [
            (record_admin.link(one), one.event_type,
             page_parts.badge(one.get_state_display(), _TONES[one.state]), str(one.attempt_count),
             one.last_answer, page_parts.moment(one.next_try_at))
            for one in record.deliveries.order_by("-pk")[:100]
        ]  # fmt: skip
        columns = ("Message", "Event", "State", "Attempts", "Last answer", "Next try")
        table = Table(columns, rows, "Nothing was sent yet.", ("Attempts",))
        sections = [Section("Subscription", [facts]), Section("Newest messages", [table])]
        return Page(record.name, "Webhook", [_state(record)], sections)


@admin.register(Delivery)
class DeliveryAdmin(RecordAdmin):
    list_display = ("message_id", "subscription", "event_type", "shown_state", "attempt_count",
                    "last_answer", "next_try_at", "created_at")  # fmt: skip
    search_fields = ("message_id", "event_type", "last_answer")
    list_filter = ("state", "subscription")
    list_select_related = ("subscription",)
    ordering = ("-pk",)
    empty_text = "No message was made yet."

    @admin.display(description="State", ordering="state")
    def shown_state(self, delivery: Delivery) -> str:
        return page_parts.badge(delivery.get_state_display(), _TONES[delivery.state])

    def page(self, record: Delivery, request: HttpRequest) -> Page:
        facts = Facts(
            [
                ("Subscription", record_admin.link(record.subscription)),
                ("Message", page_parts.code(record.message_id)),
                ("Event", record.event_type),
                ("Made", page_parts.moment(record.created_at)),
                ("Next try", page_parts.moment(record.next_try_at)),
                ("Tried until", page_parts.moment(record.retry_until)),
            ]
        )
        tried = [
            (str(one.number), page_parts.moment(one.tried_at), str(one.status or "none"), one.answer,
             f"{one.took_ms} ms")
            for one in record.attempts.order_by("number")
        ]  # fmt: skip
        again = [
            (page_parts.moment(one.replayed_at), record_admin.link(one.replayed_by), one.reason)
            for one in Replay.objects.filter(delivery=record).select_related("replayed_by")
        ]
        badges = [page_parts.badge(record.get_state_display(), _TONES[record.state])]
        return Page(
            record.message_id, "Message", badges,
            [
                Section("Message", [facts, Text(record.body, "Body")]),
                Section("Attempts", [
                    Table(("Number", "Tried", "Status", "Answer", "Took"), tried,
                          "It was not tried yet.", ("Number", "Took"))
                ]),
                Section("Sent again", [Table(("When", "By", "Why"), again, "Never.")]),
            ],
        )  # fmt: skip


def _state(subscription: Subscription) -> SafeString:
    if subscription.is_active:
        return page_parts.badge("Active", "good")
    return page_parts.badge("Stopped", "bad")


def _key(subscription: Subscription) -> str:
    return subscriptions.verifies_with(subscription)
