"""Keep what a review of the trail was drawn by: both halves of the seed, and the working hours."""

from django.db import migrations

CREATE = """
CREATE TRIGGER keep_scope BEFORE UPDATE ON public.quality_trailreview FOR EACH ROW
    EXECUTE FUNCTION public.quality_keep_identity(
        'number', 'kind', 'name', 'title', 'rules', 'hours', 'opened_at');
ALTER TABLE public.quality_trailreview ENABLE ALWAYS TRIGGER keep_scope;
"""
DROP = "DROP TRIGGER keep_scope ON public.quality_trailreview;"


class Migration(migrations.Migration):
    dependencies = [("quality", "0002_guards")]
    operations = [migrations.RunSQL(CREATE, DROP)]
