"""The measured records with the historical models of django-simple-history."""

from django.db import models
from simple_history.models import HistoricalRecords

from tests.bench.columns import Columns, PartColumns, TagColumns


class Plain(Columns):
    pass


class Tag(TagColumns):
    pass


class Audited(Columns):
    history = HistoricalRecords()


class Linked(Columns):
    tags = models.ManyToManyField(Tag)
    history = HistoricalRecords(m2m_fields=[tags])


class Part(PartColumns):
    history = HistoricalRecords()
