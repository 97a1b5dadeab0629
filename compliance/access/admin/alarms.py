"""Security alarms in the admin: what waits, and who has seen what."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from compliance.access import acts, alarms, page_parts
from compliance.access.acts import Act, Done, Occasion
from compliance.access.duties import Duty
from compliance.access.models import SecurityAlarm
from compliance.access.page_parts import Facts, Page, Section, Text
from compliance.access.record_admin import RecordAdmin


class AcknowledgeForm(forms.Form):
    comment = forms.CharField(
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What was found and what follows, in at least 8 characters.",
    )


def _acknowledge(occasion: Occasion) -> Done:
    alarm = alarms.acknowledge(
        occasion.record,
        comment=occasion.values["comment"],
        actor=occasion.actor,
        at=occasion.at,
    )
    return Done(f"{alarm} is acknowledged.")


acts.offer(
    SecurityAlarm,
    Act(
        "acknowledge", "Acknowledge", Duty.ACKNOWLEDGE_ALARM, _acknowledge, form=AcknowledgeForm,
        is_offered=lambda alarm: alarm.is_waiting,
        explanation="Once, and with a comment. Nobody acknowledges an alarm about themselves.",
    ),
)  # fmt: skip


class Waiting(SimpleListFilter):
    """Find what nobody has acknowledged."""

    title = "acknowledgement"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("waiting", "Waiting"), ("acknowledged", "Acknowledged")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        return queryset.filter(acknowledged_at__isnull=self.value() == "waiting")


@admin.register(SecurityAlarm)
class SecurityAlarmAdmin(RecordAdmin):
    list_display = ("raised_at", "kind", "about", "text", "standing", "acknowledged_by")
    search_fields = ("about", "text", "address", "comment")
    list_filter = (Waiting, "kind")
    list_select_related = ("acknowledged_by",)
    date_hierarchy = "raised_at"
    ordering = ("-pk",)
    empty_text = "No alarm has been raised."

    @admin.display(description="Standing", ordering="acknowledged_at")
    def standing(self, alarm: SecurityAlarm) -> str:
        return _standing(alarm)

    def page(self, record: SecurityAlarm, request: HttpRequest) -> Page:
        facts = Facts(
            [
                ("Raised", page_parts.moment(record.raised_at)),
                ("About", f"{record.about} ({record.about_id})"),
                ("Caused by", record.caused_by_id),
                ("From", record.address),
            ]
        )
        sections = [Section("What happened", [Text(record.text), facts], is_wide=False)]
        if not record.is_waiting:
            seen = Facts(
                [
                    ("By", str(record.acknowledged_by)),
                    ("In the role", record.acknowledged_role),
                    ("At", page_parts.moment(record.acknowledged_at)),
                ]
            )
            sections.append(Section("Acknowledged", [Text(record.comment), seen], is_wide=False))
        return Page(record.get_kind_display(), str(record), [_standing(record)], sections)


def _standing(alarm: SecurityAlarm) -> SafeString:
    if alarm.is_waiting:
        return page_parts.badge("Waiting", "bad")
    return page_parts.badge("Acknowledged", "good")
