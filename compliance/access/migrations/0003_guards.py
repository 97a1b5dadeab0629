"""Hold in the database what is on record of identities and trainings, and who may write it."""

from django.db import migrations

CREATE = """
-- What is recorded stays as it is; the columns named may be filled once, while they are empty.
-- One named with a question mark may be emptied by the erasure of personal data, and by nothing
-- else; one with a star is free here, since something else holds it.
CREATE FUNCTION public.access_keep_as_recorded() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    before jsonb := to_jsonb(OLD) - 'audit_seq' - 'audit_head';
    after jsonb := to_jsonb(NEW) - 'audit_seq' - 'audit_head';
    name text;
    action text := nullif(current_setting('audit.act', true), '')::json ->> 'action';
BEGIN
    FOREACH name IN ARRAY coalesce(TG_ARGV, '{}'::text[]) LOOP
        IF name LIKE '*%' THEN
            before := before - substr(name, 2);
            after := after - substr(name, 2);
        ELSIF name LIKE '?%' THEN
            name := substr(name, 2);
            IF action = 'trail.redacted' AND coalesce(after ->> name, '') = '' THEN
                before := before - name;
                after := after - name;
            END IF;
        ELSIF coalesce(before ->> name, '') = '' THEN
            before := before - name;
            after := after - name;
        END IF;
    END LOOP;
    FOR name IN SELECT one.key FROM jsonb_each(before) one
        WHERE one.value IS DISTINCT FROM after -> one.key
    LOOP
        RAISE EXCEPTION '% of % stays as it is recorded', name, TG_TABLE_NAME
            USING ERRCODE = 'GM002';
    END LOOP;
    RETURN NEW;
END $$;

-- Nobody acts in their own matter: the column named says whose it is.
CREATE FUNCTION public.access_not_by_oneself() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    actor text := nullif(current_setting('audit.act', true), '')::json ->> 'actor_id';
BEGIN
    IF actor = 'user:' || (to_jsonb(NEW) ->> TG_ARGV[0]) AND (
        TG_OP = 'INSERT' OR TG_NARGS = 1 OR
        -- The columns that follow are the person's own to fill.
        (SELECT bool_or(one.value IS DISTINCT FROM to_jsonb(NEW) -> one.key)
         FROM jsonb_each(to_jsonb(OLD) - 'audit_seq' - 'audit_head' - TG_ARGV[1]) one)
    ) THEN
        RAISE EXCEPTION 'segregation of duties: % of % is not written by the person it is about',
            TG_OP, TG_TABLE_NAME USING ERRCODE = 'GM006';
    END IF;
    RETURN NEW;
END $$;

-- For other rooms' triggers: may this person sign at this moment, as far as identity goes?
CREATE FUNCTION public.access_identity_proven(person bigint, moment timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM public.access_identityproof proof
        WHERE proof.person_id = person AND proof.recorded_at <= moment
        AND (proof.withdrawn_at IS NULL OR proof.withdrawn_at > moment)
    )
$$;

CREATE FUNCTION public.access_versions_in_order() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- The lock on the procedure makes two versions at once see each other.
    PERFORM 1 FROM public.access_procedure WHERE id = NEW.procedure_id FOR UPDATE;
    IF EXISTS (
        SELECT FROM public.access_procedureversion other WHERE other.procedure_id = NEW.procedure_id
        AND (other.version >= NEW.version OR other.effective_from >= NEW.effective_from)
    ) THEN
        RAISE EXCEPTION 'a version of a procedure comes after all others' USING ERRCODE = 'GM002';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER versions_in_order BEFORE INSERT ON public.access_procedureversion
    FOR EACH ROW EXECUTE FUNCTION public.access_versions_in_order();
ALTER TABLE public.access_procedureversion ENABLE ALWAYS TRIGGER versions_in_order;

CREATE TRIGGER keep_as_recorded BEFORE UPDATE ON public.access_identityproof
    FOR EACH ROW EXECUTE FUNCTION public.access_keep_as_recorded('withdrawn_at', '?document');
CREATE TRIGGER not_by_oneself BEFORE INSERT OR UPDATE ON public.access_identityproof
    FOR EACH ROW EXECUTE FUNCTION public.access_not_by_oneself('person_id');
ALTER TABLE public.access_identityproof ENABLE ALWAYS TRIGGER keep_as_recorded,
    ENABLE ALWAYS TRIGGER not_by_oneself;

CREATE TRIGGER keep_as_recorded BEFORE UPDATE ON public.access_training
    FOR EACH ROW EXECUTE FUNCTION
    public.access_keep_as_recorded('acknowledged_at', 'withdrawn_at');
CREATE TRIGGER not_by_oneself BEFORE INSERT OR UPDATE ON public.access_training
    FOR EACH ROW EXECUTE FUNCTION public.access_not_by_oneself('person_id', 'acknowledged_at');
ALTER TABLE public.access_training ENABLE ALWAYS TRIGGER keep_as_recorded,
    ENABLE ALWAYS TRIGGER not_by_oneself;

CREATE TRIGGER keep_as_recorded BEFORE UPDATE ON public.access_procedure
    FOR EACH ROW EXECUTE FUNCTION public.access_keep_as_recorded('retired_at');
ALTER TABLE public.access_procedure ENABLE ALWAYS TRIGGER keep_as_recorded;

CREATE TRIGGER keep_as_recorded BEFORE UPDATE ON public.access_curriculum
    FOR EACH ROW EXECUTE FUNCTION public.access_keep_as_recorded('ended_at');
ALTER TABLE public.access_curriculum ENABLE ALWAYS TRIGGER keep_as_recorded;
"""
DROP = """
DROP TRIGGER keep_as_recorded ON public.access_curriculum;
DROP TRIGGER keep_as_recorded ON public.access_procedure;
DROP TRIGGER not_by_oneself ON public.access_training;
DROP TRIGGER keep_as_recorded ON public.access_training;
DROP TRIGGER not_by_oneself ON public.access_identityproof;
DROP TRIGGER keep_as_recorded ON public.access_identityproof;
DROP TRIGGER versions_in_order ON public.access_procedureversion;
DROP FUNCTION public.access_versions_in_order();
DROP FUNCTION public.access_identity_proven(bigint, timestamptz);
DROP FUNCTION public.access_not_by_oneself();
DROP FUNCTION public.access_keep_as_recorded();
"""


class Migration(migrations.Migration):
    dependencies = [("access", "0002_segregation")]
    operations = [migrations.RunSQL(CREATE, DROP)]
