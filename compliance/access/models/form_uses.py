"""Which forms were sent: kept for two days, so that none acts twice. No record, and not controlled."""

from django.db import models


class FormUse(models.Model):
    """One form that was shown to somebody and sent."""

    token = models.UUIDField(primary_key=True)
    used_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return str(self.token)
