"""Hold in the database how versions follow each other, how gaps close and what a secret may change."""

from django.db import migrations

TABLES = {
    "source": "exchange_source", "version": "exchange_sourcerecord", "gap": "exchange_gap",
    "subscription": "exchange_subscription",
}  # fmt: skip
KEEP = """
CREATE FUNCTION public.exchange_keep_source() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    moving text[] := ARRAY['description', 'late_after_s', 'backfilled_after_s', 'clock_skew_s',
        'audit_seq', 'audit_head'];
BEGIN
    IF to_jsonb(NEW) - moving <> to_jsonb(OLD) - moving THEN
        RAISE EXCEPTION 'source %: whose records these are is not altered', OLD.code
            USING ERRCODE = 'GM002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_source BEFORE UPDATE ON public.exchange_source
    FOR EACH ROW EXECUTE FUNCTION public.exchange_keep_source();

CREATE FUNCTION public.exchange_keep_version() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.previous_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM public.exchange_sourcerecord p
        WHERE p.id = NEW.previous_id AND p.source_id = NEW.source_id
        AND p.record_id = NEW.record_id AND p.version = NEW.version - 1
    ) THEN
        RAISE EXCEPTION 'record %: version % follows the one before it', NEW.record_id, NEW.version
            USING ERRCODE = 'GM002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_version BEFORE INSERT ON public.exchange_sourcerecord
    FOR EACH ROW EXECUTE FUNCTION public.exchange_keep_version();

CREATE FUNCTION public.exchange_keep_gap() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.missing <> NEW.last - NEW.first + 1 OR NEW.explanation <> '' THEN
            RAISE EXCEPTION 'a gap begins with all its numbers missing' USING ERRCODE = 'GM002';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.source_id, NEW.first, NEW.last, NEW.opened_at)
        IS DISTINCT FROM (OLD.source_id, OLD.first, OLD.last, OLD.opened_at)
        OR NEW.missing > OLD.missing
        OR (OLD.closed_at IS NOT NULL AND NEW.closed_at IS DISTINCT FROM OLD.closed_at)
        OR (OLD.explanation <> '' AND (NEW.explanation, NEW.explained_by_id, NEW.explained_at)
            IS DISTINCT FROM (OLD.explanation, OLD.explained_by_id, OLD.explained_at))
    THEN
        RAISE EXCEPTION 'a gap only closes' USING ERRCODE = 'GM002';
    END IF;
    -- Counted when it closes only: each of a million late numbers would count all before it.
    IF NEW.missing = 0 AND OLD.missing <> 0 AND NEW.last - NEW.first + 1 <> (
        SELECT count(*) FROM public.exchange_sourcerecord r
        WHERE r.source_id = NEW.source_id AND r.sequence BETWEEN NEW.first AND NEW.last
    ) THEN
        RAISE EXCEPTION 'a gap closes when all its numbers have come' USING ERRCODE = 'GM002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_gap BEFORE INSERT OR UPDATE ON public.exchange_gap
    FOR EACH ROW EXECUTE FUNCTION public.exchange_keep_gap();

CREATE FUNCTION public.exchange_keep_subscription() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    moving text[] := ARRAY['secret', 'previous_secret', 'previous_until', 'is_active',
        'why_inactive', 'audit_seq', 'audit_head'];
BEGIN
    IF to_jsonb(NEW) - moving <> to_jsonb(OLD) - moving THEN
        RAISE EXCEPTION 'subscription %: where it goes and of what it tells is not altered', OLD.name
            USING ERRCODE = 'GM002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_subscription BEFORE UPDATE ON public.exchange_subscription
    FOR EACH ROW EXECUTE FUNCTION public.exchange_keep_subscription();
"""
CREATE = KEEP + "".join(
    f"ALTER TABLE public.{table} ENABLE ALWAYS TRIGGER keep_{name};\n"
    for name, table in TABLES.items()
)
DROP = "".join(
    f"DROP TRIGGER keep_{name} ON public.{table}; DROP FUNCTION public.exchange_keep_{name}();\n"
    for name, table in TABLES.items()
)


class Migration(migrations.Migration):
    dependencies = [("exchange", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
