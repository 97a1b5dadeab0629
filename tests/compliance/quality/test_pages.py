"""The pages of quality: every state has its page, and people act there by the same domain calls."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from compliance.access import acts
from compliance.access.duties import Role
from compliance.quality import causes, scope
from compliance.quality.models import (
    Capa,
    Change,
    Deviation,
    Finding,
    ImpactKind,
    PeriodicReview,
    Risk,
    RootCause,
    Scale,
    TrailReview,
)
from compliance.quality.scope import Suggestion
from tests import factories
from tests.compliance.quality import test_states as matrix
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
WHY = "as the evidence of the case says"


def _day(days: int) -> str:
    return (timezone.now().date() + timedelta(days=days)).isoformat()


class Person:
    """Somebody who signs in and sends the forms of acts."""

    def __init__(self, *roles: Role) -> None:
        self.user = factories.person(*roles, at=timezone.now())
        self.client = Client()
        self.client.force_login(self.user)

    def act(
        self, model: type[Any], name: str, values: Any, *, on: Any = None, status: int = 302
    ) -> Any:
        base = f"/admin/quality/{model._meta.model_name}/"
        path = f"{base}{on.pk}/acts/{name}/" if on else f"{base}acts/{name}/"
        shown = self.client.get(path)
        assert shown.status_code == 200, shown.content
        answer = self.client.post(path, values)
        assert answer.status_code == status, answer.content.decode()[:4000]
        return model.objects.order_by("-pk").first()

    def page(self, record: Any) -> str:
        meta = record._meta
        answer = self.client.get(f"/admin/{meta.app_label}/{meta.model_name}/{record.pk}/change/")
        assert answer.status_code == 200
        return str(answer.content.decode())


@pytest.mark.parametrize("machine", matrix.DRIVEN, ids=lambda one: one[0].model.__name__)
def test_a_record_has_a_page_in_every_state_that_offers_what_is_possible(machine: Any) -> None:
    kind, made_in, _ = machine
    quality = Person(Role.QUALITY_ASSURANCE)
    for state in kind.allowed:
        record = made_in(state)
        text = quality.page(record)
        assert str(record) in text
        for act in acts.of(kind.model, is_for_list=False):
            is_shown = f"/acts/{act.name}/" in text
            assert is_shown == (act.duty in quality.user.duties and act.is_offered(record)), act
        if not kind.allowed[state]:
            assert "/acts/" not in text


def test_a_deviation_is_worked_on_through_its_page() -> None:
    operator, engineer, quality = (
        Person(Role.OPERATOR), Person(Role.PROCESS_ENGINEER), Person(Role.QUALITY_ASSURANCE),
    )  # fmt: skip
    opening = {
        "title": "Glucose below its limit", "severity": "minor", "category": "process",
        "description": "Seen in the trend on day six of the batch.",
        "occurred_at": "2026-03-01T08:00", "concerns": "glucose_mmol_l",
    }  # fmt: skip
    earlier = operator.act(Deviation, "open", opening)
    one = operator.act(Deviation, "open", opening)
    operator.act(Deviation, "act-at-once", {"text": "the feed was raised by hand"}, on=one)
    engineer.act(
        Deviation, "investigate",
        {
            "root_cause_category": "equipment", "root_cause": "The pump head was worn.",
            "impact": "One batch.", "conclusion": "It is rejected.", "reason": WHY,
        },
        on=one,
    )  # fmt: skip
    engineer.act(
        Deviation, "consider-cause",
        {"category": "method", "cause": "an unclear step", "finding": "ruled-out", "how": WHY},
        on=one,
    )  # fmt: skip
    engineer.act(
        Deviation, "add-neighbour", {"kind": "batch", "name": "B-9", "because": WHY}, on=one
    )
    engineer.act(Deviation, "extend-scope", {}, on=one)
    text = engineer.page(one)
    assert "A decision on batch B-9" in text
    assert earlier.number in text
    neighbour = one.neighbours.get()
    engineer.act(
        Deviation, "decide-neighbour",
        {"neighbour": neighbour.pk, "effect": "not-affected", "reason": WHY}, on=one,
    )  # fmt: skip
    engineer.act(Deviation, "answer-recurrence", {"is_recurrence": "no", "text": WHY}, on=one)
    engineer.act(Deviation, "ask-extension", {"until": _day(90), "reason": WHY}, on=one)
    quality.act(
        Deviation, "answer-extension",
        {"extension": one.extensions.get().pk, "is_granted": "yes", "reason": WHY}, on=one,
    )  # fmt: skip
    quality.act(Deviation, "close", {"password": PASSWORD, "reason": WHY}, on=one, status=422)
    answers = dict.fromkeys(
        ("harms_patient", "is_integrity_in_doubt", "touches_cqa", "is_released"), "no"
    )
    answers |= {"touches_cpp": "yes", "breaks_procedure": "no", "rationale": WHY}
    quality.act(Deviation, "classify", answers, on=one)
    engineer.act(Deviation, "sign-investigation", {"password": PASSWORD}, on=one)
    quality.act(Deviation, "close", {"password": PASSWORD, "reason": WHY}, on=one)
    quality.act(
        Deviation, "cancel",
        {"original": one.number, "password": PASSWORD, "reason": WHY}, on=earlier,
    )  # fmt: skip

    one.refresh_from_db()
    earlier.refresh_from_db()
    assert (one.state, one.severity, earlier.state) == ("closed", "major", "cancelled")
    assert one.number in quality.page(earlier)


def test_the_trends_are_shown_with_what_is_late() -> None:
    factories.deviation()  # of March, and never closed

    answer = Person(Role.AUDITOR).client.get("/admin/quality/deviation/trends/")

    assert answer.status_code == 200
    text = answer.content.decode()
    assert "investigate and close" in text
    assert "nothing to count" in text
    listed = Person(Role.AUDITOR).client.get("/admin/quality/deviation/?due=overdue")
    assert "/admin/quality/deviation/trends/" in listed.content.decode()


def test_the_trends_refuse_a_period_that_they_do_not_know() -> None:
    answer = Person(Role.AUDITOR).client.get("/admin/quality/deviation/trends/?from=2026-01")

    assert answer.status_code == 400
    assert "This page knows no parameter, and not “from”." in answer.content.decode()


def test_a_capa_is_worked_on_through_its_page() -> None:
    engineer, quality = Person(Role.PROCESS_ENGINEER), Person(Role.QUALITY_ASSURANCE)
    doer, checker = Person(Role.SUPERVISOR), Person(Role.QC_SUPERVISOR)
    first, second = factories.deviation(), factories.deviation()
    one = engineer.act(
        Capa, "open",
        {
            "title": "Change the pump head", "problem": "The head wears out within a year.",
            "kind": "corrective", "source": "deviation", "owner": doer.user.username,
            "due_on": _day(30), "criterion": "No deviation of the feed in three months.",
            "check_due_on": _day(120), "deviations": f"{first}, {second}",
        },
    )  # fmt: skip
    assert one.deviations.count() == 2
    assert one.number in engineer.page(first)
    engineer.act(
        Capa, "add-action",
        {"text": "fit the new head", "owner": doer.user.username, "due_on": _day(20)}, on=one,
    )  # fmt: skip
    quality.act(Capa, "approve", {"password": PASSWORD}, on=one)
    doer.act(
        Capa, "finish-action", {"action": one.actions.get().pk, "evidence": "work order"}, on=one
    )
    doer.act(Capa, "implement", {"reason": "the head is fitted"}, on=one)
    checker.act(Capa, "check", {"is_effective": "yes", "observed": WHY}, on=one)
    quality.act(Capa, "close", {"password": PASSWORD, "reason": WHY}, on=one)
    one.refresh_from_db()
    assert one.state == "closed"


def test_a_change_is_worked_on_through_its_page() -> None:
    engineer, quality = Person(Role.PROCESS_ENGINEER), Person(Role.QUALITY_ASSURANCE)
    one = engineer.act(
        Change, "request",
        {
            "title": "Another make of valve", "description": "A valve of another make is fitted.",
            "justification": "The present make is no longer delivered.",
            "classification": "minor", "is_emergency": "yes",
        },
    )  # fmt: skip
    for kind in ImpactKind:
        engineer.act(
            Change, "assess-impact",
            {"kind": kind.value, "is_affected": "no", "assessment": WHY}, on=one,
        )  # fmt: skip
    engineer.act(
        Change, "add-task",
        {"text": "fit the valve", "owner": engineer.user.username, "due_on": _day(3)}, on=one,
    )  # fmt: skip
    quality.act(Change, "let-emergency", {"password": PASSWORD, "reason": WHY}, on=one)
    engineer.act(Change, "finish-assessment", {"reason": WHY}, on=one)
    quality.act(Change, "approve", {"function": "quality", "password": PASSWORD}, on=one)
    task = one.tasks.get()
    engineer.act(Change, "finish-task", {"task": task.pk, "outcome": "fitted, tested"}, on=one)
    engineer.act(Change, "implement", {"effective_on": _day(0), "reason": WHY}, on=one)
    Person(Role.SUPERVISOR).act(Change, "review", {"text": "the valve holds"}, on=one)
    quality.act(Change, "close", {"password": PASSWORD, "reason": WHY}, on=one)
    one.refresh_from_db()
    assert one.state == "closed"


def test_a_risk_is_worked_on_through_its_page() -> None:
    engineer, quality = Person(Role.PROCESS_ENGINEER), Person(Role.QUALITY_ASSURANCE)
    supervisor = Person(Role.SUPERVISOR)
    words = "\n".join(f"a meaning of the number {number}" for number in range(1, 6))
    quality.act(
        Scale, "define",
        {
            "title": "Scales of the plant", "severity": words, "occurrence": words,
            "detection": words, "severe_from": 4, "password": PASSWORD,
        },
    )  # fmt: skip
    one = engineer.act(
        Risk, "open", {"title": "Feeding of glucose", "scope": "The feed pump and its control."}
    )
    engineer.act(
        Risk, "add-mode",
        {"text": "It stops", "effect": "The cells starve", "cause": "A worn head"}, on=one,
    )  # fmt: skip
    rating = {"mode": one.modes.get().pk, "severity": 3, "detection": 2, "rationale": WHY}
    engineer.act(Risk, "rate", {**rating, "occurrence": 1}, on=one)
    assert "3 / 1 / 2" in engineer.page(one)
    assert "3 / 1 / 2" not in supervisor.page(one)
    supervisor.act(Risk, "rate", {**rating, "occurrence": 4}, on=one)
    quality.act(
        Risk, "decide",
        {
            "is_accepted": "yes", "rationale": "it is seen at once, and the feed is raised",
            "resolved": "Four is right: the repairs were counted together.",
            "review_due_on": _day(365), "password": PASSWORD,
        },
        on=one,
    )  # fmt: skip
    text = supervisor.page(one)
    assert "wide apart" in text
    assert "3 / 4 / 2" in text
    quality.act(
        Risk, "review", {"text": WHY, "is_rated_again": "no", "next_due_on": _day(400)}, on=one
    )
    quality.act(Risk, "retire", {"reason": WHY}, on=one)
    one.refresh_from_db()
    assert one.state == "retired"


def test_a_trail_review_is_worked_on_through_its_page() -> None:
    batch = factories.completed_batch()
    quality = Person(Role.QUALITY_ASSURANCE)
    one = quality.act(
        TrailReview, "open", {"kind": "batch", "name": batch.number, "seed": "dice 4711"}
    )
    for sampled in one.sample.order_by("pk"):
        quality.act(TrailReview, "assess", {"sampled": sampled.pk, "outcome": "no-concern"}, on=one)
    quality.act(TrailReview, "conclude", {"conclusion": WHY, "password": PASSWORD}, on=one)
    one.refresh_from_db()
    assert one.state == "concluded"
    factories.deviation(batch)
    assert "does not cover all" in quality.page(one)


def test_periodic_reviews_are_worked_on_through_their_pages() -> None:
    quality = Person(Role.QUALITY_ASSURANCE)
    review = quality.act(
        PeriodicReview, "open",
        {"system": "The plant", "starts_on": _day(-90), "ends_on": _day(0)},
    )  # fmt: skip
    quality.act(
        PeriodicReview, "conclude",
        {"conclusion": WHY, "next_due_on": _day(365), "password": PASSWORD}, on=review,
    )  # fmt: skip
    text = quality.page(review)
    assert "open at the end" in text
    assert "trail reviews" in text


def test_a_page_of_a_deviation_asks_no_more_for_a_longer_one() -> None:
    quality = Person(Role.QUALITY_ASSURANCE)

    def count(parts: int) -> int:
        made = factories.investigated_deviation()
        for number in range(parts):
            scope.add(
                made, suggestion=Suggestion("batch", f"B-{number}", WHY),
                actor=quality.user, at=timezone.now(),
            )  # fmt: skip
            causes.consider(
                made, category=RootCause.METHOD, cause="the procedure", finding=Finding.RULED_OUT,
                how=WHY, actor=quality.user, at=timezone.now(),
            )  # fmt: skip
        with CaptureQueriesContext(
            connection,
        ) as queries:
            quality.page(made)
        return len(queries)

    count(1)
    assert abs(count(8) - count(2)) <= 1


def test_entries_without_concern_are_assessed_together_each_with_its_own_outcome() -> None:
    deviation = factories.closed_deviation(at=timezone.now())
    reviewer = Person(Role.QUALITY_ASSURANCE)
    review = factories.trail_review(deviation, reviewer=reviewer.user)
    drawn = [str(one) for one in review.sample.values_list("pk", flat=True)]
    assert drawn

    reviewer.act(TrailReview, "assess-alike", {"sampled": drawn, "text": WHY}, on=review)

    assert set(review.sample.values_list("outcome", "text")) == {("no-concern", WHY)}
