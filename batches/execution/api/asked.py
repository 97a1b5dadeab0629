"""Find what a request names, and confirm the people who give their password in it."""

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request

from batches.execution.late import Late
from batches.execution.models import Batch, BatchPhase
from compliance.access import callers
from compliance.access.models import User
from compliance.signatures import signing
from compliance.signatures.signing import Confirmed

T = TypeVar("T")


def batch(number: str) -> Batch:
    return get_object_or_404(Batch.objects.select_related("recipe__product"), number=number)


def phase(number: str, order: int | None) -> BatchPhase:
    found = BatchPhase.objects.select_related("batch__recipe__product")
    return get_object_or_404(found, batch__number=number, order=order)


def optional_phase(number: str, order: int | None) -> BatchPhase | None:
    return None if order is None else phase(number, order)


def one(found: QuerySet[Any], member: str, **named: object) -> Any:
    """Return what a member of the body names, or say that there is none."""
    record = found.filter(**named).first()
    if record is None:
        raise serializers.ValidationError({member: f"there is no {next(iter(named.values()))}"})
    return record


def decimal(body: dict[str, Any], member: str) -> Decimal | None:
    """Return a number that was posted as text; its zeros are data."""
    text = body.get(member)
    if text is None:
        return None
    try:
        found = Decimal(text)
    except InvalidOperation as error:
        raise serializers.ValidationError({member: f"“{text}” is no number"}) from error
    if not found.is_finite() or not text.isascii():
        raise serializers.ValidationError({member: f"“{text}” is no number"})
    return found


def needed_decimal(body: dict[str, Any], member: str) -> Decimal:
    found = decimal(body, member)
    if found is None:
        raise serializers.ValidationError({member: "this is needed"})
    return found


def caller_confirmed(request: Request, password: str, *, at: datetime) -> Confirmed:
    return signing.confirm(
        signer=callers.person(request), password=password, address=callers.address(request), at=at
    )


def other_confirmed(
    request: Request, *, username: str, password: str, member: str, at: datetime
) -> Confirmed:
    """Confirm a second person, who gives name and password at the first one's terminal."""
    signer = one(User.objects.all(), member, username__iexact=username)
    return signing.confirm(
        signer=signer, password=password, address=callers.address(request), at=at
    )


def late(request: Request, body: dict[str, Any], *, at: datetime) -> Late | None:
    """Return the reason and the witness of a late entry, when they were posted."""
    said = body.get("late")
    if said is None:
        return None
    witness = other_confirmed(
        request, username=said["witness"], password=said["password"], member="late", at=at
    )
    return Late(said["reason"], witness)
