"""Models under control that only the tests have."""

import uuid

from django.db import models

from compliance.trail.capture import controlled
from compliance.trail.fields import CanonicalJSONField


@controlled(deletable=True)
class Tag(models.Model):
    name = models.CharField(max_length=50, unique=True)

    def __str__(self) -> str:
        return self.name


@controlled(deletable=True, ignored=("seen",), digest_only=("secret",))
class Vessel(models.Model):
    """May change and go: the usual kind, with a column outside of the record and a secret one."""

    name = models.CharField(max_length=50, unique=True)
    volume_l = models.DecimalField(max_digits=20, decimal_places=6, default=0)
    seen = models.IntegerField(default=0)
    secret = models.CharField(max_length=50, default="")
    tags = models.ManyToManyField(Tag)

    def __str__(self) -> str:
        return self.name


controlled(deletable=True)(Vessel.tags.through)


@controlled(append_only=True)
class Stamp(models.Model):
    """Never changes."""

    text = models.TextField()

    def __str__(self) -> str:
        return self.text


@controlled()
class Kept(models.Model):
    """Changes, and is never deleted."""

    text = models.TextField()

    def __str__(self) -> str:
        return self.text


@controlled()
class Everything(models.Model):
    """A column of each type that a controlled table may have."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    flag = models.BooleanField(null=True)
    small = models.SmallIntegerField(null=True)
    whole = models.IntegerField(null=True)
    big = models.BigIntegerField(null=True)
    exact = models.DecimalField(max_digits=30, decimal_places=10, null=True)
    text = models.TextField(null=True)
    word = models.CharField(max_length=100, null=True)
    address = models.GenericIPAddressField(null=True)
    on = models.DateField(null=True)
    clock = models.TimeField(null=True)
    at = models.DateTimeField(null=True)
    lasting = models.DurationField(null=True)
    raw = models.BinaryField(null=True)
    document = CanonicalJSONField(null=True)

    def __str__(self) -> str:
        return str(self.pk)


@controlled(redactable=("email", "phone"))
class Contact(models.Model):
    """Somebody with personal data that may have to be erased."""

    name = models.CharField(max_length=50)
    email = models.CharField(max_length=100, default="")
    phone = models.CharField(max_length=50, null=True)

    def __str__(self) -> str:
        return self.name
