"""Let a form act once, however often it is sent, and only on what its sender saw."""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django import forms
from django.core import signing
from django.db import transaction

from compliance.access.models import FormUse
from compliance.refusals import Refused

FIELD = "form_token"
KEPT = timedelta(days=2)  # longer than any session
_SALT = "compliance.access.form"


class SentBefore(Refused):
    """This form was sent already: by a second click, or from the browser's history."""

    code = "form-sent-before"


class ChangedMeanwhile(Refused):
    """What the form shows of the record was changed since the form was opened."""

    code = "form-not-current"


@dataclass(frozen=True)
class FormToken:
    """One form as it was shown; `seen` has the digest of each value that it replaces, by field."""

    id: uuid.UUID
    seen: dict[str, str]

    def text(self) -> str:
        """Return it as a page has it, so that nobody else's or another page's is taken for it."""
        return signing.dumps({"id": str(self.id), "seen": self.seen}, salt=_SALT)


def issued(form: forms.Form, *, is_replacing: bool) -> FormToken:
    """Return the token of a form that is shown now."""
    return FormToken(uuid.uuid4(), _seen(form) if is_replacing else {})


def read(text: str) -> FormToken | None:
    """Return the token that a form was sent with; None for a form without, or with another's."""
    try:
        found = signing.loads(text, salt=_SALT)
    except signing.BadSignature:
        return None
    return FormToken(uuid.UUID(found["id"]), found["seen"])


def demand_current(token: FormToken, form: forms.Form) -> None:
    """Raise `ChangedMeanwhile` where the record has other values now than the form showed."""
    if not token.seen:
        return
    now = _seen(form)
    changed = [name for name, value in now.items() if token.seen.get(name, value) != value]
    if changed:
        labels = ", ".join(str(form[name].label) for name in changed)
        raise ChangedMeanwhile(
            f"Somebody changed this since you opened the form: {labels}. Look at the record and its "
            "history, and send the form again if yours is to stand"
        )


def take(token: FormToken, *, at: datetime) -> None:
    """Keep that a form was sent; raise `SentBefore` for the second time."""
    with transaction.atomic():
        FormUse.objects.filter(used_at__lt=at - KEPT).delete()
        _, is_first = FormUse.objects.get_or_create(token=token.id, defaults={"used_at": at})
    if not is_first:
        raise SentBefore(
            "The form was sent twice; once is enough. Look below whether it did what you wanted"
        )


def give_back(token: FormToken) -> None:
    """Let a form be sent again, which was refused and did nothing."""
    FormUse.objects.filter(token=token.id).delete()


def _seen(form: forms.Form) -> dict[str, str]:
    shown = {
        name: form.get_initial_for_field(form.fields[name], name)
        for name in form.initial
        if name in form.fields
    }
    return {name: _digest(value) for name, value in shown.items()}


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:16]
