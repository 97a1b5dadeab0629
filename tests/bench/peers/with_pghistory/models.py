"""The measured records, tracked by django-pghistory: row events with context, links too."""

import pghistory
from django.db import models

from tests.bench.columns import Columns, PartColumns, TagColumns

EVENTS = (pghistory.InsertEvent, pghistory.UpdateEvent, pghistory.DeleteEvent)


class Plain(Columns):
    pass


class Tag(TagColumns):
    pass


@pghistory.track(*(event() for event in EVENTS))
class Audited(Columns):
    pass


@pghistory.track(*(event() for event in EVENTS))
class Linked(Columns):
    tags = models.ManyToManyField(Tag)


@pghistory.track(*(event() for event in EVENTS))
class Part(PartColumns):
    pass


@pghistory.track(pghistory.InsertEvent(), pghistory.DeleteEvent(), obj_field=None)
class LinkedTag(Linked.tags.through):  # type: ignore[name-defined]
    class Meta:
        proxy = True
