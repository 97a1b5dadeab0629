"""Let the database keep second factors and linked identities as they were recorded."""

from django.db import migrations

CREATE = """
CREATE FUNCTION public.signin_keep_as_enrolled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.removed_at IS NOT NULL AND (NEW.removed_at, NEW.removed_by)
            IS DISTINCT FROM (OLD.removed_at, OLD.removed_by)
        OR (NEW.person_id, NEW.kind, NEW.name, NEW.secret, NEW.credential_id, NEW.public_key,
            NEW.model_id, NEW.enrolled_at, NEW.tested_at)
        IS DISTINCT FROM (OLD.person_id, OLD.kind, OLD.name, OLD.secret, OLD.credential_id,
            OLD.public_key, OLD.model_id, OLD.enrolled_at, OLD.tested_at) THEN
        RAISE EXCEPTION 'a second factor is removed once, and never altered'
            USING ERRCODE = 'GM044';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_as_enrolled BEFORE UPDATE ON public.signin_secondfactor
    FOR EACH ROW EXECUTE FUNCTION public.signin_keep_as_enrolled();
ALTER TABLE public.signin_secondfactor ENABLE ALWAYS TRIGGER keep_as_enrolled;

CREATE FUNCTION public.signin_of_enrolled_factor() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- The lock makes a removal at the same moment wait, or this use see it.
    PERFORM 1 FROM public.signin_secondfactor
    WHERE id = NEW.factor_id AND removed_at IS NULL FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this second factor is not enrolled' USING ERRCODE = 'GM044';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER of_enrolled_factor BEFORE INSERT ON public.signin_factoruse
    FOR EACH ROW EXECUTE FUNCTION public.signin_of_enrolled_factor();
ALTER TABLE public.signin_factoruse ENABLE ALWAYS TRIGGER of_enrolled_factor;

CREATE FUNCTION public.signin_keep_as_linked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at
            OR (NEW.person_id, NEW.provider, NEW.subject, NEW.linked_at, NEW.linked_by)
            IS DISTINCT FROM
            (OLD.person_id, OLD.provider, OLD.subject, OLD.linked_at, OLD.linked_by) THEN
            RAISE EXCEPTION 'the link of an identity ends once, and is never altered'
                USING ERRCODE = 'GM044';
        END IF;
    ELSIF EXISTS (SELECT FROM public.signin_identitylink other WHERE other.provider = NEW.provider
                  AND other.subject = NEW.subject AND other.person_id <> NEW.person_id) THEN
        RAISE EXCEPTION 'this identity is, or was, another person''s' USING ERRCODE = 'GM044';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_as_linked BEFORE INSERT OR UPDATE ON public.signin_identitylink
    FOR EACH ROW EXECUTE FUNCTION public.signin_keep_as_linked();
ALTER TABLE public.signin_identitylink ENABLE ALWAYS TRIGGER keep_as_linked;
"""
DROP = """
DROP TRIGGER keep_as_linked ON public.signin_identitylink;
DROP FUNCTION public.signin_keep_as_linked();
DROP TRIGGER of_enrolled_factor ON public.signin_factoruse;
DROP FUNCTION public.signin_of_enrolled_factor();
DROP TRIGGER keep_as_enrolled ON public.signin_secondfactor;
DROP FUNCTION public.signin_keep_as_enrolled();
"""


class Migration(migrations.Migration):
    dependencies = [("signin", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
