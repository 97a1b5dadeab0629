"""The accountability statement in the admin: its versions, and who acknowledged them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from compliance.access import acts, page_parts
from compliance.access.acts import Act, Done, Occasion, ReasonForm
from compliance.access.duties import Duty
from compliance.access.page_parts import Facts, Page, Section, Table, Text
from compliance.access.record_admin import RecordAdmin
from compliance.signatures import accountability, manifestations, signing, statements
from compliance.signatures.forms import SignForm, SignWithReasonForm, confirmed
from compliance.signatures.models import Meaning, Statement


class DraftForm(ReasonForm):
    text = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 10}),
        max_length=20_000,
        help_text="What an electronic signature binds its signer to.",
    )
    field_order = ("text", "reason")


class AcknowledgeForm(SignForm):
    has_read = forms.BooleanField(label="I have read the statement, and it binds me.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        statement = accountability.effective()
        self.fields["has_read"].help_text = statement.text if statement else ""

    field_order = ("has_read", "password")


def _draft(occasion: Occasion) -> Done:
    made = statements.draft(
        text=occasion.values["text"],
        actor=occasion.actor,
        at=occasion.at,
        reason=occasion.values["reason"],
    )
    return Done(f"{made} is drafted. Another person publishes it.", made)


def _publish(occasion: Occasion) -> Done:
    made = statements.publish(
        occasion.record, confirmed=confirmed(occasion), reason=occasion.values["reason"]
    )
    return Done(f"{made} is in force. Everybody acknowledges it before signing again.", made)


def _acknowledge(occasion: Occasion) -> Done:
    statements.acknowledge(occasion.record, confirmed=confirmed(occasion))
    return Done("You have acknowledged the statement, and may sign records now.")


def _is_draft(statement: Statement) -> bool:
    return statement.effective_at is None


def _is_in_force(statement: Statement) -> bool:
    in_force = accountability.effective()
    return in_force is not None and in_force.pk == statement.pk


acts.offer(
    Statement,
    Act(
        "draft", "Write the next version", Duty.MANAGE_TRAINING, _draft, form=DraftForm,
        is_for_list=True,
    ),
    Act(
        "publish", "Publish", Duty.MANAGE_TRAINING, _publish, form=SignWithReasonForm,
        is_offered=_is_draft, is_grave=True,
        explanation="From then on nobody signs before acknowledging this version. Whoever wrote "
        "it does not publish it.",
    ),
    Act(
        "acknowledge", "Acknowledge", Duty.READ, _acknowledge, form=AcknowledgeForm,
        is_offered=_is_in_force,
        explanation="Read the statement on its page. Your signature says that it binds you; "
        "nobody signs a record before.",
    ),
)  # fmt: skip


@admin.register(Statement)
class StatementAdmin(RecordAdmin):
    list_display = ("version", "effective_at", "drafted_by", "drafted_at")
    list_filter = ("effective_at",)
    search_fields = ("text",)
    list_select_related = ("drafted_by",)
    date_hierarchy = "effective_at"
    ordering = ("-version",)
    empty_text = "There is no accountability statement, and nobody can sign."

    def page(self, record: Statement, request: HttpRequest) -> Page:
        given = signing.of(record)
        by_whom = str(record.drafted_by) if record.drafted_by else "the product"
        facts = Facts(
            [
                ("Version", str(record.version)),
                ("In force since", page_parts.moment(record.effective_at) or "not published"),
                ("Drafted by", by_whom),
                ("Drafted", page_parts.moment(record.drafted_at)),
            ]
        )
        rows = [
            [one.printed_name, one.username, one.role, manifestations.moment(one)]
            for one in given
            if one.meaning == Meaning.ACKNOWLEDGED
        ]
        table = Table(["Name", "User", "Role", "At"], rows, empty="By nobody yet.")
        badge = (
            page_parts.badge("In force", "good")
            if _is_in_force(record)
            else page_parts.badge("Draft" if _is_draft(record) else "Superseded", "quiet")
        )
        return Page(
            title=str(record),
            badges=[badge],
            sections=[
                Section("Statement", [Text(record.text), facts]),
                Section("Acknowledged by", [table]),
            ],
        )
