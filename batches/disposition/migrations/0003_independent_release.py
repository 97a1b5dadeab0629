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

CREATE OR REPLACE FUNCTION public.disposition_demand_decided(of_batch bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    state text := (SELECT b.disposition FROM public.execution_batch b WHERE b.id = of_batch);
    found record;
    expected text;
    said text;
BEGIN
    SELECT d.outcome, d.review_id, s.record, s.record_id, s.meaning, s.record_digest, s.signer_id
        INTO found
    FROM public.disposition_decision d JOIN public.signatures_signature s ON s.id = d.signature_id
    WHERE d.batch_id = of_batch ORDER BY d.id DESC LIMIT 1;
    expected := CASE found.outcome
        WHEN 'released' THEN 'released' WHEN 'confirmed' THEN 'released'
        WHEN 'rejected' THEN 'rejected' WHEN 'held' THEN 'held' WHEN 'lifted' THEN 'pending'
        WHEN 'rework' THEN 'rework' WHEN 'reworked' THEN 'pending'
        WHEN 'recalled' THEN 'recalled' ELSE 'pending' END;
    IF state <> expected THEN
        PERFORM public.disposition_refuse(format(
            'batch %s is %s, and its newest decision says %s', of_batch, state, expected));
    END IF;
    IF found.outcome IS NULL THEN
        RETURN;
    END IF;
    IF found.record <> 'execution_batch' OR found.record_id <> of_batch::text
        OR found.meaning <> (CASE found.outcome
            WHEN 'released' THEN 'released' WHEN 'confirmed' THEN 'released'
            WHEN 'rejected' THEN 'rejected' ELSE 'approved' END)
    THEN
        PERFORM public.disposition_refuse(format(
            'the decision about batch %s has the signature of something else', of_batch));
    END IF;
    IF found.outcome IN ('released', 'confirmed') AND NOT EXISTS (
        SELECT FROM public.disposition_batchreview r
        JOIN public.signatures_signature s ON s.id = r.signature_id
        WHERE r.id = found.review_id AND r.batch_id = of_batch
        AND r.content_digest = found.record_digest AND s.record_digest = found.record_digest
        AND s.record = 'execution_batch' AND s.record_id = of_batch::text AND s.meaning = 'reviewed'
    ) THEN
        PERFORM public.disposition_refuse(format(
            'batch %s is released as something that nobody reviewed', of_batch));
    END IF;
    -- Whether the review of the trail is of all entries, the domain asks; that there is one, this.
    IF found.outcome IN ('released', 'confirmed') AND NOT EXISTS (
        SELECT FROM public.quality_trailreview t JOIN public.execution_batch b ON b.number = t.name
        WHERE b.id = of_batch AND t.kind = 'batch' AND t.state = 'concluded'
    ) THEN
        PERFORM public.disposition_refuse(format(
            'batch %s is released without a review of its audit trail', of_batch));
    END IF;
    -- What may well come after a release stands against a new one. Rows that a recovery writes back
    -- come in their last state, with what followed.
    IF found.outcome IN ('released', 'confirmed')
        AND NOT public.quality_is_recovering('public.execution_batch'::regclass) THEN
        said := public.disposition_stands_against(of_batch);
        IF said IS NOT NULL THEN
            PERFORM public.disposition_refuse(format('batch %s is not released: %s', of_batch, said));
        END IF;
        IF found.signer_id IN (SELECT public.disposition_makers(of_batch)) THEN
            PERFORM public.disposition_refuse(format(
                'batch %s is released by somebody who made or tested it', of_batch));
        END IF;
    END IF;
END $$;

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
CREATE OR REPLACE FUNCTION public.disposition_demand_decided(of_batch bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    state text := (SELECT b.disposition FROM public.execution_batch b WHERE b.id = of_batch);
    found record;
    expected text;
BEGIN
    SELECT d.outcome, d.review_id, s.record, s.record_id, s.meaning, s.record_digest INTO found
    FROM public.disposition_decision d JOIN public.signatures_signature s ON s.id = d.signature_id
    WHERE d.batch_id = of_batch ORDER BY d.id DESC LIMIT 1;
    expected := CASE found.outcome
        WHEN 'released' THEN 'released' WHEN 'confirmed' THEN 'released'
        WHEN 'rejected' THEN 'rejected' WHEN 'held' THEN 'held' WHEN 'lifted' THEN 'pending'
        WHEN 'rework' THEN 'rework' WHEN 'reworked' THEN 'pending'
        WHEN 'recalled' THEN 'recalled' ELSE 'pending' END;
    IF state <> expected THEN
        PERFORM public.disposition_refuse(format(
            'batch %s is %s, and its newest decision says %s', of_batch, state, expected));
    END IF;
    IF found.outcome IS NULL THEN
        RETURN;
    END IF;
    IF found.record <> 'execution_batch' OR found.record_id <> of_batch::text
        OR found.meaning <> (CASE found.outcome
            WHEN 'released' THEN 'released' WHEN 'confirmed' THEN 'released'
            WHEN 'rejected' THEN 'rejected' ELSE 'approved' END)
    THEN
        PERFORM public.disposition_refuse(format(
            'the decision about batch %s has the signature of something else', of_batch));
    END IF;
    IF found.outcome IN ('released', 'confirmed') AND NOT EXISTS (
        SELECT FROM public.disposition_batchreview r
        JOIN public.signatures_signature s ON s.id = r.signature_id
        WHERE r.id = found.review_id AND r.batch_id = of_batch
        AND r.content_digest = found.record_digest AND s.record_digest = found.record_digest
        AND s.record = 'execution_batch' AND s.record_id = of_batch::text AND s.meaning = 'reviewed'
    ) THEN
        PERFORM public.disposition_refuse(format(
            'batch %s is released as something that nobody reviewed', of_batch));
    END IF;
    -- Whether the review of the trail is of all entries, the domain asks; that there is one, this.
    IF found.outcome IN ('released', 'confirmed') AND NOT EXISTS (
        SELECT FROM public.quality_trailreview t JOIN public.execution_batch b ON b.number = t.name
        WHERE b.id = of_batch AND t.kind = 'batch' AND t.state = 'concluded'
    ) THEN
        PERFORM public.disposition_refuse(format(
            'batch %s is released without a review of its audit trail', of_batch));
    END IF;
END $$;
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
