"""Hold the rules of messages, aliases and mappings in the database too (EU GMP Annex 11, 5)."""

from django.db import migrations

CREATE = """
CREATE FUNCTION public.exchange_keep_declared() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    decided text[] := ARRAY['state', 'approved_by_id', 'approved_at'];
BEGIN
    IF TG_OP = 'INSERT' THEN
        -- What came with the product was there before this trigger.
        IF NEW.state <> 'proposed' OR NEW.proposed_by_id IS NULL OR NEW.approved_by_id IS NOT NULL
            OR NEW.origin <> '' THEN
            RAISE EXCEPTION 'a declaration begins as the proposal of a person'
                USING ERRCODE = '23514';
        END IF;
        RETURN NEW;
    END IF;
    IF to_jsonb(NEW) = to_jsonb(OLD) THEN
        RETURN NEW;  -- the first entry of a row that is older than the trail's hold on it
    END IF;
    IF to_jsonb(NEW) - decided <> to_jsonb(OLD) - decided THEN
        RAISE EXCEPTION 'a declaration keeps its content: propose the next version'
            USING ERRCODE = '23514';
    END IF;
    IF (OLD.state, NEW.state) = ('proposed', 'effective') THEN
        IF NEW.approved_by_id IS NULL OR NEW.approved_by_id = NEW.proposed_by_id THEN
            RAISE EXCEPTION 'a second person approves a declaration' USING ERRCODE = '23514';
        END IF;
        RETURN NEW;
    END IF;
    IF (OLD.state, NEW.state) IN (('proposed', 'withdrawn'), ('effective', 'superseded'),
            ('effective', 'withdrawn'))
        AND to_jsonb(NEW) - 'state' = to_jsonb(OLD) - 'state' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a declaration that is % does not become %', OLD.state, NEW.state
        USING ERRCODE = '23514';
END $$;
CREATE TRIGGER keep_declared BEFORE INSERT OR UPDATE ON public.exchange_unitalias
    FOR EACH ROW EXECUTE FUNCTION public.exchange_keep_declared();
ALTER TABLE public.exchange_unitalias ENABLE ALWAYS TRIGGER keep_declared;
CREATE TRIGGER keep_declared BEFORE INSERT OR UPDATE ON public.exchange_sendermapping
    FOR EACH ROW EXECUTE FUNCTION public.exchange_keep_declared();
ALTER TABLE public.exchange_sendermapping ENABLE ALWAYS TRIGGER keep_declared;

CREATE FUNCTION public.exchange_keep_message() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moving text[] := ARRAY['state', 'report', 'format', 'format_version', 'batch_id', 'mapping_id',
        'decided_by_id', 'decided_at', 'decision'];
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'received' OR NEW.decided_by_id IS NOT NULL THEN
            RAISE EXCEPTION 'a message is received before anything is done with it'
                USING ERRCODE = '23514';
        END IF;
        RETURN NEW;
    END IF;
    IF to_jsonb(NEW) - moving <> to_jsonb(OLD) - moving THEN
        RAISE EXCEPTION 'a message keeps its bytes, its digest and its sender'
            USING ERRCODE = '23514';
    END IF;
    IF NOT (OLD.state, NEW.state) IN (('received', 'mapped'), ('received', 'quarantined'),
        ('quarantined', 'quarantined'), ('quarantined', 'resolved'), ('quarantined', 'refused'))
    THEN
        RAISE EXCEPTION 'a message that is % does not become %', OLD.state, NEW.state
            USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_message BEFORE INSERT OR UPDATE ON public.exchange_message
    FOR EACH ROW EXECUTE FUNCTION public.exchange_keep_message();
ALTER TABLE public.exchange_message ENABLE ALWAYS TRIGGER keep_message;
"""
DROP = """
DROP TRIGGER keep_declared ON public.exchange_unitalias;
DROP TRIGGER keep_declared ON public.exchange_sendermapping;
DROP TRIGGER keep_message ON public.exchange_message;
DROP FUNCTION public.exchange_keep_declared();
DROP FUNCTION public.exchange_keep_message();
"""


class Migration(migrations.Migration):
    dependencies = [("exchange", "0002_guards_of_streams")]
    operations = [migrations.RunSQL(CREATE, DROP)]
