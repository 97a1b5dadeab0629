"""What every record of work asked of an alert has: who asked, which worker, question and answer."""

from typing import Any

from django.db import models

from compliance.trail.fields import CanonicalJSONField

REQUESTED = "requested"


class Asked(models.Model):
    """Work asked of an alert, of what one prediction saw: requested, claimed by a lease, ended.

    What a kind of work adds: `alert`, `prediction`, its states, `refusal`, `is_trial`, and what lists
    show of an answer. Its triggers let it begin as a request and never alter what has ended.
    """

    alert: Any
    prediction: Any
    state: Any
    get_state_display: Any
    refusal: Any
    is_trial: Any
    requested_by = models.CharField(max_length=60)
    requested_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    claimed_by = models.CharField(
        max_length=100, blank=True, help_text="Worker: host, process and a number of the claim."
    )
    attempts = models.PositiveSmallIntegerField(
        default=0, help_text="How often a worker took it; one that died counts."
    )
    finished_at = models.DateTimeField(null=True, blank=True)
    seed = models.PositiveBigIntegerField()
    input = models.TextField(blank=True, help_text="The question, as canonical JSON.")
    input_digest = models.CharField(max_length=64, blank=True)
    output = models.TextField(blank=True, help_text="The answer, as canonical JSON.")
    output_digest = models.CharField(max_length=64, blank=True)
    environment = CanonicalJSONField(default=dict, blank=True)
    problem = models.TextField(blank=True, help_text="Words of the refusal.")

    class Meta:
        abstract = True
