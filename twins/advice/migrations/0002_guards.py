"""Keep what was proposed as it is, and every answer to it; name trials as trials (Annex 22)."""

from django.db import migrations

CREATE = """
CREATE FUNCTION public.advice_keep_proposal() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of_answer text[] := ARRAY[
        'state', 'ended_at', 'answered_by', 'answer_reason', 'superseded_by_id',
        'audit_seq', 'audit_head'
    ];
    of_run text[] := ARRAY[
        'claimed_at', 'finished_at', 'input', 'input_digest', 'output', 'output_digest',
        'environment', 'problem', 'outcome', 'range_low', 'range_high', 'range_source', 'target',
        'before', 'after', 'added_l', 'starts_at', 'last_safe_at', 'last_safe_low_at',
        'last_safe_high_at'
    ];
    next_states text[];
    kept text[];
BEGIN
    next_states := CASE OLD.state
        WHEN 'requested' THEN ARRAY['claimed']
        WHEN 'claimed' THEN ARRAY['claimed', 'open', 'stated', 'failed', 'superseded']
        WHEN 'open' THEN ARRAY['accepted', 'rejected', 'expired', 'superseded']
    END;
    IF next_states IS NULL THEN
        RAISE EXCEPTION 'proposal % has ended: it is never altered', OLD.id
            USING ERRCODE = 'GM002';
    END IF;
    kept := CASE WHEN OLD.state = 'open' THEN of_answer
        ELSE of_run || ARRAY['state', 'superseded_by_id', 'ended_at', 'audit_seq', 'audit_head']
        END;
    IF NOT NEW.state = ANY (next_states)
        OR (to_jsonb(NEW) - kept) IS DISTINCT FROM (to_jsonb(OLD) - kept)
    THEN
        RAISE EXCEPTION 'what proposal % says is never altered', OLD.id USING ERRCODE = 'GM002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER a_proposal_final BEFORE UPDATE ON public.advice_proposal
    FOR EACH ROW EXECUTE FUNCTION public.advice_keep_proposal();
CREATE TRIGGER a_trial_named BEFORE INSERT OR UPDATE ON public.advice_proposal
    FOR EACH ROW EXECUTE FUNCTION public.predictions_trial_named();
ALTER TABLE public.advice_proposal ENABLE ALWAYS TRIGGER a_proposal_final;
ALTER TABLE public.advice_proposal ENABLE ALWAYS TRIGGER a_trial_named;
"""
DROP = """
DROP TRIGGER a_trial_named ON public.advice_proposal;
DROP TRIGGER a_proposal_final ON public.advice_proposal;
DROP FUNCTION public.advice_keep_proposal();
"""


class Migration(migrations.Migration):
    dependencies = [("advice", "0001_initial"), ("predictions", "0003_trial_named")]
    operations = [migrations.RunSQL(CREATE, DROP)]
