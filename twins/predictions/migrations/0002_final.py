"""Refuse every change to a prediction that has ended: what was foretold is never retold."""

from django.db import migrations

CREATE = """
CREATE FUNCTION public.predictions_refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'prediction % has ended: it is never altered', OLD.id USING ERRCODE = 'GM002';
END $$;
CREATE TRIGGER a_prediction_final BEFORE UPDATE ON public.predictions_prediction
    FOR EACH ROW WHEN (OLD.state <> 'claimed') EXECUTE FUNCTION public.predictions_refuse_change();
ALTER TABLE public.predictions_prediction ENABLE ALWAYS TRIGGER a_prediction_final;
"""
DROP = """
DROP TRIGGER a_prediction_final ON public.predictions_prediction;
DROP FUNCTION public.predictions_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("predictions", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
