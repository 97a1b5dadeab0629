"""List the records of one batch: newest last, in pages."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import QuerySet
from rest_framework import generics

from batches.execution.api import asked
from compliance import wire
from compliance.access.callers import PeopleRead
from compliance.wire import Pages


class OfBatch(generics.ListAPIView[Any]):
    """The rows of one relation of the batch in the path; `related` avoids a query for each."""

    permission_classes = [PeopleRead]
    pagination_class = Pages
    relation: ClassVar[str]
    related: ClassVar[tuple[str, ...]] = ()
    filters: ClassVar[tuple[str, ...]] = ()

    def get_queryset(self) -> QuerySet[models.Model]:
        batch = asked.batch(self.kwargs["number"])
        found = getattr(batch, self.relation).select_related(*self.related).order_by("pk")
        for name in self.filters:
            if (value := self.request.query_params.get(name)) is not None:
                found = wire.narrowed(found, name, value)
        return found  # type: ignore[no-any-return]
