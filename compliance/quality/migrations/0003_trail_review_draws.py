"""Keep what a review of the trail was drawn by: both halves of the seed, and the working hours."""

from django.db import migrations, models

CREATE = """
CREATE TRIGGER keep_scope BEFORE UPDATE ON public.quality_trailreview FOR EACH ROW
    EXECUTE FUNCTION public.quality_keep_identity(
        'number', 'kind', 'name', 'title', 'rules', 'hours', 'opened_at');
ALTER TABLE public.quality_trailreview ENABLE ALWAYS TRIGGER keep_scope;
"""
DROP = "DROP TRIGGER keep_scope ON public.quality_trailreview;"


class Migration(migrations.Migration):
    dependencies = [("quality", "0002_guards")]
    operations = [
        migrations.AlterField(
            "trailreview", "seed",
            models.CharField(
                max_length=120,
                help_text="The random part of the sample follows of it: the reviewer's words, and "
                "random ones.",
            ),
        ),
        migrations.AddField(
            "trailreview", "hours",
            models.TextField(
                blank=True, default="",
                help_text="Working hours that the rules went by, with their zone.",
            ),
        ),
        migrations.RunSQL(CREATE, DROP),
    ]  # fmt: skip
