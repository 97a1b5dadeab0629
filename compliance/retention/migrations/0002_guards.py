"""Hold the rules of retention in the database too: two persons, and no step left out."""

from django.db import migrations

CREATE = """
CREATE FUNCTION public.retention_refuse(said text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', said USING ERRCODE = 'GM011';
END $$;

CREATE FUNCTION public.retention_policy_moves() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'draft' THEN
            PERFORM public.retention_refuse('a retention policy begins as a draft');
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.state <> OLD.state
        AND (OLD.state, NEW.state) NOT IN (('draft', 'effective'), ('effective', 'superseded'))
    THEN
        PERFORM public.retention_refuse(format(
            'retention policy %s is %s and cannot become %s', OLD.version, OLD.state, NEW.state));
    END IF;
    IF (NEW.version, NEW.summary, NEW.author_id, NEW.drafted_at)
        IS DISTINCT FROM (OLD.version, OLD.summary, OLD.author_id, OLD.drafted_at)
        OR OLD.state <> 'draft' AND (NEW.approver_id, NEW.effective_at)
            IS DISTINCT FROM (OLD.approver_id, OLD.effective_at)
    THEN
        PERFORM public.retention_refuse('a retention policy is replaced by its next version');
    END IF;
    IF NEW.state = 'effective' AND OLD.state = 'draft' AND NOT EXISTS (
        SELECT FROM public.signatures_signature s
        WHERE s.record = 'retention_retentionpolicy' AND s.record_id = NEW.id::text
        AND s.meaning = 'approved' AND s.signer_id = NEW.approver_id
    ) THEN
        PERFORM public.retention_refuse('a retention policy becomes effective by signature');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER retention_policy_moves BEFORE INSERT OR UPDATE ON public.retention_retentionpolicy
    FOR EACH ROW EXECUTE FUNCTION public.retention_policy_moves();

CREATE FUNCTION public.retention_rule_of_draft() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found text;
BEGIN
    SELECT p.state INTO found FROM public.retention_retentionpolicy p
    WHERE p.id = NEW.policy_id FOR SHARE;
    IF found IS DISTINCT FROM 'draft' THEN
        PERFORM public.retention_refuse('rules are added to the draft of a policy only');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER retention_rule_of_draft BEFORE INSERT ON public.retention_retentionrule
    FOR EACH ROW EXECUTE FUNCTION public.retention_rule_of_draft();

-- Who signs is somebody other than who asked, and signs this very hold.
CREATE FUNCTION public.retention_demand_second(hold bigint, signature bigint, first bigint)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.signatures_signature s WHERE s.id = signature
        AND s.record = 'retention_legalhold' AND s.record_id = hold::text
        AND s.meaning = 'approved' AND s.signer_id <> first
    ) THEN
        PERFORM public.retention_refuse('a legal hold has the signature of a second person');
    END IF;
END $$;

CREATE FUNCTION public.retention_legal_hold_moves() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'requested' OR NEW.placed_signature_id IS NOT NULL
            OR NEW.lift_signature_id IS NOT NULL OR NEW.lift_requested_by_id IS NOT NULL
        THEN
            PERFORM public.retention_refuse('a legal hold begins with a request');
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.number, NEW.title, NEW.reason, NEW.requested_by_id, NEW.requested_at) IS DISTINCT FROM
        (OLD.number, OLD.title, OLD.reason, OLD.requested_by_id, OLD.requested_at)
    THEN
        PERFORM public.retention_refuse('what a legal hold says is not altered');
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('requested', 'placed'), ('placed', 'lift-requested'), ('lift-requested', 'lifted')
    ) THEN
        PERFORM public.retention_refuse(format(
            'legal hold %s is %s and cannot become %s', OLD.number, OLD.state, NEW.state));
    END IF;
    IF NEW.state <> OLD.state AND NEW.state = 'placed' THEN
        PERFORM public.retention_demand_second(NEW.id, NEW.placed_signature_id, NEW.requested_by_id);
    ELSIF NEW.placed_signature_id IS DISTINCT FROM OLD.placed_signature_id THEN
        PERFORM public.retention_refuse('the signature that placed a hold is not altered');
    END IF;
    IF NEW.state <> OLD.state AND NEW.state = 'lifted' THEN
        PERFORM public.retention_demand_second(
            NEW.id, NEW.lift_signature_id, NEW.lift_requested_by_id);
    ELSIF NEW.lift_signature_id IS DISTINCT FROM OLD.lift_signature_id THEN
        PERFORM public.retention_refuse('a hold is lifted by signature, once');
    END IF;
    IF (NEW.lift_reason, NEW.lift_requested_by_id, NEW.lift_requested_at) IS DISTINCT FROM
        (OLD.lift_reason, OLD.lift_requested_by_id, OLD.lift_requested_at)
        AND NOT (OLD.state = 'placed' AND NEW.state = 'lift-requested')
    THEN
        PERFORM public.retention_refuse('who asked to lift a hold, and why, is not altered');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER legal_hold_moves BEFORE INSERT OR UPDATE ON public.retention_legalhold
    FOR EACH ROW EXECUTE FUNCTION public.retention_legal_hold_moves();

CREATE FUNCTION public.retention_held_record_of_request() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found text;
BEGIN
    SELECT h.state INTO found FROM public.retention_legalhold h WHERE h.id = NEW.hold_id FOR SHARE;
    IF found IS DISTINCT FROM 'requested' THEN
        PERFORM public.retention_refuse('records are named when a hold is requested');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER held_record_of_request BEFORE INSERT ON public.retention_heldrecord
    FOR EACH ROW EXECUTE FUNCTION public.retention_held_record_of_request();

ALTER TABLE public.retention_retentionpolicy ENABLE ALWAYS TRIGGER retention_policy_moves;
ALTER TABLE public.retention_retentionrule ENABLE ALWAYS TRIGGER retention_rule_of_draft;
ALTER TABLE public.retention_legalhold ENABLE ALWAYS TRIGGER legal_hold_moves;
ALTER TABLE public.retention_heldrecord ENABLE ALWAYS TRIGGER held_record_of_request;
"""
DROP = """
DROP TRIGGER held_record_of_request ON public.retention_heldrecord;
DROP TRIGGER legal_hold_moves ON public.retention_legalhold;
DROP TRIGGER retention_rule_of_draft ON public.retention_retentionrule;
DROP TRIGGER retention_policy_moves ON public.retention_retentionpolicy;
DROP FUNCTION public.retention_held_record_of_request();
DROP FUNCTION public.retention_legal_hold_moves();
DROP FUNCTION public.retention_demand_second(bigint, bigint, bigint);
DROP FUNCTION public.retention_rule_of_draft();
DROP FUNCTION public.retention_policy_moves();
DROP FUNCTION public.retention_refuse(text);
"""


class Migration(migrations.Migration):
    dependencies = [("retention", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
