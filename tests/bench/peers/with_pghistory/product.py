"""django-pghistory: a copy of the row after each change, written by triggers of PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager

import pghistory
from django.apps import apps
from django.core.management import call_command
from django.db import transaction


def prepare() -> None:
    call_command("pgtrigger", "install", verbosity=0)


@contextmanager
def block() -> Iterator[None]:
    """Open a transaction with a context that says who and why."""
    with pghistory.context(user=1, reason="measured here"), transaction.atomic():
        yield


def captured() -> dict[str, int]:
    """Count the events; one event is one changed row."""
    models = apps.get_app_config("with_pghistory").get_models()
    events = [model for model in models if model.__name__.endswith("Event")]
    return {"row": sum(model.objects.count() for model in events)}
