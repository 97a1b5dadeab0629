"""Find the people and records that a form or a body names, or say that there is none."""

from typing import TypeVar

from django.db import models
from django.db.models import QuerySet

from compliance.access.models import User
from compliance.quality.models import Capa, Deviation, Risk
from compliance.refusals import Refused

M = TypeVar("M", bound=models.Model)


class NoSuchRecord(Refused):
    """What was named is not there."""

    code = "no-such-record"
    status = 422


def person(username: str) -> User:
    found = User.objects.filter(username__iexact=username, is_active=True).first()
    if found is None:
        raise NoSuchRecord(f"there is no active person “{username}”")
    return found


def deviation(number: str) -> Deviation | None:
    """Return the deviation of a number, or None where none is named."""
    return _numbered(Deviation, number)


def capa(number: str) -> Capa | None:
    return _numbered(Capa, number)


def risk(number: str) -> Risk | None:
    return _numbered(Risk, number)


def part(of: "QuerySet[M]", pk: object) -> M:
    """Return one of a record's parts by its id."""
    found = of.filter(pk=pk).first() if str(pk).isdigit() else None
    if found is None:
        raise NoSuchRecord(f"there is no {of.model._meta.verbose_name} {pk} of this record")
    return found


def _numbered(model: type[M], number: str) -> M | None:
    if not number:
        return None
    found = model._default_manager.filter(number=number).first()
    if found is None:
        raise NoSuchRecord(f"there is no {model._meta.verbose_name} “{number}”")
    return found
