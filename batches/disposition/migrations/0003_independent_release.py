"""Let nobody release what they made, certify what they released, or release what stands open."""

from django.db import migrations

CREATE = """
-- Who made or tested a batch (21 CFR 211.22; EU GMP 2.6): the makers do not judge their own work.
CREATE FUNCTION public.disposition_makers(of_batch bigint) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT DISTINCT person FROM (
        SELECT issued_by_id FROM public.execution_batch WHERE id = of_batch
        UNION ALL SELECT unnest(ARRAY[started_by_id, ended_by_id, verified_by_id])
            FROM public.execution_batchphase WHERE batch_id = of_batch
        UNION ALL SELECT unnest(ARRAY[recorded_by_id, witness_id])
            FROM public.execution_batchevent WHERE batch_id = of_batch
        UNION ALL SELECT unnest(ARRAY[performed_by_id, verified_by_id, witness_id])
            FROM public.execution_charge WHERE batch_id = of_batch
        UNION ALL SELECT unnest(ARRAY[performed_by_id, witness_id])
            FROM public.execution_equipmentassignment WHERE batch_id = of_batch
        UNION ALL SELECT unnest(ARRAY[performed_by_id, verified_by_id, witness_id])
            FROM public.execution_inprocessresult WHERE batch_id = of_batch
        UNION ALL SELECT unnest(ARRAY[performed_by_id, verified_by_id, witness_id])
            FROM public.execution_examination WHERE batch_id = of_batch
        UNION ALL SELECT unnest(ARRAY[performed_by_id, verified_by_id, witness_id])
            FROM public.execution_labeluse WHERE batch_id = of_batch
        UNION ALL SELECT computed_by_id
            FROM public.execution_calculation WHERE batch_id = of_batch
        UNION ALL SELECT unnest(ARRAY[r.entered_by_id, u.analyst_id])
            FROM public.laboratory_result r
            JOIN public.laboratory_sample s ON s.id = r.sample_id AND s.batch_id = of_batch
            LEFT JOIN public.laboratory_run u ON u.id = r.run_id
        UNION ALL SELECT t.analyst_id FROM public.laboratory_retest t
            JOIN public.laboratory_oosinvestigation o ON o.id = t.oos_id AND o.batch_id = of_batch
    ) AS made(person) WHERE person IS NOT NULL
$$;

-- What stands against a release in the batch's own records, in words; nothing where nothing does.
CREATE FUNCTION public.disposition_stands_against(of_batch bigint) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT string_agg(said, ', ' ORDER BY said) FROM (
        SELECT d.number || ' is ' || d.state FROM public.quality_deviation d
            JOIN public.execution_batch_deviations l ON l.deviation_id = d.id
            LEFT JOIN public.quality_deviation original ON original.id = d.duplicate_of_id
            WHERE l.batch_id = of_batch AND d.state <> 'closed'
            AND NOT (d.state = 'cancelled' AND original.state IS NOT DISTINCT FROM 'closed')
        UNION ALL SELECT o.number || ' stands' FROM public.laboratory_oosinvestigation o
            WHERE o.batch_id = of_batch
            AND NOT (o.state = 'closed' AND o.conclusion = 'invalidated')
        UNION ALL SELECT 'the batch is ' || b.state FROM public.execution_batch b
            WHERE b.id = of_batch AND b.state <> 'completed'
        UNION ALL SELECT 'phase ' || p."order" || ' is ' || p.state
            FROM public.execution_batchphase p WHERE p.batch_id = of_batch AND p.state <> 'done'
    ) AS found(said)
$$;

-- What may well come after a release stands against a new one: asked as the decision is written.
CREATE FUNCTION public.disposition_release_is_independent() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    said text;
BEGIN
    IF NEW.outcome NOT IN ('released', 'confirmed') OR public.quality_is_recovering(TG_RELID) THEN
        RETURN NEW;
    END IF;
    said := public.disposition_stands_against(NEW.batch_id);
    IF said IS NOT NULL THEN
        PERFORM public.disposition_refuse(format('batch %s is not released: %s', NEW.batch_id, said));
    END IF;
    IF (SELECT s.signer_id FROM public.signatures_signature s WHERE s.id = NEW.signature_id)
        IN (SELECT public.disposition_makers(NEW.batch_id)) THEN
        PERFORM public.disposition_refuse(format(
            'batch %s is released by somebody who made or tested it', NEW.batch_id));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER release_is_independent BEFORE INSERT ON public.disposition_decision
    FOR EACH ROW EXECUTE FUNCTION public.disposition_release_is_independent();
ALTER TABLE public.disposition_decision ENABLE ALWAYS TRIGGER release_is_independent;

CREATE OR REPLACE FUNCTION public.disposition_certificate_follows_release() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    last integer;
BEGIN
    PERFORM pg_advisory_xact_lock(1364214597);
    last := (SELECT coalesce(max(c.serial), 0) FROM public.disposition_certificate c);
    IF NEW.serial <> last + 1 OR NEW.number <> 'QPC-' || to_char(NEW.serial, 'FM000000') THEN
        PERFORM public.disposition_refuse(format(
            'the next certificate of the register is number %s', last + 1));
    END IF;
    IF NEW.decision_id IS DISTINCT FROM public.disposition_release_of(NEW.batch_id) THEN
        PERFORM public.disposition_refuse('a certificate rests on the release that holds');
    END IF;
    IF NOT EXISTS (
        SELECT FROM public.signatures_signature s, public.signatures_signature released
        JOIN public.disposition_decision d ON d.signature_id = released.id
        WHERE s.id = NEW.signature_id AND d.id = NEW.decision_id AND s.meaning = 'certified'
        AND s.record = 'execution_batch' AND s.record_id = NEW.batch_id::text
        AND s.record_digest = released.record_digest AND s.signer_id <> released.signer_id
    ) THEN
        PERFORM public.disposition_refuse('a certificate has the signature of a Qualified Person '
            'other than who released, under the record as released');
    END IF;
    -- Whoever released first is not another person for a release that somebody else has confirmed.
    IF EXISTS (
        SELECT FROM public.signatures_signature s
        JOIN public.disposition_decision d ON d.batch_id = NEW.batch_id
            AND d.outcome IN ('released', 'confirmed')
        JOIN public.signatures_signature released ON released.id = d.signature_id
        WHERE s.id = NEW.signature_id AND released.signer_id = s.signer_id
        AND d.id > coalesce((SELECT max(o.id) FROM public.disposition_decision o
            WHERE o.batch_id = NEW.batch_id AND o.outcome NOT IN ('released', 'confirmed')), 0)
    ) THEN
        PERFORM public.disposition_refuse('who released does not certify');
    END IF;
    RETURN NEW;
END $$;
"""
DROP = """
DROP TRIGGER release_is_independent ON public.disposition_decision;
DROP FUNCTION public.disposition_release_is_independent();
CREATE OR REPLACE FUNCTION public.disposition_certificate_follows_release() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    last integer;
BEGIN
    PERFORM pg_advisory_xact_lock(1364214597);
    last := (SELECT coalesce(max(c.serial), 0) FROM public.disposition_certificate c);
    IF NEW.serial <> last + 1 OR NEW.number <> 'QPC-' || to_char(NEW.serial, 'FM000000') THEN
        PERFORM public.disposition_refuse(format(
            'the next certificate of the register is number %s', last + 1));
    END IF;
    IF NEW.decision_id IS DISTINCT FROM public.disposition_release_of(NEW.batch_id) THEN
        PERFORM public.disposition_refuse('a certificate rests on the release that holds');
    END IF;
    IF NOT EXISTS (
        SELECT FROM public.signatures_signature s, public.signatures_signature released
        JOIN public.disposition_decision d ON d.signature_id = released.id
        WHERE s.id = NEW.signature_id AND d.id = NEW.decision_id AND s.meaning = 'certified'
        AND s.record = 'execution_batch' AND s.record_id = NEW.batch_id::text
        AND s.record_digest = released.record_digest AND s.signer_id <> released.signer_id
    ) THEN
        PERFORM public.disposition_refuse('a certificate has the signature of a Qualified Person '
            'other than who released, under the record as released');
    END IF;
    RETURN NEW;
END $$;
DROP FUNCTION public.disposition_stands_against(bigint);
DROP FUNCTION public.disposition_makers(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("disposition", "0002_guards"),
        ("execution", "0003_guards"),
        ("laboratory", "0003_guards_of_results_and_oos"),
        ("quality", "0002_guards"),
    ]
    operations = [migrations.RunSQL(CREATE, DROP)]
