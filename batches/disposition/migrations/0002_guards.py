"""Hold the rules of disposition in the database too: states, decisions, certificates, shipments."""

from django.db import migrations

# Each function says GM010. `record`, `record_id` of a signature are as the trail names records.
FUNCTIONS = """
CREATE FUNCTION public.disposition_refuse(said text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', said USING ERRCODE = 'GM010';
END $$;

CREATE FUNCTION public.disposition_moves() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.disposition <> 'pending' THEN
            PERFORM public.disposition_refuse('a batch begins without a disposition');
        END IF;
    ELSIF NEW.disposition <> OLD.disposition AND (OLD.disposition, NEW.disposition) NOT IN (
        ('pending', 'held'), ('pending', 'released'), ('pending', 'rejected'), ('pending', 'rework'),
        ('held', 'pending'), ('held', 'rejected'), ('held', 'recalled'),
        ('rework', 'pending'), ('rework', 'held'), ('rework', 'rejected'),
        ('released', 'held'), ('released', 'recalled'), ('recalled', 'rejected')
    ) THEN
        PERFORM public.disposition_refuse(format(
            'batch %s is %s and cannot become %s', NEW.number, OLD.disposition, NEW.disposition));
    END IF;
    RETURN NEW;
END $$;

-- A batch is what its newest decision says, and that decision is signed under this batch; a
-- release also has a review of the very same content.
CREATE FUNCTION public.disposition_demand_decided(of_batch bigint) RETURNS void
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

CREATE FUNCTION public.disposition_batch_decided() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM public.disposition_demand_decided(NEW.id);
    RETURN NULL;
END $$;
CREATE FUNCTION public.disposition_decision_moves_batch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM public.disposition_demand_decided(NEW.batch_id);
    RETURN NULL;
END $$;

-- The release that holds: the newest decision of a released batch. It waits for a decision under way.
CREATE FUNCTION public.disposition_release_of(of_batch bigint) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    state text;
BEGIN
    SELECT b.disposition INTO state FROM public.execution_batch b WHERE b.id = of_batch FOR SHARE;
    IF state IS DISTINCT FROM 'released' THEN
        PERFORM public.disposition_refuse(format('batch %s is %s, not released', of_batch, state));
    END IF;
    RETURN (SELECT d.id FROM public.disposition_decision d
        WHERE d.batch_id = of_batch ORDER BY d.id DESC LIMIT 1);
END $$;

CREATE FUNCTION public.disposition_certificate_follows_release() RETURNS trigger
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

CREATE FUNCTION public.disposition_shipment_follows_release() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.decision_id IS DISTINCT FROM public.disposition_release_of(NEW.batch_id) THEN
        PERFORM public.disposition_refuse('a shipment rests on the release that holds');
    END IF;
    IF NEW.certificate_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM public.disposition_certificate c
        WHERE c.id = NEW.certificate_id AND c.decision_id = NEW.decision_id
    ) THEN
        PERFORM public.disposition_refuse('the certificate is not about this release');
    END IF;
    RETURN NEW;
END $$;
"""
TRIGGERS = """
CREATE TRIGGER disposition_moves BEFORE INSERT OR UPDATE ON public.execution_batch
    FOR EACH ROW EXECUTE FUNCTION public.disposition_moves();
CREATE CONSTRAINT TRIGGER disposition_decided
    AFTER INSERT OR UPDATE OF disposition ON public.execution_batch DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION public.disposition_batch_decided();
CREATE CONSTRAINT TRIGGER decision_moves_batch
    AFTER INSERT ON public.disposition_decision DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION public.disposition_decision_moves_batch();
CREATE TRIGGER certificate_follows_release BEFORE INSERT ON public.disposition_certificate
    FOR EACH ROW EXECUTE FUNCTION public.disposition_certificate_follows_release();
CREATE TRIGGER shipment_follows_release BEFORE INSERT ON public.disposition_shipment
    FOR EACH ROW EXECUTE FUNCTION public.disposition_shipment_follows_release();
ALTER TABLE public.execution_batch ENABLE ALWAYS TRIGGER disposition_moves,
    ENABLE ALWAYS TRIGGER disposition_decided;
ALTER TABLE public.disposition_decision ENABLE ALWAYS TRIGGER decision_moves_batch;
ALTER TABLE public.disposition_certificate ENABLE ALWAYS TRIGGER certificate_follows_release;
ALTER TABLE public.disposition_shipment ENABLE ALWAYS TRIGGER shipment_follows_release;
"""
DROP = """
DROP TRIGGER shipment_follows_release ON public.disposition_shipment;
DROP TRIGGER certificate_follows_release ON public.disposition_certificate;
DROP TRIGGER decision_moves_batch ON public.disposition_decision;
DROP TRIGGER disposition_decided ON public.execution_batch;
DROP TRIGGER disposition_moves ON public.execution_batch;
DROP FUNCTION public.disposition_shipment_follows_release();
DROP FUNCTION public.disposition_certificate_follows_release();
DROP FUNCTION public.disposition_release_of(bigint);
DROP FUNCTION public.disposition_decision_moves_batch();
DROP FUNCTION public.disposition_batch_decided();
DROP FUNCTION public.disposition_demand_decided(bigint);
DROP FUNCTION public.disposition_moves();
DROP FUNCTION public.disposition_refuse(text);
"""


class Migration(migrations.Migration):
    dependencies = [("disposition", "0001_initial"), ("quality", "0001_initial")]
    operations = [migrations.RunSQL(FUNCTIONS + TRIGGERS, DROP)]
