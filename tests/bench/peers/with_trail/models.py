"""The measured records under the control of this product."""

from django.db import models

from compliance.trail.capture import controlled
from tests.bench.columns import Columns, PartColumns, TagColumns


class Plain(Columns):
    pass


class Tag(TagColumns):
    pass


@controlled(deletable=True)
class Audited(Columns):
    pass


@controlled(deletable=True)
class Linked(Columns):
    tags = models.ManyToManyField(Tag)


@controlled(deletable=True)
class Part(PartColumns):
    pass


controlled(deletable=True)(Linked.tags.through)
