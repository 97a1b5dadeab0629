"""Draft the site's terms of retention and make them effective, by two people."""

from collections.abc import Sequence
from datetime import datetime

from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.retention import kinds
from compliance.retention.actions import Action
from compliance.retention.models import PolicyState, RetentionPolicy, RetentionRule
from compliance.retention.periods import Rule
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording
from compliance.trail.tlog import canonical


class PolicyInvalid(Refused):
    code = "retention-policy-invalid"
    status = 422


class PolicyNotDraft(Refused):
    code = "retention-policy-not-draft"


class AuthorIsApprover(Refused):
    code = "author-is-approver"


def draft(*, rules: Sequence[Rule], summary: str, actor: User, at: datetime) -> RetentionPolicy:
    """Write a new version; it has no effect until another person approves it."""
    authority.demand(actor, Duty.PLACE_LEGAL_HOLD)
    text = recording.demand_reason(summary)
    if not rules:
        raise PolicyInvalid("a policy has at least one rule")
    for rule in rules:
        kinds.by_name(rule.kind)
        if rule.years < 0 or rule.months < 0 or not rule.anchor or not rule.clause.strip():
            raise PolicyInvalid("a rule has an anchor, a time that is not negative, and a basis")
    with recording.recording(Action.POLICY_DRAFTED, actor=actor, at=at, reason=text):
        last = RetentionPolicy.objects.order_by("-version").first()
        policy = RetentionPolicy.objects.create(
            version=last.version + 1 if last else 1, summary=text, author=actor, drafted_at=at
        )
        RetentionRule.objects.bulk_create(
            RetentionRule(
                policy=policy, kind=rule.kind, anchor=rule.anchor, years=rule.years,
                months=rule.months, basis=rule.clause,
            )
            for rule in rules
        )  # fmt: skip
    return policy


def approve(policy: RetentionPolicy, *, confirmed: Confirmed, reason: str) -> RetentionPolicy:
    """Make a version effective, by the signature of somebody other than its author."""
    actor, at = confirmed.signer, confirmed.at
    authority.demand(actor, Duty.PLACE_LEGAL_HOLD)
    text = recording.demand_reason(reason)
    with recording.recording(Action.POLICY_APPROVED, actor=actor, at=at, reason=text):
        locked = RetentionPolicy.objects.select_for_update().get(pk=policy.pk)
        if locked.state != PolicyState.DRAFT:
            raise PolicyNotDraft(f"{locked} is {locked.get_state_display().lower()} already")
        if locked.author_id == actor.pk:
            raise AuthorIsApprover(f"{locked}: its author does not approve it; ask a second person")
        signing.sign(locked, meaning=Meaning.APPROVED, confirmed=confirmed, comment=text)
        for former in RetentionPolicy.objects.filter(state=PolicyState.EFFECTIVE):
            former.state = PolicyState.SUPERSEDED
            former.save(update_fields=["state"])
        locked.state = PolicyState.EFFECTIVE
        locked.approver = actor
        locked.effective_at = at
        locked.save(update_fields=["state", "approver", "effective_at"])
    return locked


def effective() -> RetentionPolicy | None:
    return RetentionPolicy.objects.filter(state=PolicyState.EFFECTIVE).first()


@signing.signable(RetentionPolicy, meanings={Meaning.APPROVED})
def content(policy: RetentionPolicy) -> dict[str, canonical.Value]:
    """Everything of a version: its words, its author and its rules."""
    return {
        "version": policy.version,
        "summary": policy.summary,
        "author": policy.author.username,
        "rules": [
            [rule.kind, rule.anchor, rule.years, rule.months, rule.basis]
            for rule in policy.rules.order_by("pk")
        ],
    }
