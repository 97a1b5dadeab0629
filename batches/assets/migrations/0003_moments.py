"""Let nothing be taken of a lot before it was there and released; end a cleaning that broke off."""

from django.db import migrations

CREATE = """
CREATE OR REPLACE FUNCTION public.assets_guard_done_once() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF (to_jsonb(NEW) ->> CASE TG_TABLE_NAME WHEN 'assets_qualification' THEN 'approved_at'
            ELSE 'verified_at' END) IS NOT NULL OR coalesce(to_jsonb(NEW) ->> 'outcome', 'running')
            <> 'running'
        THEN
            PERFORM public.assets_refuse('what was just done is not approved or verified yet');
        END IF;
        RETURN NEW;
    END IF;
    IF TG_TABLE_NAME = 'assets_qualification' THEN
        PERFORM public.assets_only_change(to_jsonb(OLD), to_jsonb(NEW), 'approved_at',
            'approved_by_id');
        IF OLD.approved_at IS NOT NULL OR NOT public.assets_is_signed(
            'assets_qualification', NEW.id, 'approved', NEW.approved_by_id, NEW.approved_at)
        THEN
            PERFORM public.assets_refuse('a stage is approved once, by signature');
        END IF;
    ELSIF TG_TABLE_NAME = 'assets_calibration' THEN
        PERFORM public.assets_only_change(to_jsonb(OLD), to_jsonb(NEW), 'verified_at',
            'verified_by_id', 'due_on', 'deviation_id');
        IF NEW.due_on > OLD.due_on OR (OLD.deviation_id IS NOT NULL
            AND NEW.deviation_id IS DISTINCT FROM OLD.deviation_id)
            OR (OLD.verified_at IS NOT NULL AND (NEW.verified_at, NEW.verified_by_id)
                IS DISTINCT FROM (OLD.verified_at, OLD.verified_by_id))
        THEN
            PERFORM public.assets_refuse('a calibration is verified once and holds no longer');
        END IF;
    ELSE
        PERFORM public.assets_only_change(to_jsonb(OLD), to_jsonb(NEW), 'finished_at', 'outcome',
            'remark', 'verified_at', 'verified_by_id');
        IF (OLD.outcome, NEW.outcome) NOT IN (('running', 'finished'), ('running', 'failed'),
            ('finished', 'accepted'), ('finished', 'failed'))
        THEN
            PERFORM public.assets_refuse(
                format('a cleaning goes not from %s to %s', OLD.outcome, NEW.outcome));
        END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION public.assets_guard_movement() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held public.assets_materiallot;
    newest public.assets_movement;
    moved_on date := (NEW.moved_at AT TIME ZONE 'UTC')::date;
BEGIN
    -- The lock makes two people who take from one lot follow each other.
    SELECT * INTO held FROM public.assets_materiallot WHERE id = NEW.lot_id FOR NO KEY UPDATE;
    SELECT * INTO newest FROM public.assets_movement
        WHERE lot_id = NEW.lot_id ORDER BY sequence DESC LIMIT 1;
    IF NEW.sequence <> coalesce(newest.sequence, 0) + 1
        OR NEW.balance <> coalesce(newest.balance, 0) + NEW.quantity
    THEN
        PERFORM public.assets_refuse('a ledger goes on from its last line');
    END IF;
    IF (NEW.kind = 'received') <> (NEW.sequence = 1)
        OR (NEW.kind = 'received' AND NEW.quantity <> held.quantity)
    THEN
        PERFORM public.assets_refuse('a ledger begins with what was received, once');
    END IF;
    IF NEW.moved_at < held.received_at THEN
        PERFORM public.assets_refuse('nothing happens to a lot before its receipt');
    END IF;
    IF NEW.kind = 'dispensed' AND (
        held.state <> 'released' OR held.decided_at > NEW.moved_at
        OR held.expires_on < moved_on OR held.retest_on < moved_on)
    THEN
        PERFORM public.assets_refuse('of a lot that is not released and in date nothing is taken');
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("assets", "0002_guards")]
    # Backwards they stay: they allow what the ones before allowed, and refuse what was a mistake.
    operations = [migrations.RunSQL(CREATE, migrations.RunSQL.noop)]
