"""Find the signatures in scope, and the records they are under."""

from collections.abc import Iterator

from django.apps import apps
from django.db.models import Model, Q, QuerySet, TextField
from django.db.models.functions import Cast

from compliance.inspection import scopes
from compliance.inspection.snapshots import Snapshot
from compliance.signatures.models import Signature
from compliance.trail import capture


def signatures(snapshot: Snapshot) -> QuerySet[Signature]:
    """Return the signatures under records in scope, oldest first."""
    found = Signature.objects.order_by("pk")
    if not snapshot.scope:
        return found
    under = Q(pk__in=[])
    for model in scopes.narrowed():
        ids = snapshot.rows(model).order_by().annotate(text_id=Cast("pk", TextField()))
        under |= Q(record=capture.record_of(model), record_id__in=ids.values("text_id"))
    return found.filter(under)


def relied_upon(snapshot: Snapshot) -> Iterator[tuple[Signature, Model | None]]:
    """Yield the newest signature of each meaning under each record, with the record as it is.

    An earlier one that the record has left behind is history, not a broken link.
    """
    newest: dict[tuple[str, str, str], Signature] = {}
    for signature in signatures(snapshot):
        newest[signature.record, signature.record_id, signature.meaning] = signature
    models = {capture.record_of(model): model for model in apps.get_models()}
    for signature in newest.values():
        model = models.get(signature.record)
        record = None
        if model is not None:
            record = model._default_manager.filter(pk=signature.record_id).first()
        yield signature, record
