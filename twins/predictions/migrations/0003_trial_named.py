"""Refuse a prediction or alert that claims a qualified version when its version is not (Annex 22)."""

from django.db import migrations

CREATE = """
CREATE FUNCTION public.predictions_trial_named() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    said boolean;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.is_trial IS DISTINCT FROM OLD.is_trial THEN
            RAISE EXCEPTION 'what was a trial stays one, and nothing else becomes one'
                USING ERRCODE = 'GM020';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_TABLE_NAME = 'predictions_prediction' THEN
        SELECT v.state <> 'qualified' INTO said
        FROM public.hub_modelversion v WHERE v.id = NEW.model_version_id FOR SHARE;
    ELSE
        SELECT p.is_trial INTO said
        FROM public.predictions_prediction p WHERE p.id = NEW.prediction_id;
    END IF;
    IF NEW.is_trial IS DISTINCT FROM said THEN
        RAISE EXCEPTION 'only what a qualified version says is no trial' USING ERRCODE = 'GM020';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER a_trial_named BEFORE INSERT OR UPDATE ON public.predictions_prediction
    FOR EACH ROW EXECUTE FUNCTION public.predictions_trial_named();
CREATE TRIGGER a_trial_named BEFORE INSERT OR UPDATE ON public.predictions_alert
    FOR EACH ROW EXECUTE FUNCTION public.predictions_trial_named();
ALTER TABLE public.predictions_prediction ENABLE ALWAYS TRIGGER a_trial_named;
ALTER TABLE public.predictions_alert ENABLE ALWAYS TRIGGER a_trial_named;
"""
DROP = """
DROP TRIGGER a_trial_named ON public.predictions_alert;
DROP TRIGGER a_trial_named ON public.predictions_prediction;
DROP FUNCTION public.predictions_trial_named();
"""


class Migration(migrations.Migration):
    dependencies = [("predictions", "0002_final"), ("hub", "0002_guards")]
    operations = [migrations.RunSQL(CREATE, DROP)]
