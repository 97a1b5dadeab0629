"""Hold the rules of stability studies and complaints in the database too (211.166, 211.198)."""

from django.db import migrations

CREATE = """
CREATE FUNCTION public.laboratory_study_states() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'planned' THEN
            RAISE EXCEPTION 'a study begins as a plan' USING ERRCODE = '23514';
        END IF;
        RETURN NEW;
    END IF;
    IF NOT (OLD.state, NEW.state) IN (('planned', 'running'), ('running', 'completed'))
        OR to_jsonb(NEW) - ARRAY['state', 'approver_id', 'approved_at']
            <> to_jsonb(OLD) - ARRAY['state', 'approver_id', 'approved_at']
        OR OLD.state <> 'planned' AND NEW.approver_id <> OLD.approver_id THEN
        RAISE EXCEPTION 'a study is approved, and completed; nothing else of it changes'
            USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER follow_states BEFORE INSERT OR UPDATE ON public.laboratory_stabilitystudy
    FOR EACH ROW EXECUTE FUNCTION public.laboratory_study_states();
ALTER TABLE public.laboratory_stabilitystudy ENABLE ALWAYS TRIGGER follow_states;

CREATE FUNCTION public.laboratory_pull_states() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    study text;
BEGIN
    SELECT state INTO study FROM public.laboratory_stabilitystudy WHERE id = NEW.study_id FOR SHARE;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'planned' OR study <> 'planned' THEN
            RAISE EXCEPTION 'pulls are planned with their study' USING ERRCODE = '23514';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state <> 'planned' OR study <> 'running'
        OR to_jsonb(NEW) - ARRAY['state', 'pulled_at', 'pulled_by', 'remark']
            <> to_jsonb(OLD) - ARRAY['state', 'pulled_at', 'pulled_by', 'remark'] THEN
        RAISE EXCEPTION 'a pull is recorded once, while its study runs' USING ERRCODE = '23514';
    END IF;
    IF NEW.state = 'pulled' AND NEW.remark = '' AND NOT
        (NEW.pulled_at AT TIME ZONE 'UTC')::date BETWEEN NEW.opens_on AND NEW.closes_on THEN
        RAISE EXCEPTION 'a pull outside its window says why' USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER follow_states BEFORE INSERT OR UPDATE ON public.laboratory_stabilitypull
    FOR EACH ROW EXECUTE FUNCTION public.laboratory_pull_states();
ALTER TABLE public.laboratory_stabilitypull ENABLE ALWAYS TRIGGER follow_states;

CREATE FUNCTION public.laboratory_judge_stability() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.laboratory_stabilitypull p
        JOIN public.laboratory_stabilitystudy s ON s.id = p.study_id
        JOIN public.laboratory_specificationtest t ON t.version_id = s.specification_id
        WHERE p.id = NEW.pull_id AND p.state = 'pulled' AND t.id = NEW.test_id
    ) THEN
        RAISE EXCEPTION 'a stability result is of a pulled sample, by a test of its study'
            USING ERRCODE = '23514';
    END IF;
    IF NOT public.laboratory_is_rounded(NEW.test_id, NEW.judged_value, NEW.value) THEN
        RAISE EXCEPTION 'the judged value is not the reported one, rounded as declared'
            USING ERRCODE = '23514';
    END IF;
    IF NEW.judgement <> 'oos'
        AND public.laboratory_is_outside(NEW.test_id, NEW.judged_value, NEW.value_text) THEN
        RAISE EXCEPTION 'a value outside its limits is out of specification'
            USING ERRCODE = '23514';
    END IF;
    IF EXISTS (
        SELECT FROM public.laboratory_oosinvestigation o
        JOIN public.laboratory_stabilityresult r ON r.id = o.stability_result_id
        WHERE r.pull_id = NEW.pull_id AND r.test_id = NEW.test_id
        AND NOT (o.state = 'closed' AND o.conclusion = 'invalidated')
    ) THEN
        RAISE EXCEPTION 'the OOS stands: its result is neither corrected nor averaged away'
            USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER judged_and_allowed BEFORE INSERT ON public.laboratory_stabilityresult
    FOR EACH ROW EXECUTE FUNCTION public.laboratory_judge_stability();
ALTER TABLE public.laboratory_stabilityresult ENABLE ALWAYS TRIGGER judged_and_allowed;

CREATE FUNCTION public.laboratory_stability_oos() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.laboratory_oosinvestigation WHERE stability_result_id = NEW.id
    ) THEN
        RAISE EXCEPTION 'an OOS result has its investigation in the same act'
            USING ERRCODE = '23514';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER oos_is_investigated AFTER INSERT ON public.laboratory_stabilityresult
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.judgement = 'oos')
    EXECUTE FUNCTION public.laboratory_stability_oos();
ALTER TABLE public.laboratory_stabilityresult ENABLE ALWAYS TRIGGER oos_is_investigated;

CREATE FUNCTION public.laboratory_stability_review() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM public.laboratory_stabilityresult
            WHERE id = NEW.result_id AND entered_by_id = NEW.reviewer_id)
        OR NOT EXISTS (SELECT FROM public.signatures_signature s WHERE s.id = NEW.signature_id
            AND s.record = 'laboratory_stabilityresult' AND s.record_id = NEW.result_id::text
            AND s.signer_id = NEW.reviewer_id AND s.meaning = 'reviewed') THEN
        RAISE EXCEPTION 'a second person reviews a result, by signature' USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reviewed_by_another BEFORE INSERT ON public.laboratory_stabilityreview
    FOR EACH ROW EXECUTE FUNCTION public.laboratory_stability_review();
ALTER TABLE public.laboratory_stabilityreview ENABLE ALWAYS TRIGGER reviewed_by_another;

CREATE FUNCTION public.laboratory_complaint_states() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'open' THEN
            RAISE EXCEPTION 'a complaint begins open' USING ERRCODE = '23514';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state = 'closed' AND to_jsonb(NEW) - ARRAY['complainant', 'audit_seq', 'audit_head']
        <> to_jsonb(OLD) - ARRAY['complainant', 'audit_seq', 'audit_head'] THEN
        RAISE EXCEPTION 'a closed complaint does not change' USING ERRCODE = '23514';
    END IF;
    IF OLD.state <> NEW.state AND NOT (OLD.state, NEW.state) IN
        (('open', 'investigated'), ('investigated', 'closed')) THEN
        RAISE EXCEPTION 'a complaint that is % does not become %', OLD.state, NEW.state
            USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER follow_states BEFORE INSERT OR UPDATE ON public.laboratory_complaint
    FOR EACH ROW EXECUTE FUNCTION public.laboratory_complaint_states();
ALTER TABLE public.laboratory_complaint ENABLE ALWAYS TRIGGER follow_states;
"""
DROP = """
DROP TRIGGER follow_states ON public.laboratory_complaint;
DROP TRIGGER reviewed_by_another ON public.laboratory_stabilityreview;
DROP TRIGGER oos_is_investigated ON public.laboratory_stabilityresult;
DROP TRIGGER judged_and_allowed ON public.laboratory_stabilityresult;
DROP TRIGGER follow_states ON public.laboratory_stabilitypull;
DROP TRIGGER follow_states ON public.laboratory_stabilitystudy;
DROP FUNCTION public.laboratory_complaint_states();
DROP FUNCTION public.laboratory_stability_review();
DROP FUNCTION public.laboratory_stability_oos();
DROP FUNCTION public.laboratory_judge_stability();
DROP FUNCTION public.laboratory_pull_states();
DROP FUNCTION public.laboratory_study_states();
"""


class Migration(migrations.Migration):
    dependencies = [("laboratory", "0003_guards_of_results_and_oos")]
    operations = [migrations.RunSQL(CREATE, DROP)]
