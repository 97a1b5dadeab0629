"""The person in whose name the peers record."""

import functools

from django.contrib.auth.models import User


def prepare() -> None:
    User.objects.create(username="bench")


@functools.cache
def actor() -> User:
    return User.objects.get(username="bench")
