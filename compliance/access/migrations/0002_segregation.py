"""Keep administration and GMP work apart in the database too (MHRA 2018, 6.16)."""

from django.db import migrations

CREATE = """
CREATE FUNCTION public.access_keep_duties_apart() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.ended_at IS NOT NULL THEN
        RETURN NEW;
    END IF;
    -- The lock on the person makes two grants at once see each other.
    PERFORM 1 FROM public.access_user WHERE id = NEW.user_id FOR UPDATE;
    IF EXISTS (
        SELECT FROM public.access_roleassignment other
        WHERE other.user_id = NEW.user_id AND other.ended_at IS NULL AND other.id <> NEW.id
        AND (other.role = 'system-administrator' OR NEW.role = 'system-administrator'
             OR other.role = 'auditor' OR NEW.role = 'auditor')
    ) THEN
        RAISE EXCEPTION 'segregation of duties: % cannot be held with another role', NEW.role
            USING ERRCODE = 'GM004';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_duties_apart BEFORE INSERT OR UPDATE ON public.access_roleassignment
    FOR EACH ROW EXECUTE FUNCTION public.access_keep_duties_apart();
ALTER TABLE public.access_roleassignment ENABLE ALWAYS TRIGGER keep_duties_apart;
"""
DROP = """
DROP TRIGGER keep_duties_apart ON public.access_roleassignment;
DROP FUNCTION public.access_keep_duties_apart();
"""


class Migration(migrations.Migration):
    dependencies = [("access", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
