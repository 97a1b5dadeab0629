"""Hold what is tested to what is reported: samples stand, injections count once, analysts keep out."""

from django.db import migrations

CREATE = """
-- A sample that a person registered after the OOS is later than it, whatever time it names.
CREATE OR REPLACE FUNCTION public.laboratory_judge_result() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sample public.laboratory_sample;
    standing text;
BEGIN
    IF NEW.test_id IS DISTINCT FROM public.laboratory_test_of(NEW.sample_id, NEW.tag) THEN
        RAISE EXCEPTION 'the result is judged by another test than its specification says'
            USING ERRCODE = '23514';
    END IF;
    IF NEW.run_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM public.laboratory_run WHERE id = NEW.run_id AND suitability = 'passed'
        AND state IN ('running', 'completed')
    ) THEN
        RAISE EXCEPTION 'system suitability passes before results of a run are reported'
            USING ERRCODE = '23514';
    END IF;
    IF NEW.test_id IS NULL THEN
        RETURN NEW;
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
    SELECT * INTO sample FROM public.laboratory_sample WHERE id = NEW.sample_id;
    SELECT o.number INTO standing
    FROM public.laboratory_oosinvestigation o
    JOIN public.laboratory_result r ON r.id = o.result_id
    WHERE NOT (o.state = 'closed' AND o.conclusion = 'invalidated') AND (
        (r.sample_id = NEW.sample_id AND r.tag = NEW.tag)
        OR (o.batch_id = sample.batch_id AND o.test_id = NEW.test_id
            AND (greatest(sample.taken_at, sample.registered_at) > o.opened_at
                OR sample.parent_id IS NOT NULL))
    ) LIMIT 1;
    IF standing IS NOT NULL THEN
        RAISE EXCEPTION '% stands: its result is neither corrected nor averaged away', standing
            USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION public.laboratory_keep_sample() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.batch_id, NEW.number, NEW.point, NEW.taken_at, NEW.taken_by, NEW.registered_at,
        NEW.source_id, NEW.parent_id) IS DISTINCT FROM (OLD.batch_id, OLD.number, OLD.point,
        OLD.taken_at, OLD.taken_by, OLD.registered_at, OLD.source_id, OLD.parent_id) THEN
        RAISE EXCEPTION 'a sample stays as it was taken' USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_sample BEFORE UPDATE ON public.laboratory_sample
    FOR EACH ROW EXECUTE FUNCTION public.laboratory_keep_sample();
ALTER TABLE public.laboratory_sample ENABLE ALWAYS TRIGGER keep_sample;

CREATE FUNCTION public.laboratory_of_own_injection() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.injection_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM public.laboratory_injection i
        JOIN public.laboratory_result r ON r.run_id = i.run_id AND r.sample_id = i.sample_id
        WHERE i.id = NEW.injection_id AND r.id = NEW.result_id AND i.outcome = 'completed'
    ) THEN
        RAISE EXCEPTION 'a determination is of a completed injection of its sample in its run'
            USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER of_own_injection BEFORE INSERT ON public.laboratory_replicate
    FOR EACH ROW EXECUTE FUNCTION public.laboratory_of_own_injection();
ALTER TABLE public.laboratory_replicate ENABLE ALWAYS TRIGGER of_own_injection;

-- Whoever obtained a result neither leads its investigation nor closes it.
CREATE FUNCTION public.laboratory_analyst_keeps_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM public.laboratory_result r
        LEFT JOIN public.laboratory_run u ON u.id = r.run_id
        JOIN public.access_user p ON p.id IN (NEW.investigator_id, NEW.approver_id)
        WHERE r.id = NEW.result_id AND (p.id = r.entered_by_id OR p.id = u.analyst_id
            OR lower(r.analyst) IN (lower(p.username), lower(p.full_name)))
    ) OR EXISTS (
        SELECT FROM public.laboratory_stabilityresult r WHERE r.id = NEW.stability_result_id
        AND r.entered_by_id IN (NEW.investigator_id, NEW.approver_id)
    ) THEN
        RAISE EXCEPTION '%: its analyst neither leads nor closes it', NEW.number
            USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER analyst_keeps_out BEFORE INSERT OR UPDATE ON public.laboratory_oosinvestigation
    FOR EACH ROW EXECUTE FUNCTION public.laboratory_analyst_keeps_out();
ALTER TABLE public.laboratory_oosinvestigation ENABLE ALWAYS TRIGGER analyst_keeps_out;
"""
DROP = """
DROP TRIGGER analyst_keeps_out ON public.laboratory_oosinvestigation;
DROP FUNCTION public.laboratory_analyst_keeps_out();
DROP TRIGGER of_own_injection ON public.laboratory_replicate;
DROP FUNCTION public.laboratory_of_own_injection();
DROP TRIGGER keep_sample ON public.laboratory_sample;
DROP FUNCTION public.laboratory_keep_sample();
CREATE OR REPLACE FUNCTION public.laboratory_judge_result() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sample public.laboratory_sample;
    standing text;
BEGIN
    IF NEW.test_id IS DISTINCT FROM public.laboratory_test_of(NEW.sample_id, NEW.tag) THEN
        RAISE EXCEPTION 'the result is judged by another test than its specification says'
            USING ERRCODE = '23514';
    END IF;
    IF NEW.run_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM public.laboratory_run WHERE id = NEW.run_id AND suitability = 'passed'
        AND state IN ('running', 'completed')
    ) THEN
        RAISE EXCEPTION 'system suitability passes before results of a run are reported'
            USING ERRCODE = '23514';
    END IF;
    IF NEW.test_id IS NULL THEN
        RETURN NEW;
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
    SELECT * INTO sample FROM public.laboratory_sample WHERE id = NEW.sample_id;
    SELECT o.number INTO standing
    FROM public.laboratory_oosinvestigation o
    JOIN public.laboratory_result r ON r.id = o.result_id
    WHERE NOT (o.state = 'closed' AND o.conclusion = 'invalidated') AND (
        (r.sample_id = NEW.sample_id AND r.tag = NEW.tag)
        OR (o.batch_id = sample.batch_id AND o.test_id = NEW.test_id
            AND (sample.taken_at > o.opened_at OR sample.parent_id IS NOT NULL))
    ) LIMIT 1;
    IF standing IS NOT NULL THEN
        RAISE EXCEPTION '% stands: its result is neither corrected nor averaged away', standing
            USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("laboratory", "0005_recipes_name_effective_specifications")]
    operations = [migrations.RunSQL(CREATE, DROP)]
