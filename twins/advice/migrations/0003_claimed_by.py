"""Keep by whom the run of a proposal is claimed; what a run writes includes it."""

from django.db import migrations, models

# As in 0002, with one more column of the run.
KEEP = """
CREATE OR REPLACE FUNCTION public.advice_keep_proposal() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of_answer text[] := ARRAY[
        'state', 'ended_at', 'answered_by', 'answer_reason', 'superseded_by_id',
        'audit_seq', 'audit_head'
    ];
    of_run text[] := ARRAY[
        'claimed_at',{claimed_by} 'finished_at', 'input', 'input_digest', 'output', 'output_digest',
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
"""


class Migration(migrations.Migration):
    dependencies = [("advice", "0002_guards")]

    operations = [
        migrations.AddField(
            model_name="proposal",
            name="claimed_by",
            field=models.CharField(
                blank=True,
                help_text="Worker: host, process and a number of the claim.",
                max_length=100,
            ),
        ),
        migrations.RunSQL(
            KEEP.replace("{claimed_by}", " 'claimed_by',"), KEEP.replace("{claimed_by}", "")
        ),
    ]
