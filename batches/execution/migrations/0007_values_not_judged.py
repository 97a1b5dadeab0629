"""Flag measured values that no limit could be compared with; keep batch numbers apart in any case."""

from django.db import migrations, models
from django.db.models.functions import Upper

BEFORE = [
    ("out-of-limits", "Value outside its limits"),
    ("implausible", "Implausible value confirmed"),
]
AFTER = [
    ("late-entry", "Late entry"),
    ("charge", "Charge outside its tolerance"),
    ("yield", "Yield outside its limits"),
    ("reconciliation", "Reconciliation outside its limits"),
    ("hold-time", "Time limit exceeded"),
    ("interruption", "Phase or batch interrupted"),
    ("examination", "Examination not conforming"),
    ("source-not-usable", "Source not qualified or not calibrated"),
]
KINDS = [*BEFORE, ("not-judged", "Value that could not be judged"), *AFTER]


class Migration(migrations.Migration):
    dependencies = [("execution", "0006_events_with_details")]
    operations = [
        migrations.AddConstraint(
            "batch",
            models.UniqueConstraint(Upper("number"), name="batch_number_once_in_any_case"),
        ),
        migrations.RemoveConstraint("batchexception", "exception_kind_known"),
        migrations.AlterField(
            "batchexception", "kind", models.CharField(choices=KINDS, max_length=20)
        ),
        migrations.AddConstraint(
            "batchexception",
            models.CheckConstraint(
                name="exception_kind_known",
                condition=models.Q(kind__in=[kind for kind, _ in KINDS]),
            ),
        ),
    ]
