"""Store each sample once, keep what is in conflict with it beside, and find times by BRIN.

A database that has two values of one tag at one moment stops here: the index names the first pair.
"""

from django.db import migrations

CREATE = """
CREATE UNIQUE INDEX execution_reading_once
    ON public.execution_reading (batch_id, tag, observed_at);
DROP INDEX public.execution_reading_series;
CREATE INDEX execution_reading_time ON public.execution_reading
    USING brin (observed_at) WITH (pages_per_range = 32);
-- Samples are on their way before their segment has its root; at the commit it is there.
ALTER TABLE public.execution_reading ALTER CONSTRAINT execution_reading_segment_id_fkey
    DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE public.execution_readingconflict (
    segment_id bigint NOT NULL
        REFERENCES public.execution_readingsegment DEFERRABLE INITIALLY DEFERRED,
    position integer NOT NULL,
    batch_id bigint NOT NULL,
    tag text NOT NULL,
    observed_at timestamptz NOT NULL,
    value numeric NOT NULL CHECK (value <> 'NaN'),
    unit text NOT NULL,
    PRIMARY KEY (segment_id, position)
);
CREATE INDEX execution_readingconflict_series
    ON public.execution_readingconflict (batch_id, tag, observed_at);
REVOKE UPDATE, DELETE, TRUNCATE ON public.execution_readingconflict FROM gmp_app;
"""
DROP = """
DROP TABLE public.execution_readingconflict;
ALTER TABLE public.execution_reading ALTER CONSTRAINT execution_reading_segment_id_fkey
    NOT DEFERRABLE;
DROP INDEX public.execution_reading_time;
CREATE INDEX execution_reading_series ON public.execution_reading (batch_id, tag, observed_at);
DROP INDEX public.execution_reading_once;
"""


class Migration(migrations.Migration):
    dependencies = [("execution", "0004_guards_of_material_accounts")]
    operations = [migrations.RunSQL(CREATE, DROP)]
