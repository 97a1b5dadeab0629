"""Give rules that are told apart codes of their own: GM006, the own matter; GM007, the password."""

from django.db import migrations

FUNCTIONS = """
CREATE OR REPLACE FUNCTION public.access_not_by_oneself() RETURNS trigger
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
            TG_OP, TG_TABLE_NAME USING ERRCODE = '<matter>';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION public.access_password_own() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    actor text := nullif(current_setting('audit.act', true), '')::json ->> 'actor_id';
BEGIN
    IF actor NOT LIKE 'user:%' OR actor = 'user:' || NEW.id OR NEW.must_change_password THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' THEN
        RAISE EXCEPTION 'the first password of % must be changed by its owner', NEW.username
            USING ERRCODE = '<password>';
    END IF;
    IF NEW.password <> OLD.password OR OLD.must_change_password THEN
        RAISE EXCEPTION 'a password of % that another set must be changed by its owner',
            NEW.username USING ERRCODE = '<password>';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION public.access_not_by_the_concerned() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    actor text := nullif(current_setting('audit.act', true), '')::json ->> 'actor_id';
BEGIN
    IF actor IN (NEW.about_id, NEW.caused_by_id)
        OR 'user:' || NEW.acknowledged_by_id IN (NEW.about_id, NEW.caused_by_id)
    THEN
        RAISE EXCEPTION 'segregation of duties: nobody acknowledges an alarm about themselves'
            USING ERRCODE = '<matter>';
    END IF;
    RETURN NEW;
END $$;
"""


def _with(*, matter: str, password: str) -> str:
    return FUNCTIONS.replace("<matter>", matter).replace("<password>", password)


class Migration(migrations.Migration):
    dependencies = [("access", "0004_more_guards")]

    operations = [
        migrations.RunSQL(
            _with(matter="GM006", password="GM007"),  # noqa: S106 -- the code of a rule
            reverse_sql=_with(matter="GM004", password="GM004"),  # noqa: S106
        )
    ]
