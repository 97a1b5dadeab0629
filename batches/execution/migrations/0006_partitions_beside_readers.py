"""Make a month's partition without keeping anybody from reading the others meanwhile."""

from django.db import migrations

# To attach a table takes a lock that readers do not wait for; to create one as a partition does.
REPLACE = """
CREATE OR REPLACE FUNCTION public.execution_ensure_reading_partitions(
    first timestamptz, last timestamptz)
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    month timestamp := date_trunc('month', first AT TIME ZONE 'UTC');
    made integer := 0;
    name text;
BEGIN
    IF last - first > interval '400 days' THEN
        RAISE EXCEPTION 'one set of readings spans more than 400 days' USING ERRCODE = 'GM005';
    END IF;
    WHILE month <= last AT TIME ZONE 'UTC' LOOP
        name := 'public.execution_reading_' || to_char(month, 'YYYYMM');
        IF to_regclass(name) IS NULL THEN
            PERFORM pg_advisory_xact_lock(8423001);
            BEGIN
                EXECUTE format('CREATE TABLE %s (LIKE public.execution_reading INCLUDING ALL)', name);
                EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %s FROM gmp_app', name);
                EXECUTE format(
                    'ALTER TABLE public.execution_reading ATTACH PARTITION %s '
                    'FOR VALUES FROM (%L) TO (%L)', name,
                    month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
                made := made + 1;
            EXCEPTION WHEN duplicate_table THEN
                NULL;  -- made by the one whom this one waited for
            END;
        END IF;
        month := month + interval '1 month';
    END LOOP;
    RETURN made;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("execution", "0005_readings_once")]
    operations = [migrations.RunSQL(REPLACE, migrations.RunSQL.noop)]
