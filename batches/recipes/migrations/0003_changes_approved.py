"""Approve a later version, and whatever names a change, only while that change is approved.

21 CFR 211.100(a), EU GMP Annex 15, 11: the same question as `compliance.quality.changes.is_approved`.
The lock keeps whoever rejects the change at this moment waiting.
"""

from django.db import migrations

KEEP_CHANGE = """
CREATE FUNCTION public.recipes_keep_change() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.state <> 'approved' OR OLD.state = 'approved'
        OR (NEW.version = 1 AND NEW.change_number = '') THEN
        RETURN NEW;
    END IF;
    PERFORM FROM public.quality_change c
        WHERE c.number = NEW.change_number
        AND (c.state IN ('approved', 'implemented', 'reviewed', 'closed')
            OR (c.emergency_at IS NOT NULL AND c.state NOT IN ('rejected', 'cancelled')))
        FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'master recipe %: “%” is no approved change', OLD.id, NEW.change_number
            USING ERRCODE = 'GM002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_change BEFORE UPDATE ON public.recipes_masterrecipe
    FOR EACH ROW EXECUTE FUNCTION public.recipes_keep_change();
ALTER TABLE public.recipes_masterrecipe ENABLE ALWAYS TRIGGER keep_change;
"""


class Migration(migrations.Migration):
    dependencies = [("recipes", "0002_keep_approved_versions"), ("quality", "0002_guards")]
    operations = [
        migrations.RunSQL(
            KEEP_CHANGE,
            "DROP TRIGGER keep_change ON public.recipes_masterrecipe;"
            "DROP FUNCTION public.recipes_keep_change();",
        )
    ]
