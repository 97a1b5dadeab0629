"""The measured records; the settings of django-easy-audit name those that it watches."""

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
