"""Procedures and trainings in the admin, with who lacks what."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone

from compliance.access import acts, gaps, page_parts, procedures, record_admin, training
from compliance.access.acts import Act, ConfirmForm, Done, Occasion, ReasonForm
from compliance.access.duties import LABELS, Duty, Role
from compliance.access.gaps import Need
from compliance.access.models import (
    Assessment,
    Curriculum,
    Procedure,
    ProcedureVersion,
    Training,
    TrainingMethod,
    User,
)
from compliance.access.page_parts import Cell, Facts, Page, Section, Table, Text
from compliance.access.record_admin import RecordAdmin

MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class ProcedureForm(forms.Form):
    code = forms.RegexField(regex=r"^[A-Za-z0-9._/-]+$", max_length=40)
    title = forms.CharField(max_length=200)


class VersionForm(forms.Form):
    summary = forms.CharField(
        label="What is new", min_length=8, widget=forms.Textarea(attrs={"rows": 3})
    )
    effective_from = forms.DateTimeField(label="Effective from (UTC)", widget=MOMENT)
    retrain_after_days = forms.IntegerField(
        label="Repeat training after (days)", required=False, min_value=1, max_value=3660
    )
    document_digest = forms.RegexField(
        label="SHA-256 of the document", regex=r"^[0-9a-f]{64}$", required=False
    )


class NeedForm(forms.Form):
    role = forms.ChoiceField(choices=[(role.value, LABELS[role]) for role in Role])


class EndNeedForm(ReasonForm):
    curriculum = forms.ChoiceField(label="Role")
    field_order = ("curriculum", "reason")


class TrainingForm(forms.Form):
    person = forms.ChoiceField()
    version = forms.ChoiceField(label="Procedure")
    method = forms.ChoiceField(choices=TrainingMethod.choices)
    assessment = forms.ChoiceField(choices=Assessment.choices)
    remark = forms.CharField(widget=forms.Textarea(attrs={"rows": 2}), required=False)
    trained_at = forms.DateTimeField(label="Trained at (UTC)", widget=MOMENT)
    trained_by = forms.ChoiceField(required=False, help_text="Empty: you.")
    valid_until = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))


# --- Acts


def _create(occasion: Occasion) -> Done:
    made = procedures.create(**occasion.values, actor=occasion.actor, at=occasion.at)
    return Done(f"{made} is registered. Add its first version.", made)


def _add_version(occasion: Occasion) -> Done:
    version = procedures.add_version(
        occasion.record, **occasion.values, actor=occasion.actor, at=occasion.at
    )
    return Done(f"{version} is effective from {page_parts.moment(version.effective_from)}.")


def _retire(occasion: Occasion) -> Done:
    made = procedures.retire(
        occasion.record, actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"]
    )
    return Done(f"{made} is retired.")


def _need(occasion: Occasion) -> Done:
    role = Role(occasion.values["role"])
    procedures.need(occasion.record, role=role, actor=occasion.actor, at=occasion.at)
    return Done(f"{LABELS[role]} needs {occasion.record.code} from now on.")


def _end_need(occasion: Occasion) -> Done:
    found = Curriculum.objects.get(pk=occasion.values["curriculum"], procedure=occasion.record)
    procedures.end_need(
        found, actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"]
    )
    return Done(f"{found.get_role_display()} needs {occasion.record.code} no longer.")


def _record(occasion: Occasion) -> Done:
    given = dict(occasion.values)
    trainer = given.pop("trained_by")
    made = training.record(
        User.objects.get(pk=given.pop("person")),
        version=ProcedureVersion.objects.select_related("procedure").get(pk=given.pop("version")),
        method=TrainingMethod(given.pop("method")),
        assessment=Assessment(given.pop("assessment")),
        trained_by=User.objects.get(pk=trainer) if trainer else None,
        **given,
        actor=occasion.actor,
        at=occasion.at,
    )
    return Done(f"{made} is recorded.", made)


def _acknowledge(occasion: Occasion) -> Done:
    training.acknowledge(occasion.record, actor=occasion.actor, at=occasion.at)
    return Done("You have read and understood it: that is on record.")


def _withdraw(occasion: Occasion) -> Done:
    made = training.withdraw(
        occasion.record, actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"]
    )
    return Done(f"{made} counts no more.")


def _curricula_of(procedure: Procedure) -> list[tuple[str, str]]:
    needed = procedure.curricula.filter(ended_at=None).order_by("role")
    return [(str(one.pk), one.get_role_display()) for one in needed]


def _people(record: Any) -> list[tuple[str, str]]:
    active = User.objects.filter(is_active=True).order_by("username")
    return [(str(one.pk), str(one)) for one in active]


def _trainers(record: Any) -> list[tuple[str, str]]:
    return [("", "you"), *_people(record)]


def _versions(record: Any) -> list[tuple[str, str]]:
    """Offer what is effective, and what will be: people are trained before the day."""
    coming = ProcedureVersion.objects.filter(effective_from__gt=timezone.now())
    found = [*procedures.effective(at=timezone.now()), *coming.select_related("procedure")]
    return sorted(
        ((str(one.pk), f"{one} {one.procedure.title}") for one in found), key=lambda o: o[1]
    )


def _at_now(name: str) -> Any:
    return lambda record: {name: timezone.now()}


def _in_use(procedure: Any) -> bool:
    return procedure.retired_at is None


_MANAGE = Duty.MANAGE_TRAINING
acts.offer(
    Procedure,
    Act("create", "Register a procedure", _MANAGE, _create, form=ProcedureForm, is_for_list=True),
    Act(
        "add-version", "Add a version", _MANAGE, _add_version, form=VersionForm,
        is_offered=_in_use, initial=_at_now("effective_from"),
        explanation="From then on, whoever was trained in the version before is not current.",
    ),
    Act("need", "A role needs it", _MANAGE, _need, form=NeedForm, is_offered=_in_use),
    Act(
        "end-need", "A role needs it no longer", _MANAGE, _end_need, form=EndNeedForm,
        is_offered=lambda one: bool(_curricula_of(one)), choices={"curriculum": _curricula_of},
    ),
    Act("retire", "Retire", _MANAGE, _retire, is_offered=_in_use, is_grave=True),
)  # fmt: skip
acts.offer(
    Training,
    Act(
        "record", "Record a training", _MANAGE, _record, form=TrainingForm, is_for_list=True,
        initial=_at_now("trained_at"),
        choices={"person": _people, "version": _versions, "trained_by": _trainers},
    ),
    Act(
        "acknowledge", "I have read and understood", Duty.READ, _acknowledge, form=ConfirmForm,
        is_offered=lambda one: one.acknowledged_at is None and one.withdrawn_at is None,
        explanation="Said by the person who was trained, and by nobody else.",
    ),
    Act(
        "withdraw", "Withdraw", _MANAGE, _withdraw, is_grave=True,
        is_offered=lambda one: one.withdrawn_at is None,
    ),
)  # fmt: skip


# --- Pages


@admin.register(Procedure)
class ProcedureAdmin(RecordAdmin):
    list_display = ("code", "title", "version_now", "needed_by", "retired_at")
    search_fields = ("code", "title")
    list_filter = ("curricula__role",)
    ordering = ("code",)
    empty_text = "No procedure yet. Register one, add its first version, and say who needs it."

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("versions", "curricula")

    @admin.display(description="Effective version")
    def version_now(self, procedure: Procedure) -> str:
        at = timezone.now()
        if procedure.retired_at is not None:
            return "retired"
        found = [one for one in procedure.versions.all() if one.effective_from <= at]
        return str(max(one.version for one in found)) if found else "none"

    @admin.display(description="Needed by")
    def needed_by(self, procedure: Procedure) -> str:
        return ", ".join(
            sorted(one.get_role_display() for one in procedure.curricula.all() if not one.ended_at)
        )

    def page(self, record: Procedure, request: HttpRequest) -> Page:
        at = timezone.now()
        now = procedures.effective_version(record, at=at)
        badge = (
            page_parts.badge(f"Version {now.version} is effective", "good")
            if now
            else page_parts.badge("Nothing is effective", "warn")
        )
        return Page(
            record.code, record.title, [badge],
            [
                Section("Versions", [_version_table(record, now)]),
                Section("Who needs it", [_curriculum_table(record)], is_wide=False),
                Section("Trained in the effective version", [_trained_table(now, at)], is_wide=False),
            ],
        )  # fmt: skip


@admin.register(Training)
class TrainingAdmin(RecordAdmin):
    list_display = (
        "trained_at", "person", "procedure_version", "assessment", "valid_until", "trained_by_name",
        "acknowledged_at", "withdrawn_at",
    )  # fmt: skip
    search_fields = ("person__username", "person__full_name", "procedure_version__procedure__code")
    list_filter = ("assessment", "method")
    list_select_related = ("person", "procedure_version__procedure")
    badges = ("assessment",)
    date_hierarchy = "trained_at"
    ordering = ("-pk",)
    pages = (("Training that is lacking", "lacking"),)
    empty_text = "No training is recorded yet."

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.lacking)
        return [path("lacking/", view, name="access_training_lacking"), *super().get_urls()]

    def lacking(self, request: HttpRequest) -> HttpResponse:
        table = matrix(gaps.overdue(at=timezone.now()), with_person=True)
        sections = [Section("What active people's roles need and they lack", [table])]
        return self.plain_page(request, "Training that is lacking", sections)

    def page(self, record: Training, request: HttpRequest) -> Page:
        facts = Facts(
            [
                ("Person", record_admin.link(record.person)),
                ("Procedure", record_admin.link(record.procedure_version.procedure)),
                ("Version", str(record.procedure_version.version)),
                ("How", record.get_method_display()),
                ("Assessment", self.toned(record, "assessment")),
                ("Trained", f"{page_parts.moment(record.trained_at)} by {record.trained_by_name}"),
                ("Valid until", page_parts.day(record.valid_until)),
                ("Read and understood", page_parts.moment(record.acknowledged_at)),
                ("Withdrawn", page_parts.moment(record.withdrawn_at)),
            ]
        )
        return Page(
            str(record), "", [self.toned(record, "assessment")],  # type: ignore[list-item]
            [Section("Training", [facts, Text(record.remark, label="Remark")])],
        )  # fmt: skip


def matrix(needs: Sequence[Need], *, with_person: bool) -> Table:
    """Return who needs what, and since when they have it."""
    rows: list[list[Cell]] = []
    for one in needs:
        row: list[Cell] = [record_admin.link(one.person)] if with_person else []
        row += [
            page_parts.link(str(one.version), record_admin.url(one.version.procedure)),
            one.version.procedure.title,
            ", ".join(LABELS[Role(role)] for role in one.roles),
            _standing(one),
        ]
        rows.append(row)
    columns = ["Procedure", "Title", "Needed as", "Training"]
    return Table(
        ["Person", *columns] if with_person else columns, rows,
        empty="Nobody lacks anything." if with_person else "The roles need no training.",
    )  # fmt: skip


def trainings(person: User) -> Table:
    """Return everything that a person was trained in."""
    rows: list[list[Cell]] = [
        [
            page_parts.link(str(one.procedure_version), record_admin.url(one)),
            page_parts.moment(one.trained_at),
            one.trained_by_name,
            page_parts.state(one.assessment, one.get_assessment_display()),
            page_parts.day(one.valid_until),
            page_parts.moment(one.acknowledged_at),
            page_parts.moment(one.withdrawn_at),
        ]
        for one in training.of(person)
    ]
    columns = ["Procedure", "At", "By", "Assessment", "Valid until", "Understood", "Withdrawn"]
    return Table(columns, rows, empty="Not trained in any procedure.")


def _standing(need: Need) -> Cell:
    if need.training is None:
        return page_parts.badge("lacking", "bad")
    until = need.training.valid_until
    return page_parts.badge(f"until {until}" if until else "current", "good")


def _version_table(procedure: Procedure, now: ProcedureVersion | None) -> Table:
    rows: list[list[Cell]] = [
        [
            str(one.version),
            page_parts.moment(one.effective_from),
            one.summary,
            str(one.retrain_after_days or ""),
            page_parts.code(one.document_digest) if one.document_digest else "",
            page_parts.badge("effective", "good") if one == now else "",
        ]
        for one in procedure.versions.order_by("-version")
    ]
    columns = ["Version", "Effective from", "What is new", "Repeat after (days)", "Document", ""]
    return Table(columns, rows, empty="No version yet: nothing is done by this procedure.")


def _curriculum_table(procedure: Procedure) -> Table:
    rows: list[list[Cell]] = [
        [one.get_role_display(), page_parts.moment(one.since), page_parts.moment(one.ended_at)]
        for one in procedure.curricula.order_by("role", "pk")
    ]
    return Table(["Role", "Since", "Until"], rows, empty="No role needs it.")


def _trained_table(version: ProcedureVersion | None, at: datetime) -> Table:
    counting = training.counting(at=at).filter(procedure_version=version)
    rows: list[list[Cell]] = [
        [record_admin.link(one.person), page_parts.moment(one.trained_at)]
        for one in counting.select_related("person").order_by("person__username")
    ]
    return Table(["Person", "Since"], rows, empty="Nobody.")
