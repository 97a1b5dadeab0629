"""The measured records, registered with django-auditlog."""

from auditlog.registry import auditlog
from django.db import models

from tests.bench.columns import Columns, PartColumns, TagColumns


class Plain(Columns):
    pass


class Tag(TagColumns):
    pass


class Audited(Columns):
    pass


class Linked(Columns):
    tags = models.ManyToManyField(Tag)


class Part(PartColumns):
    pass


auditlog.register(Audited)
auditlog.register(Linked, m2m_fields={"tags"})
auditlog.register(Part)
