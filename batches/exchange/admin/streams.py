"""Sources in the admin: what they sent, what was missing, and which thresholds judge their times."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from batches.exchange import sequences, sources
from batches.exchange.models import Gap, Source, SourceRecord
from batches.exchange.sources import Thresholds
from compliance.access import acts, page_parts, record_admin
from compliance.access.acts import Act, Done, Occasion, ReasonForm
from compliance.access.duties import Duty
from compliance.access.models import Device
from compliance.access.page_parts import Facts, Page, Section, Table, Text
from compliance.access.record_admin import RecordAdmin

_TONES: dict[str, page_parts.Tone] = {"open": "bad", "closed": "good", "explained": "warn"}
_THRESHOLDS = ("late_after_s", "backfilled_after_s", "clock_skew_s")


class ThresholdsForm(ReasonForm):
    late_after_s = forms.IntegerField(label="Late after (s)", min_value=1, initial=900)
    backfilled_after_s = forms.IntegerField(label="Backfilled after (s)", min_value=1, initial=3600)
    clock_skew_s = forms.IntegerField(
        label="Clock suspect beyond (s)", min_value=1, max_value=300, initial=60
    )
    field_order: Sequence[str] = (*_THRESHOLDS, "reason")


class RegisterForm(ThresholdsForm):
    code = forms.RegexField(r"\A[A-Za-z0-9][A-Za-z0-9._:-]*\Z", max_length=60)
    device = forms.ChoiceField(help_text="The device that brings its records.")
    description = forms.CharField(max_length=200, required=False)
    field_order = ("code", "device", "description", *_THRESHOLDS, "reason")


def _thresholds(occasion: Occasion) -> Thresholds:
    return Thresholds(**{name: occasion.values[name] for name in _THRESHOLDS})


def _register(occasion: Occasion) -> Done:
    said = occasion.values
    source = sources.register(
        code=said["code"],
        device=Device.objects.get(pk=said["device"]),
        description=said["description"],
        thresholds=_thresholds(occasion),
        actor=occasion.actor,
        at=occasion.at,
        reason=said["reason"],
    )
    return Done(f"{source} is registered.", source)


def _change(occasion: Occasion) -> Done:
    source = sources.change_thresholds(
        occasion.record,
        thresholds=_thresholds(occasion),
        actor=occasion.actor,
        at=occasion.at,
        reason=occasion.values["reason"],
    )
    return Done("What comes from now on is judged by these thresholds.", source)


def _explain(occasion: Occasion) -> Done:
    gap = sequences.explain(
        occasion.record, reason=occasion.values["reason"], actor=occasion.actor, at=occasion.at
    )
    return Done("The gap is explained; it is no longer waited for.", gap)


def _devices(record: Any) -> list[tuple[str, str]]:
    found = Device.objects.filter(is_active=True).order_by("name")
    return [(str(device.pk), device.name) for device in found]


def _is_open(gap: Gap) -> bool:
    return gap.state == "open"


acts.offer(
    Source,
    Act(
        "register", "Register a source", Duty.ADMINISTER_ACCESS, _register, form=RegisterForm,
        is_for_list=True, choices={"device": _devices},
    ),
    Act(
        "thresholds", "Change the thresholds", Duty.ADMINISTER_ACCESS, _change,
        form=ThresholdsForm, initial=lambda source: {n: getattr(source, n) for n in _THRESHOLDS},
        explanation="What is recorded keeps the flags that it got.",
    ),
)  # fmt: skip
acts.offer(
    Gap,
    Act("explain", "Say why they will never come", Duty.INVESTIGATE, _explain, is_offered=_is_open),
)


@admin.register(Source)
class SourceAdmin(RecordAdmin):
    list_display = ("code", "device", "description", "registered_at")
    search_fields = ("code", "description", "device__name")
    list_select_related = ("device",)
    ordering = ("code",)
    empty_text = "No source is registered yet."

    def page(self, record: Source, request: HttpRequest) -> Page:
        standing = sequences.standing(record)
        facts = Facts(
            [
                ("Device", record_admin.link(record.device)),
                ("Description", record.description),
                *((name.removesuffix("_s").replace("_", " ").capitalize(), f"{value} s")
                  for name, value in asdict(
                      Thresholds(record.late_after_s, record.backfilled_after_s, record.clock_skew_s)
                  ).items()),
                ("Next number expected", str(standing.next_expected)),
                ("Highest number received", str(standing.highest)),
                ("Registered", page_parts.moment(record.registered_at)),
            ]
        )  # fmt: skip
        gaps = record.gaps.order_by("-first")[:50]
        rows = [
            (record_admin.link(gap), str(gap.missing), page_parts.badge(gap.state, _TONES[gap.state]),
             page_parts.moment(gap.opened_at), page_parts.moment(gap.closed_at))
            for gap in gaps
        ]  # fmt: skip
        columns = ("Numbers", "Missing", "State", "Noticed", "Closed")
        newest = [
            (record_admin.link(one), str(one.sequence or ""), ", ".join(one.flags),
             page_parts.moment(one.observed_at), page_parts.moment(one.recorded_at))
            for one in record.records.select_related("source").order_by("-pk")[:50]
        ]  # fmt: skip
        return Page(
            str(record), "Source", [],
            [
                Section("Source", [facts]),
                Section("Gaps", [Table(columns, rows, "No number was left out.", ("Missing",))]),
                Section("Newest records", [
                    Table(("Record", "Number", "Flags", "Observed", "Recorded"), newest,
                          "Nothing came yet.", ("Number",)),
                ]),
            ],
        )  # fmt: skip


@admin.register(SourceRecord)
class SourceRecordAdmin(RecordAdmin):
    list_display = ("record_id", "version", "source", "kind", "sequence", "shown_flags",
                    "observed_at", "recorded_at")  # fmt: skip
    search_fields = ("record_id", "content_digest")
    list_filter = ("source", "kind", "is_late", "is_backfilled", "is_clock_suspect")
    list_select_related = ("source",)
    ordering = ("-pk",)
    empty_text = "No source has sent a record yet."

    @admin.display(description="Flags")
    def shown_flags(self, record: SourceRecord) -> str:
        return ", ".join(record.flags) or "-"

    def page(self, record: SourceRecord, request: HttpRequest) -> Page:
        badges = [page_parts.badge(flag, "warn") for flag in record.flags]
        facts = Facts(
            [
                ("Source", record_admin.link(record.source)),
                ("Record", f"{record.record_id}, version {record.version}"),
                ("Corrects", record_admin.link(record.previous)),
                ("Corrected by", record.corrected_by),
                ("Reason", record.reason),
                ("Number", str(record.sequence or "")),
                ("Recorded as", record.subject),
                ("SHA-256 of the content", page_parts.code(record.content_digest)),
            ]
        )
        times = Facts(
            [
                ("Observed, as sent", record.observed_text),
                ("Observed", page_parts.moment(record.observed_at)),
                ("Sent", page_parts.moment(record.sent_at)),
                ("Received", page_parts.moment(record.received_at)),
                ("Recorded", page_parts.moment(record.recorded_at)),
                ("In doubt", record.doubts),
            ]
        )
        sections = [Section("Record", [facts]), Section("Its four times", [times])]
        if record.content:
            sections.append(Section("Content", [Text(record.content)]))
        return Page(str(record), f"{record.kind} of {record.source}", badges, sections)


@admin.register(Gap)
class GapAdmin(RecordAdmin):
    list_display = ("__str__", "missing", "shown_state", "opened_at", "closed_at")
    list_filter = ("source",)
    list_select_related = ("source",)
    ordering = ("-pk",)
    empty_text = "No source has left out a number."

    @admin.display(description="State")
    def shown_state(self, gap: Gap) -> str:
        return page_parts.badge(gap.state, _TONES[gap.state])

    def page(self, record: Gap, request: HttpRequest) -> Page:
        missing = sequences.missing_of(record, most=200) if record.missing else []
        facts = Facts(
            [
                ("Source", record_admin.link(record.source)),
                ("Numbers", f"{record.first} to {record.last}"),
                ("Missing", str(record.missing)),
                ("The first of them", ", ".join(map(str, missing))),
                ("Noticed", page_parts.moment(record.opened_at)),
                ("Closed, late", page_parts.moment(record.closed_at)),
                ("Explanation", record.explanation),
                ("Explained by", record_admin.link(record.explained_by)),
                ("Explained", page_parts.moment(record.explained_at)),
            ]
        )
        badges = [page_parts.badge(record.state, _TONES[record.state])]
        return Page(str(record), "Gap", badges, [Section("Gap", [facts])])
