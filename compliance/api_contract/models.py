"""How often each client asked in the present minute: counters, not records."""

from django.db import models


class ClientCount(models.Model):
    """The requests of one client in one minute; the database keeps it without a log (UNLOGGED)."""

    client = models.CharField(max_length=120, primary_key=True)
    minute = models.BigIntegerField()
    count = models.BigIntegerField()

    def __str__(self) -> str:
        return self.client
