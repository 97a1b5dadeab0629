"""What goes over the wire about the disposition of a batch."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from batches.disposition import certification, standing
from batches.disposition.models import BatchReview, Decision, Market, Outcome
from batches.disposition.standing import Standing
from compliance.signatures import signing
from compliance.wire import In, Moment, Out, Text


class SignedIn(In):
    password = Text(max_length=200, write_only=True)


class ReviewIn(SignedIn):
    digest = Text(
        max_length=64, help_text="Of what was reviewed, as GET gave it; another one is refused."
    )
    remarks = Text(max_length=2000)


class DecisionIn(SignedIn):
    outcome = serializers.ChoiceField(choices=Outcome.choices)
    reason = Text(max_length=1000)
    reference = Text(max_length=100, required=False, default="")
    expires_on = serializers.DateField(required=False, allow_null=True, default=None)


class CertificateIn(SignedIn):
    statement = Text(max_length=2000, required=False, default=certification.STATEMENT)
    assessment = Text(
        max_length=4000, required=False, default="",
        help_text="Of a batch with deviations: why they do no harm (EU GMP Annex 16, 3).",
    )  # fmt: skip


class ShipmentIn(In):
    market = serializers.ChoiceField(choices=Market.choices)
    consignee = Text(max_length=200)
    quantity = serializers.DecimalField(max_digits=18, decimal_places=6)
    unit = Text(max_length=30)
    shipped_at = Moment()


class DispositionSignatureOut(Out):
    printed_name = serializers.CharField()
    username = serializers.CharField()
    role = serializers.CharField()
    meaning = serializers.CharField()
    signed_at = serializers.DateTimeField()
    record_digest = serializers.CharField()
    comment = serializers.CharField()


class ReviewExceptionOut(Out):
    text = serializers.CharField()
    record = serializers.CharField(source="table")
    record_id = serializers.CharField(source="key")


class SectionOut(Out):
    name = serializers.CharField()
    title = serializers.CharField()
    count = serializers.IntegerField(help_text="Records that were looked at.")
    exception_count = serializers.IntegerField()
    exceptions = ReviewExceptionOut(many=True, help_text="At most 50 are named; all are counted.")


class BlockerOut(Out):
    name = serializers.CharField()
    clause = serializers.CharField(help_text="The rule that it rests on.")
    text = serializers.CharField()


class ReviewOut(Out):
    content_digest = serializers.CharField()
    tree_size = serializers.IntegerField()
    counts = serializers.DictField()
    remarks = serializers.CharField()
    reviewed_at = serializers.DateTimeField()
    signature = DispositionSignatureOut()
    is_current = serializers.SerializerMethodField(
        help_text="False when the batch record was changed after the review."
    )

    def get_is_current(self, review: BatchReview) -> bool:
        return review.content_digest == self._present(review)

    def _present(self, review: BatchReview) -> str:
        known: dict[int, str] = self.context.get("digests", {})
        return known.get(review.batch_id) or signing.digest(review.batch)


class ToReviewOut(Out):
    digest = serializers.CharField(help_text="Of the batch record as shown here: sign this one.")
    sections = SectionOut(many=True)
    blockers = BlockerOut(many=True)
    reviews = ReviewOut(many=True)


class LaterEntryOut(Out):
    entry_id = serializers.IntegerField()
    at = serializers.DateTimeField()
    actor = serializers.CharField()
    role = serializers.CharField()
    action = serializers.CharField()
    op = serializers.CharField()
    reason = serializers.CharField()
    record = serializers.CharField()
    record_id = serializers.CharField()


class DecisionOut(Out):
    outcome = serializers.CharField()
    reason = serializers.CharField()
    reference = serializers.CharField()
    expires_on = serializers.DateField(allow_null=True)
    decided_at = serializers.DateTimeField()
    printed_name = serializers.CharField(source="signature.printed_name")
    username = serializers.CharField(source="signature.username")
    role = serializers.CharField(source="signature.role")
    meaning = serializers.CharField(source="signature.meaning")
    record_digest = serializers.CharField(source="signature.record_digest")
    is_current = serializers.SerializerMethodField(
        help_text="False when the batch record was changed after the decision."
    )

    def get_is_current(self, decision: Decision) -> bool:
        present = self.context.get("digest") or signing.digest(decision.batch)
        return bool(present == decision.signature.record_digest)


class CertificateOut(Out):
    number = serializers.CharField()
    serial = serializers.IntegerField()
    batch = serializers.CharField(source="batch.number")
    product = serializers.CharField(source="batch.recipe.product.code")
    statement = serializers.CharField()
    deviations = serializers.ListField(child=serializers.DictField())
    assessment = serializers.CharField()
    certified_at = serializers.DateTimeField()
    signature = DispositionSignatureOut()


class ShipmentOut(Out):
    number = serializers.CharField()
    batch = serializers.CharField(source="batch.number")
    market = serializers.CharField()
    consignee = serializers.CharField()
    quantity = serializers.DecimalField(max_digits=18, decimal_places=6)
    unit = serializers.CharField()
    certificate = serializers.CharField(source="certificate.number", default=None, allow_null=True)
    shipped_at = serializers.DateTimeField()
    recorded_at = serializers.DateTimeField()
    recorded_by = serializers.CharField(source="recorded_by.username")


class DispositionOut(Out):
    disposition = serializers.CharField()
    needs_reevaluation = serializers.BooleanField(
        help_text="The record changed after the release: nothing is certified or shipped."
    )
    changed_since = LaterEntryOut(
        many=True, help_text="What was entered after the newest decision."
    )
    blockers = BlockerOut(many=True, help_text="What stands against a release now.")
    decision = serializers.SerializerMethodField(help_text="The newest one: it holds.")
    decisions = serializers.SerializerMethodField(help_text="Every decision, oldest first.")
    certificate = serializers.SerializerMethodField(help_text="That rests on the release.")

    @extend_schema_field(DecisionOut(allow_null=True))
    def get_decision(self, shown: dict[str, Any]) -> dict[str, Any] | None:
        found: Standing = shown["standing"]
        if found.decision is None:
            return None
        return dict(DecisionOut(found.decision, context=self.context).data)

    @extend_schema_field(DecisionOut(many=True))
    def get_decisions(self, shown: dict[str, Any]) -> list[dict[str, Any]]:
        return list(DecisionOut(shown["decisions"], many=True, context=self.context).data)

    @extend_schema_field(CertificateOut(allow_null=True))
    def get_certificate(self, shown: dict[str, Any]) -> dict[str, Any] | None:
        found = standing.certificate(shown["standing"].decision)
        return None if found is None else dict(CertificateOut(found).data)


class AnnualReviewAskedIn(In):
    starts_on = serializers.DateField(help_text="The first day (UTC).")
    ends_on = serializers.DateField(help_text="The last day (UTC).")


class AnnualReviewPartOut(Out):
    name = serializers.CharField()
    title = serializers.CharField()
    clause = serializers.CharField()
    columns = serializers.ListField(child=serializers.CharField())
    rows = serializers.ListField(child=serializers.DictField(child=serializers.CharField()))


class AnnualReviewOut(Out):
    product = serializers.CharField(source="product.code")
    starts_on = serializers.DateField()
    ends_on = serializers.DateField()
    parts = AnnualReviewPartOut(many=True)
