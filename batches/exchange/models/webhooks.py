"""Who is told of changes, and how each message went: hints to the feed, which is complete."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from compliance.access.models import Device
from compliance.trail.capture import controlled


class Scheme(models.TextChoices):
    HMAC = "v1", "HMAC-SHA256 (v1)"
    ED25519 = "v1a", "Ed25519 (v1a)"


@controlled(digest_only=("secret", "previous_secret"), guards=("keep_subscription",))
class Subscription(models.Model):
    """An address that is told of changes; its secrets are kept encrypted."""

    name = models.CharField(max_length=60, unique=True)
    url = models.CharField(max_length=500)
    kinds = models.TextField(
        help_text="Tables, or tables with an operation, one a line. Empty: all.",
        blank=True,
    )
    device = models.ForeignKey(
        Device, models.PROTECT, related_name="subscriptions",
        help_text="Whose permissions apply: what it may not read is not told.",
    )  # fmt: skip
    scheme = models.CharField(max_length=4, choices=Scheme.choices, default=Scheme.HMAC)
    secret = models.TextField()
    previous_secret = models.TextField(blank=True)
    previous_until = models.DateTimeField(null=True, blank=True)
    begins_after = models.CharField(max_length=40, help_text="Cursor of the feed.")
    is_active = models.BooleanField(default=True)
    why_inactive = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(name="subscription_scheme_known",
                                   condition=Q(scheme__in=Scheme.values)),
            models.CheckConstraint(
                name="subscription_rotates_with_an_end",
                condition=Q(previous_secret="", previous_until=None)
                | (~Q(previous_secret="") & Q(previous_until__isnull=False)),
            ),
            models.CheckConstraint(
                name="subscription_off_says_why",
                condition=Q(is_active=True, why_inactive="")
                | (Q(is_active=False) & ~Q(why_inactive="")),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name


class Position(models.Model):
    """How far the feed was read for a subscription, and who delivers now: bookkeeping, no record."""

    subscription = models.OneToOneField(Subscription, models.PROTECT, related_name="position")
    cursor = models.CharField(max_length=40)
    busy_until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.subscription} at {self.cursor}"


class DeliveryState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    DELIVERED = "delivered", "Delivered"
    EXHAUSTED = "exhausted", "Given up"


class Delivery(models.Model):
    """One message to one subscription: operation, no record; a replay is an act of its own.

    Controlled, each attempt would be an entry of the log, and so an event to deliver.
    """

    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="deliveries")
    message_id = models.CharField(max_length=80)
    event_type = models.CharField(max_length=100)
    body = models.TextField()
    state = models.CharField(
        max_length=10, choices=DeliveryState.choices, default=DeliveryState.WAITING
    )
    created_at = models.DateTimeField()
    retry_until = models.DateTimeField()
    attempt_count = models.PositiveIntegerField("attempts", default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    last_answer = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "message_id"], name="delivery_message_once"
            ),
            models.CheckConstraint(
                name="delivery_state_known", condition=Q(state__in=DeliveryState.values)
            ),
        ]
        indexes = [
            models.Index(fields=["next_try_at"], condition=Q(state="waiting"), name="delivery_due")
        ]
        verbose_name_plural = "deliveries"

    def __str__(self) -> str:
        return f"{self.message_id} ({self.pk})"


class DeliveryAttempt(models.Model):
    """One try: when, what was answered, how long it took."""

    delivery = models.ForeignKey(Delivery, models.PROTECT, related_name="attempts")
    number = models.PositiveIntegerField()
    tried_at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    answer = models.CharField(max_length=300)
    took_ms = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["delivery", "number"], name="delivery_attempt_once")
        ]

    def __str__(self) -> str:
        return f"{self.delivery} attempt {self.number}"


@controlled(append_only=True)
class Replay(models.Model):
    """A person sends a message again: who, when and why."""

    delivery = models.ForeignKey(Delivery, models.PROTECT, related_name="replays")
    replayed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    replayed_at = models.DateTimeField()
    reason = models.TextField()

    def __str__(self) -> str:
        return f"{self.delivery} replayed ({self.pk})"
