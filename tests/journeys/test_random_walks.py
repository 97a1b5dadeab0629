"""Several people and machines do legal and illegal things to a batch in any order; what must hold holds.

`GMP_WALKS=200 python -m pytest tests/journeys/test_random_walks.py` for more walks.
"""

import itertools
import os
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from batches.disposition import certification, decisions, reviews, shipments, specification
from batches.disposition.models import RELEASES, Certificate, Decision, Market, Outcome, Shipment
from batches.execution import belongings, blockers
from batches.execution.models import Batch, DispositionState, EventKind
from compliance.access.duties import Role
from compliance.quality import trail_reviews
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.trail import recording
from compliance.trail.verifier.contents import Kind
from tests import factories, replaying
from tests.factories import NOON, TEST

WALKS = int(os.environ.get("GMP_WALKS", "4"))
PEOPLE = (
    Role.OPERATOR, Role.SUPERVISOR, Role.QUALITY_ASSURANCE, Role.QUALITY_ASSURANCE,
    Role.QUALIFIED_PERSON, Role.QUALIFIED_PERSON, Role.PROCESS_ENGINEER, Role.WAREHOUSE,
    Role.AUDITOR, Role.SYSTEM_ADMINISTRATOR,
)  # fmt: skip
SOMEBODY = st.integers(0, len(PEOPLE) - 1)
ASSESSED = "every attribute of the product is met in spite of it"


class Walk(RuleBasedStateMachine):
    """One batch, many hands. Each act is a savepoint that a refusal undoes, as in a request."""

    def __init__(self) -> None:
        super().__init__()
        self.outer = transaction.atomic()
        self.outer.__enter__()
        self.minutes = itertools.count(1)
        self.people = [factories.person(role) for role in PEOPLE]
        self.mes, self.lims = factories.device(), factories.device()
        self.batch = factories.completed_batch()
        self.seen = signing.digest(self.batch)
        self.signed: dict[int, object] = {}
        self._note_signatures()

    def teardown(self) -> None:
        try:
            assert replaying.differences() == []
        finally:
            transaction.set_rollback(True)
            self.outer.__exit__(None, None, None)

    # --- What people and machines try

    @rule(kind=st.sampled_from(EventKind), phase=st.sampled_from(["Inoculation", "Harvest", ""]))
    def a_source_reports(self, kind: EventKind, phase: str) -> None:
        said = {"phase": phase, "text": "as the source has it"}
        self._try(lambda at: factories.happened(self.batch, kind, by=self.mes, at=at, **said))

    @rule(value=st.sampled_from(["3.10", "2.60", "1.90"]), is_new=st.booleans())
    def the_laboratory_reports(self, value: str, is_new: bool) -> None:
        def report(at: Any) -> object:
            if is_new:
                return factories.result(factories.sample(self.batch, at=at), value=value, at=at)
            sample = self.batch.samples.order_by("pk")[0]
            version = sample.results.count() + 1
            reason = "the dilution was wrong"
            return factories.result(sample, value=value, version=version, reason=reason, at=at)

        self._try(report)

    @rule(is_closed=st.booleans())
    def a_deviation_is_found(self, is_closed: bool) -> None:
        make = factories.closed_deviation if is_closed else factories.deviation
        self._try(lambda at: make(self.batch, at=at))

    @rule()
    def somebody_reads_the_review(self) -> None:
        self.seen = signing.digest(self._stored())

    @rule(who=SOMEBODY)
    def somebody_signs_the_review(self, who: int) -> None:
        def sign(at: Any) -> object:
            signer = factories.confirmed(self.people[who], at=at)
            return reviews.sign(
                self.batch, seen=self.seen, remarks="all of it was read", confirmed=signer
            )

        now = signing.digest(self._stored())
        if self._try(sign):
            assert self.seen == now  # nobody signs what nobody looked at

    @rule(who=SOMEBODY)
    def somebody_reviews_the_trail(self, who: int) -> None:
        person = self.people[who]
        if self._try(lambda at: factories.batch_trail_review(self.batch, by=person, at=at)):
            assert decisions.Duty.REVIEW_TRAIL in person.duties
            assert trail_reviews.current_of(Kind.BATCH, self.batch.number) is not None

    @rule(who=SOMEBODY, outcome=st.sampled_from(Outcome))
    def somebody_decides(self, who: int, outcome: Outcome) -> None:
        person = self.people[who]
        against = blockers.of(self._stored())
        said = {"reference": "RO-1"} if outcome == Outcome.REWORK else {}
        if self._try(lambda at: factories.decision(self.batch, outcome, by=person, at=at, **said)):
            assert decisions.Duty.DECIDE_DISPOSITION in person.duties
            assert outcome not in RELEASES or against == []

    @rule(who=SOMEBODY, assessment=st.sampled_from(["", ASSESSED]))
    def somebody_certifies(self, who: int, assessment: str) -> None:
        person = self.people[who]
        is_failing = bool(list(specification.failing(self._stored())))

        def certify(at: Any) -> object:
            signer = factories.confirmed(person, at=at)
            return certification.certify(self.batch, confirmed=signer, assessment=assessment)

        if self._try(certify):
            assert Role.QUALIFIED_PERSON in person.roles
            assert not is_failing

    @rule(who=SOMEBODY, market=st.sampled_from(Market))
    def somebody_ships(self, who: int, market: Market) -> None:
        def ship(at: Any) -> object:
            return shipments.record(
                self.batch, market=market, consignee="A wholesaler", quantity=Decimal(1),
                unit="{vial}", shipped_at=at, actor=self.people[who], at=at,
            )  # fmt: skip

        self._try(ship)

    @rule(state=st.sampled_from(DispositionState))
    def somebody_goes_around_the_functions(self, state: DispositionState) -> None:
        before = self._stored().disposition

        def force(at: Any) -> object:
            with recording.recording(
                decisions.Action.BATCH_DISPOSITIONED, actor=TEST, at=at, reason="by hand, in SQL"
            ):
                return Batch.objects.filter(pk=self.batch.pk).update(disposition=state)

        if self._try(force):
            assert state == before  # it changed nothing

    # --- What holds after each of them

    @invariant()
    def a_signature_is_valid_on_what_was_signed_and_on_nothing_else(self) -> None:
        now, stored = self._fingerprint(), self._stored()
        for signature in signing.of(stored):
            is_same = self.signed[signature.pk] == now
            assert signing.is_current(signature, stored) == is_same, signature

    @invariant()
    def the_batch_is_what_its_newest_decision_says(self) -> None:
        newest = Decision.objects.filter(batch=self.batch).order_by("pk").last()
        expected = decisions.RULES[Outcome(newest.outcome)].becomes if newest else "pending"
        assert self._stored().disposition == expected

    @invariant()
    def nobody_confirms_their_own_work(self) -> None:
        for certificate in Certificate.objects.select_related("signature", "decision__signature"):
            released = certificate.decision.signature
            assert certificate.signature.signer_id != released.signer_id
            assert certificate.signature.record_digest == released.record_digest

    @invariant()
    def what_is_shipped_into_the_eu_was_certified(self) -> None:
        for shipment in Shipment.objects.filter(market=Market.EU):
            assert shipment.certificate is not None
            assert shipment.certificate.decision_id == shipment.decision_id

    # --- Parts

    def _try(self, act: Callable[[Any], object]) -> bool:
        """Do something; a refusal by a rule of ours or of the database leaves nothing behind."""
        at = NOON + timedelta(minutes=next(self.minutes))
        try:
            with transaction.atomic():
                act(at)
                with connection.cursor() as cursor:
                    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                    cursor.execute("SET CONSTRAINTS ALL DEFERRED")  # else it holds for the next act
        except Refused as refused:
            assert refused.code != "refused"
            return False
        except DatabaseError as error:
            code = getattr(error.__cause__, "sqlstate", "")
            if not str(code).startswith("GM"):
                raise
            return False
        self._note_signatures()
        return True

    def _note_signatures(self) -> None:
        """Remember what each new signature was given under, in a way of our own."""
        for signature in signing.of(self._stored()):
            self.signed.setdefault(signature.pk, self._fingerprint())

    def _fingerprint(self) -> object:
        stored = self._stored()
        rows = []
        for part in belongings.parts():
            if not part.is_signed:
                continue
            chosen = part.rows(stored)
            keys = list(chosen.order_by("pk").values_list("pk", flat=True))
            with connection.cursor() as cursor:
                cursor.execute(
                    f"SELECT id, audit_seq FROM {chosen.model._meta.db_table} "
                    "WHERE id = ANY(%s) ORDER BY id",
                    [keys],
                )
                rows.append((part.name, tuple(cursor.fetchall())))
        return (stored.state, stored.started_at, stored.ended_at, tuple(rows))

    def _stored(self) -> Batch:
        return Batch.objects.select_related("recipe__product").get(pk=self.batch.pk)


@pytest.mark.django_db
@pytest.mark.timeout(3600)
@pytest.mark.requirement("P11-e2", "P11-f1", "P11-g1", "P11-70", "211-192", "PI041-9.6")
def test_what_must_hold_holds_on_every_walk() -> None:
    run_state_machine_as_test(
        Walk,
        settings=settings(
            max_examples=WALKS, stateful_step_count=30, deadline=None, print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
