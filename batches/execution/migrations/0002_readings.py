"""Make the time series of readings: partitioned by month, insert-only for the application.

`value` is numeric: the digits a source sent are the digits kept. Samples are not captured row by
row; their segment (a controlled record) seals them by its Merkle root.
"""

from django.db import migrations

CREATE = """
CREATE TABLE public.execution_reading (
    segment_id bigint NOT NULL REFERENCES public.execution_readingsegment,
    position integer NOT NULL,
    batch_id bigint NOT NULL,
    tag text NOT NULL,
    observed_at timestamptz NOT NULL,
    value numeric NOT NULL CHECK (value <> 'NaN'),
    unit text NOT NULL
) PARTITION BY RANGE (observed_at);
CREATE INDEX execution_reading_series ON public.execution_reading (batch_id, tag, observed_at);
CREATE INDEX execution_reading_segment ON public.execution_reading (segment_id, position);
REVOKE UPDATE, DELETE, TRUNCATE ON public.execution_reading FROM gmp_app;

CREATE FUNCTION public.execution_ensure_reading_partitions(first timestamptz, last timestamptz)
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    month timestamp := date_trunc('month', first AT TIME ZONE 'UTC');
    made integer := 0;
BEGIN
    IF last - first > interval '400 days' THEN
        RAISE EXCEPTION 'one set of readings spans more than 400 days' USING ERRCODE = 'GM005';
    END IF;
    WHILE month <= last AT TIME ZONE 'UTC' LOOP
        IF to_regclass('public.execution_reading_' || to_char(month, 'YYYYMM')) IS NULL THEN
            PERFORM pg_advisory_xact_lock(8423001);
            EXECUTE format(
                'CREATE TABLE IF NOT EXISTS public.execution_reading_%s PARTITION OF '
                'public.execution_reading FOR VALUES FROM (%L) TO (%L)',
                to_char(month, 'YYYYMM'),
                month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
            EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON public.execution_reading_%s FROM gmp_app',
                to_char(month, 'YYYYMM'));
            made := made + 1;
        END IF;
        month := month + interval '1 month';
    END LOOP;
    RETURN made;
END $$;
REVOKE ALL ON FUNCTION public.execution_ensure_reading_partitions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.execution_ensure_reading_partitions TO gmp_app;
"""
DROP = """
DROP FUNCTION public.execution_ensure_reading_partitions(timestamptz, timestamptz);
DROP TABLE public.execution_reading;
"""


class Migration(migrations.Migration):
    dependencies = [("execution", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
