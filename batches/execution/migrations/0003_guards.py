"""Keep issued batches, their phases and entries as declared, for raw SQL too (21 CFR 11.10(f), 211.100).

The moves are those of `states.MOVES` and `states.PHASE_MOVES`; a test compares them.
"""

from django.db import migrations

TIMED = ("charge", "equipmentassignment", "examination", "inprocessresult", "labeluse")
VERIFIED = ("examination", "inprocessresult", "labeluse")

KEEP_BATCH = """
CREATE FUNCTION public.execution_keep_batch() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'issued' OR NEW.disposition <> 'pending' THEN
            RAISE EXCEPTION 'a batch begins issued and pending' USING ERRCODE = 'GM002';
        END IF;
        RETURN NEW;
    END IF;
    -- 21 CFR 211.188(a): an issued copy is never altered.
    IF (NEW.number, NEW.recipe_id, NEW.recipe_digest, NEW.issued_at, NEW.issued_by_id,
        NEW.issue_reason, NEW.planned_size, NEW.planned_unit, NEW.scale)
        IS DISTINCT FROM
        (OLD.number, OLD.recipe_id, OLD.recipe_digest, OLD.issued_at, OLD.issued_by_id,
        OLD.issue_reason, OLD.planned_size, OLD.planned_unit, OLD.scale) THEN
        RAISE EXCEPTION 'batch %: what it was issued as is not altered', OLD.number
            USING ERRCODE = 'GM002';
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('issued', 'running'), ('issued', 'aborted'),
        ('running', 'suspended'), ('running', 'completed'), ('running', 'aborted'),
        ('suspended', 'running'), ('suspended', 'aborted')
    ) THEN
        RAISE EXCEPTION 'batch %: it does not go from % to %', OLD.number, OLD.state, NEW.state
            USING ERRCODE = 'GM002';
    END IF;
    IF NEW.state = 'completed' AND OLD.state <> 'completed' AND EXISTS (
        SELECT FROM public.execution_batchphase p
        WHERE p.batch_id = OLD.id AND p.state IN ('running', 'held')
    ) THEN
        RAISE EXCEPTION 'batch %: a phase is under way', OLD.number USING ERRCODE = 'GM002';
    END IF;
    IF (OLD.started_at IS NOT NULL AND NEW.started_at IS DISTINCT FROM OLD.started_at)
        OR (OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at)
        OR (OLD.checked_by_id IS NOT NULL AND (NEW.checked_by_id, NEW.checked_at)
            IS DISTINCT FROM (OLD.checked_by_id, OLD.checked_at)) THEN
        RAISE EXCEPTION 'batch %: its moments stay as they are recorded', OLD.number
            USING ERRCODE = 'GM002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_batch BEFORE INSERT OR UPDATE ON public.execution_batch
    FOR EACH ROW EXECUTE FUNCTION public.execution_keep_batch();
ALTER TABLE public.execution_batch ENABLE ALWAYS TRIGGER keep_batch;
"""

KEEP_PHASE = """
CREATE FUNCTION public.execution_keep_phase() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    moving text[] := ARRAY['state', 'started_at', 'ended_at', 'started_by_id', 'ended_by_id',
        'verified_by_id', 'verified_at', 'audit_seq', 'audit_head'];
    batch_state text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'waiting' THEN
            RAISE EXCEPTION 'a phase begins waiting' USING ERRCODE = 'GM002';
        END IF;
        RETURN NEW;
    END IF;
    IF to_jsonb(NEW) - moving <> to_jsonb(OLD) - moving
        OR (OLD.started_at IS NOT NULL AND (NEW.started_at, NEW.started_by_id)
            IS DISTINCT FROM (OLD.started_at, OLD.started_by_id))
        OR (OLD.ended_at IS NOT NULL AND (NEW.ended_at, NEW.ended_by_id)
            IS DISTINCT FROM (OLD.ended_at, OLD.ended_by_id))
        OR (OLD.verified_by_id IS NOT NULL AND (NEW.verified_by_id, NEW.verified_at)
            IS DISTINCT FROM (OLD.verified_by_id, OLD.verified_at)) THEN
        RAISE EXCEPTION 'phase %: what is issued and recorded of it is not altered', OLD.name
            USING ERRCODE = 'GM002';
    END IF;
    IF NEW.state = OLD.state THEN
        RETURN NEW;
    END IF;
    IF (OLD.state, NEW.state) NOT IN (
        ('waiting', 'running'), ('running', 'held'), ('running', 'done'), ('running', 'aborted'),
        ('held', 'running'), ('held', 'aborted')
    ) THEN
        RAISE EXCEPTION 'phase %: it does not go from % to %', OLD.name, OLD.state, NEW.state
            USING ERRCODE = 'GM002';
    END IF;
    -- The lock makes two phases that move at once see each other.
    SELECT state INTO batch_state FROM public.execution_batch WHERE id = OLD.batch_id
        FOR NO KEY UPDATE;
    IF batch_state <> 'running' AND NOT (batch_state = 'suspended' AND NEW.state = 'aborted') THEN
        RAISE EXCEPTION 'phase %: its batch is %', OLD.name, batch_state USING ERRCODE = 'GM002';
    END IF;
    IF OLD.state = 'waiting' AND EXISTS (
        SELECT FROM public.execution_batchphase p
        WHERE p.batch_id = OLD.batch_id AND p."order" < OLD."order"
        AND p.state NOT IN ('done', 'aborted')
        AND NOT (OLD.parallel_group <> '' AND p.parallel_group = OLD.parallel_group)
    ) THEN
        RAISE EXCEPTION 'phase %: an earlier phase is not behind yet', OLD.name
            USING ERRCODE = 'GM002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_phase BEFORE INSERT OR UPDATE ON public.execution_batchphase
    FOR EACH ROW EXECUTE FUNCTION public.execution_keep_phase();
ALTER TABLE public.execution_batchphase ENABLE ALWAYS TRIGGER keep_phase;
"""

# 21 CFR 211.100(b): at the time of performance; what a person enters later says why, and who saw it.
KEEP_TIME = """
CREATE FUNCTION public.execution_keep_time() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.performed_at > NEW.recorded_at + interval '5 minutes' THEN
        RAISE EXCEPTION 'it is recorded before it was done' USING ERRCODE = 'GM002';
    END IF;
    IF NEW.recorded_at - NEW.performed_at > interval '15 minutes'
        AND (btrim(NEW.late_reason) = '' OR NEW.witness_id IS NULL) THEN
        RAISE EXCEPTION 'a late entry has its reason and a witness' USING ERRCODE = 'GM002';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION public.execution_keep_event_time() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.recorded_by_id IS NOT NULL
        AND NEW.recorded_at - NEW.occurred_at > interval '15 minutes'
        AND (btrim(NEW.late_reason) = '' OR NEW.witness_id IS NULL) THEN
        RAISE EXCEPTION 'a late entry has its reason and a witness' USING ERRCODE = 'GM002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_time BEFORE INSERT ON public.execution_batchevent
    FOR EACH ROW EXECUTE FUNCTION public.execution_keep_event_time();
ALTER TABLE public.execution_batchevent ENABLE ALWAYS TRIGGER keep_time;
""" + "".join(
    f"""
CREATE TRIGGER keep_time BEFORE INSERT ON public.execution_{table}
    FOR EACH ROW EXECUTE FUNCTION public.execution_keep_time();
ALTER TABLE public.execution_{table} ENABLE ALWAYS TRIGGER keep_time;
"""
    for table in TIMED
)

KEEP_ENTRY = """
CREATE FUNCTION public.execution_keep_entry() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    moving text[] := ARRAY['verified_by_id', 'verified_at', 'audit_seq', 'audit_head'];
BEGIN
    IF to_jsonb(NEW) - moving <> to_jsonb(OLD) - moving OR OLD.verified_by_id IS NOT NULL THEN
        RAISE EXCEPTION 'what is entered is not altered; enter it anew with its reason'
            USING ERRCODE = 'GM002';
    END IF;
    RETURN NEW;
END $$;
""" + "".join(
    f"""
CREATE TRIGGER keep_entry BEFORE UPDATE ON public.execution_{table}
    FOR EACH ROW EXECUTE FUNCTION public.execution_keep_entry();
ALTER TABLE public.execution_{table} ENABLE ALWAYS TRIGGER keep_entry;
"""
    for table in VERIFIED
)

KEEP_EXCEPTION = """
CREATE FUNCTION public.execution_keep_exception() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    moving text[] := ARRAY['state', 'deviation_id', 'assessment', 'assessed_by_id', 'assessed_at',
        'audit_seq', 'audit_head'];
BEGIN
    IF to_jsonb(NEW) - moving <> to_jsonb(OLD) - moving OR OLD.state = 'assessed'
        OR (OLD.deviation_id IS NOT NULL AND NEW.deviation_id IS DISTINCT FROM OLD.deviation_id) THEN
        RAISE EXCEPTION 'exception %: what was detected and assessed is not altered', OLD.id
            USING ERRCODE = 'GM002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_exception BEFORE UPDATE ON public.execution_batchexception
    FOR EACH ROW EXECUTE FUNCTION public.execution_keep_exception();
ALTER TABLE public.execution_batchexception ENABLE ALWAYS TRIGGER keep_exception;
"""


def _drop(function: str, trigger: str, *tables: str) -> str:
    triggers = "".join(f"DROP TRIGGER {trigger} ON public.execution_{table};\n" for table in tables)
    return f"{triggers}DROP FUNCTION public.execution_{function}();"


class Migration(migrations.Migration):
    dependencies = [("execution", "0002_readings")]
    operations = [
        migrations.RunSQL(KEEP_BATCH, _drop("keep_batch", "keep_batch", "batch")),
        migrations.RunSQL(KEEP_PHASE, _drop("keep_phase", "keep_phase", "batchphase")),
        migrations.RunSQL(
            KEEP_TIME,
            _drop("keep_event_time", "keep_time", "batchevent")
            + _drop("keep_time", "keep_time", *TIMED),
        ),
        migrations.RunSQL(KEEP_ENTRY, _drop("keep_entry", "keep_entry", *VERIFIED)),
        migrations.RunSQL(
            KEEP_EXCEPTION, _drop("keep_exception", "keep_exception", "batchexception")
        ),
    ]
