"""Say what of a record a signature covers, and take its digest."""

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from compliance.refusals import Refused
from compliance.signatures.models import Meaning
from compliance.trail import capture
from compliance.trail.tlog import canonical

_TAG = b"gmp-signature/content/v2\0"
_TAG_OF_PART = b"gmp-signature/part/v1\0"
_FIRST_TAG = b"gmp-signature/content/v1\0"


class NotSignable(Refused):
    code = "not-signable"
    status = 422


class MeaningNotAllowed(Refused):
    """A signature under this kind of record cannot mean that (21 CFR 11.50(a)(3))."""

    code = "meaning-not-allowed"
    status = 422


Content = Callable[[Any], Mapping[str, canonical.Value]]


@dataclass(frozen=True)
class Signable:
    """A kind of record that is signed: what a signature covers, and what it may mean."""

    content: Content
    meanings: frozenset[Meaning]


_declared: dict[type[models.Model], Signable] = {}


def signable(
    model: type[models.Model], *, meanings: Collection[Meaning] = frozenset(Meaning)
) -> Callable[[Content], Content]:
    """Declare what of a record a signature covers: a function from the record to plain values."""

    def declare(content: Content) -> Content:
        if model in _declared:
            raise ValueError(f"{model.__name__} has its signed content declared already")
        _declared[model] = Signable(content, frozenset(meanings))
        return content

    return declare


def is_signable(model: type[models.Model]) -> bool:
    return model in _declared


def model_of(record: str) -> type[models.Model] | None:
    """Return the model whose records the trail calls so, when they can be signed."""
    return next((model for model in _declared if capture.record_of(model) == record), None)


def record_of(name: str, key: str) -> models.Model | None:
    """Return a record that can be signed; a key that its table cannot have names none."""
    model = model_of(name)
    if model is None:
        return None
    try:
        value = model._meta.pk.to_python(key)
    except ValidationError:
        return None
    return model._default_manager.filter(pk=value).first()


def meanings(model: type[models.Model]) -> list[Meaning]:
    """Return what signatures under this kind of record may mean."""
    return [one for one in Meaning if one in _declaration(model).meanings]


def demand_meaning(model: type[models.Model], meaning: Meaning) -> None:
    allowed = _declaration(model).meanings
    if meaning not in allowed:
        known = ", ".join(one.label.lower() for one in Meaning if one in allowed)
        raise MeaningNotAllowed(
            f"a signature under a {model._meta.verbose_name} does not mean "
            f"{Meaning(meaning).label.lower()}; choose from: {known}"
        )


def parts(record: models.Model) -> dict[str, str]:
    """Return the SHA-256 of each part of a record's signed content."""
    content = _declaration(type(record)).content(record)
    return {
        name: hashlib.sha256(_TAG_OF_PART + canonical.dumps([name, value])).hexdigest()
        for name, value in content.items()
    }


def digest(record: models.Model) -> str:
    """Return the SHA-256 of a record's signed content, bound to its table and identity."""
    return digest_of_parts(capture.record_of(type(record)), str(record.pk), parts(record))


def digest_of_parts(record: str, record_id: str, of: Mapping[str, str]) -> str:
    """Return the digest that stands in a signature with these parts."""
    document: dict[str, canonical.Value] = {
        "record": record,
        "record_id": record_id,
        "parts": dict(of),
    }
    return hashlib.sha256(_TAG + canonical.dumps(document)).hexdigest()


def first_digest(record: models.Model) -> str:
    """Return the digest as signatures without parts have it."""
    document: dict[str, canonical.Value] = {
        "record": capture.record_of(type(record)),
        "record_id": str(record.pk),
        "content": dict(_declaration(type(record)).content(record)),
    }
    return hashlib.sha256(_FIRST_TAG + canonical.dumps(document)).hexdigest()


def _declaration(model: type[models.Model]) -> Signable:
    try:
        return _declared[model]
    except KeyError as error:
        raise NotSignable(f"{model._meta.verbose_name} is not a record that is signed") from error
