"""Say who is told of changes, under which secret, and until when an earlier one holds."""

from datetime import datetime, timedelta

from batches.exchange import changes, webhook_addresses, webhook_signatures
from batches.exchange.actions import Action
from batches.exchange.models import Position, Scheme, Subscription
from compliance.access import alarms, authority
from compliance.access.duties import Duty
from compliance.access.models import AlarmKind, Device, User
from compliance.refusals import Refused
from compliance.signin import sealed
from compliance.trail import recording
from compliance.trail.recording import System

OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=30)
WEBHOOKS = System("webhooks")


class SubscriptionKnown(Refused):
    code = "subscription-known"


class SubscriptionStopped(Refused):
    """The subscription is not in the state that this takes."""

    code = "subscription-stopped"


class OverlapInvalid(Refused):
    code = "overlap-invalid"
    status = 422


def subscribe(
    *, name: str, url: str, device: Device, actor: User, at: datetime, reason: str,
    kinds: str = "", scheme: Scheme = Scheme.HMAC,
) -> tuple[Subscription, str]:  # fmt: skip
    """Tell an address of what changes from now on; return what the receiver verifies with.

    The symmetric secret is shown this once; the public key of `v1a` at any time.
    """
    authority.demand(actor, Duty.ADMINISTER_ACCESS)
    text = recording.demand_reason(reason)
    webhook_addresses.resolve(webhook_addresses.parse(url))
    if Subscription.objects.filter(name=name).exists():
        raise SubscriptionKnown(f"{name} is there already; renew its secret instead")
    secret = _new_secret(scheme)
    with recording.recording(Action.SUBSCRIPTION_CHANGED, actor=actor, at=at, reason=text):
        begins_after = changes.end()
        made = Subscription.objects.create(
            name=name, url=url, kinds="\n".join(kinds.split()), device=device, scheme=scheme,
            secret=sealed.close(secret.encode()), begins_after=begins_after,
            created_at=at, created_by=actor,
        )  # fmt: skip
        Position.objects.create(subscription=made, cursor=begins_after)
    return made, _shown(secret)


def rotate(
    subscription: Subscription, *, actor: User, at: datetime, reason: str,
    overlap: timedelta = OVERLAP,
) -> str:  # fmt: skip
    """Take a new secret; for the overlap, messages carry a signature under each of both."""
    authority.demand(actor, Duty.ADMINISTER_ACCESS)
    text = recording.demand_reason(reason)
    if not timedelta(0) < overlap <= LONGEST_OVERLAP:
        raise OverlapInvalid(f"both secrets hold for up to {LONGEST_OVERLAP.days} days")
    secret = _new_secret(Scheme(subscription.scheme))
    with recording.recording(Action.SUBSCRIPTION_CHANGED, actor=actor, at=at, reason=text):
        held = Subscription.objects.select_for_update().get(pk=subscription.pk)
        held.previous_secret, held.previous_until = held.secret, at + overlap
        held.secret = sealed.close(secret.encode())
        held.save(update_fields=["secret", "previous_secret", "previous_until"])
    return _shown(secret)


def stop(subscription: Subscription, *, actor: User, at: datetime, reason: str) -> Subscription:
    """Tell an address nothing more."""
    authority.demand(actor, Duty.ADMINISTER_ACCESS)
    text = recording.demand_reason(reason)
    with recording.recording(Action.SUBSCRIPTION_STOPPED, actor=actor, at=at, reason=text):
        held = Subscription.objects.select_for_update().get(pk=subscription.pk)
        if not held.is_active:
            raise SubscriptionStopped(f"{held} is stopped already: {held.why_inactive}")
        held.is_active, held.why_inactive = False, text[:300]
        held.save(update_fields=["is_active", "why_inactive"])
    return held


def resume(subscription: Subscription, *, actor: User, at: datetime, reason: str) -> Subscription:
    """Go on where the feed was read to: what happened meanwhile is told too."""
    authority.demand(actor, Duty.ADMINISTER_ACCESS)
    text = recording.demand_reason(reason)
    with recording.recording(Action.SUBSCRIPTION_CHANGED, actor=actor, at=at, reason=text):
        held = Subscription.objects.select_for_update().get(pk=subscription.pk)
        if held.is_active:
            raise SubscriptionStopped(f"{held} is not stopped")
        held.is_active, held.why_inactive = True, ""
        held.save(update_fields=["is_active", "why_inactive"])
    return held


def give_up(subscription: Subscription, *, why: str, at: datetime) -> None:
    """Stop a subscription whose receiver takes nothing, and raise an alarm; once."""
    with recording.recording(Action.SUBSCRIPTION_STOPPED, actor=WEBHOOKS, at=at, reason=why):
        held = Subscription.objects.select_for_update().get(pk=subscription.pk)
        if not held.is_active:
            return
        held.is_active, held.why_inactive = False, why[:300]
        held.save(update_fields=["is_active", "why_inactive"])
        alarms.raise_(
            AlarmKind.WEBHOOK_STOPPED, f"{held} is stopped: {why}", about=held.device, at=at,
            once=f"{held.pk} {at:%Y-%m-%d %H:%M}", using="default",
        )  # fmt: skip


def secrets_of(subscription: Subscription, *, at: datetime) -> list[str]:
    """Return the secrets that sign now, the newest first."""
    found = [subscription.secret]
    if subscription.previous_until is not None and at < subscription.previous_until:
        found.append(subscription.previous_secret)
    return [sealed.open_(closed).decode() for closed in found]


def verifies_with(subscription: Subscription) -> str:
    """Return the public key of a `v1a` subscription; nothing for a secret."""
    if subscription.scheme != Scheme.ED25519:
        return ""
    return webhook_signatures.public_key(sealed.open_(subscription.secret).decode())


def _new_secret(scheme: Scheme) -> str:
    if scheme == Scheme.ED25519:
        return webhook_signatures.new_private_key()
    return webhook_signatures.new_secret()


def _shown(secret: str) -> str:
    if secret.startswith(webhook_signatures.PRIVATE):
        return webhook_signatures.public_key(secret)
    return secret
