"""Keep what was explained as it is, and let nothing be explained that was not asked for and claimed."""

from django.db import migrations

CREATE = """
CREATE FUNCTION public.explanations_keep() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of_run text[] := ARRAY[
        'state', 'claimed_at', 'claimed_by', 'attempts', 'finished_at', 'input', 'input_digest',
        'output', 'output_digest', 'code_digest', 'environment', 'refusal', 'problem', 'verdict',
        'likeliest', 'weight', 'proposed', 'audit_seq', 'audit_head'
    ];
    next_states text[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'requested' THEN
            RAISE EXCEPTION 'an explanation begins as a request' USING ERRCODE = 'GM002';
        END IF;
        PERFORM 1 FROM public.predictions_alert a
            JOIN public.predictions_prediction p ON p.batch_id = a.batch_id
            WHERE a.id = NEW.alert_id AND p.id = NEW.prediction_id;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'prediction % is not of the batch of alert %',
                NEW.prediction_id, NEW.alert_id USING ERRCODE = 'GM002';
        END IF;
        RETURN NEW;
    END IF;
    next_states := CASE OLD.state
        WHEN 'requested' THEN ARRAY['claimed']
        WHEN 'claimed' THEN ARRAY['claimed', 'explained', 'nothing-to-explain', 'not-explained']
    END;
    IF next_states IS NULL THEN
        RAISE EXCEPTION 'explanation % has ended: it is never altered', OLD.id
            USING ERRCODE = 'GM002';
    END IF;
    IF NOT NEW.state = ANY (next_states)
        OR (to_jsonb(NEW) - of_run) IS DISTINCT FROM (to_jsonb(OLD) - of_run)
    THEN
        RAISE EXCEPTION 'what explanation % was asked is never altered', OLD.id
            USING ERRCODE = 'GM002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER an_explanation_final BEFORE INSERT OR UPDATE ON public.explanations_explanation
    FOR EACH ROW EXECUTE FUNCTION public.explanations_keep();
CREATE TRIGGER a_trial_named BEFORE INSERT OR UPDATE ON public.explanations_explanation
    FOR EACH ROW EXECUTE FUNCTION public.predictions_trial_named();
ALTER TABLE public.explanations_explanation ENABLE ALWAYS TRIGGER an_explanation_final;
ALTER TABLE public.explanations_explanation ENABLE ALWAYS TRIGGER a_trial_named;
"""
DROP = """
DROP TRIGGER a_trial_named ON public.explanations_explanation;
DROP TRIGGER an_explanation_final ON public.explanations_explanation;
DROP FUNCTION public.explanations_keep();
"""


class Migration(migrations.Migration):
    dependencies = [("explanations", "0001_initial"), ("predictions", "0003_trial_named")]
    operations = [migrations.RunSQL(CREATE, DROP)]
