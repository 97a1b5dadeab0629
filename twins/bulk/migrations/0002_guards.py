"""Refuse every change to a run or part that is done or cancelled: its result is never redone."""

from django.db import migrations

CREATE = """
CREATE FUNCTION public.bulk_refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% % has ended: it is never altered', TG_TABLE_NAME, OLD.id
        USING ERRCODE = 'GM002';
END $$;
CREATE TRIGGER a_bulk_final BEFORE UPDATE ON public.bulk_bulkrun
    FOR EACH ROW WHEN (OLD.state IN ('done', 'cancelled'))
    EXECUTE FUNCTION public.bulk_refuse_change();
CREATE TRIGGER a_bulk_final BEFORE UPDATE ON public.bulk_bulkpart
    FOR EACH ROW WHEN (OLD.state IN ('done', 'cancelled'))
    EXECUTE FUNCTION public.bulk_refuse_change();
ALTER TABLE public.bulk_bulkrun ENABLE ALWAYS TRIGGER a_bulk_final;
ALTER TABLE public.bulk_bulkpart ENABLE ALWAYS TRIGGER a_bulk_final;
"""
DROP = """
DROP TRIGGER a_bulk_final ON public.bulk_bulkpart;
DROP TRIGGER a_bulk_final ON public.bulk_bulkrun;
DROP FUNCTION public.bulk_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("bulk", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
