"""The same record twice: under control, and not."""

from django.db import models

from compliance.trail.capture import controlled


class Columns(models.Model):
    """Twelve columns of the usual types."""

    number = models.CharField(max_length=40)
    title = models.CharField(max_length=200)
    state = models.CharField(max_length=20)
    text = models.TextField()
    low = models.DecimalField(max_digits=12, decimal_places=4)
    high = models.DecimalField(max_digits=12, decimal_places=4)
    count = models.IntegerField(default=0)
    is_open = models.BooleanField(default=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    due_on = models.DateField()

    class Meta:
        abstract = True


class Plain(Columns):
    def __str__(self) -> str:
        return self.number


@controlled()
class Audited(Columns):
    def __str__(self) -> str:
        return self.number
