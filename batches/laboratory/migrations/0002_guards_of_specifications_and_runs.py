"""Hold the rules of specifications, samples and runs in the database too (211.160, 211.194)."""

from django.db import migrations

CREATE = """
CREATE FUNCTION public.laboratory_specification_states() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'draft' THEN
            RAISE EXCEPTION 'a specification begins as a draft' USING ERRCODE = '23514';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state = 'draft' AND NEW.state IN ('draft', 'effective') THEN
        IF NEW.specification_id <> OLD.specification_id OR NEW.version <> OLD.version
            OR NEW.author_id <> OLD.author_id THEN
            RAISE EXCEPTION 'a version keeps its number and its author' USING ERRCODE = '23514';
        END IF;
        IF NEW.state = 'effective' AND NOT EXISTS (
            SELECT FROM public.laboratory_specificationtest WHERE version_id = NEW.id
        ) THEN
            RAISE EXCEPTION 'a specification without a test does not become effective'
                USING ERRCODE = '23514';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state = 'effective' AND NEW.state = 'superseded'
        AND to_jsonb(NEW) - ARRAY['state', 'superseded_at']
            = to_jsonb(OLD) - ARRAY['state', 'superseded_at'] THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a version that is % does not change', OLD.state USING ERRCODE = '23514';
END $$;
CREATE TRIGGER follow_states BEFORE INSERT OR UPDATE ON public.laboratory_specificationversion
    FOR EACH ROW EXECUTE FUNCTION public.laboratory_specification_states();
ALTER TABLE public.laboratory_specificationversion ENABLE ALWAYS TRIGGER follow_states;

CREATE FUNCTION public.laboratory_only_in_draft() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    found text;
BEGIN
    -- The lock keeps the version a draft until this is committed.
    SELECT state INTO found FROM public.laboratory_specificationversion
        WHERE id = NEW.version_id FOR SHARE;
    IF found IS DISTINCT FROM 'draft' THEN
        RAISE EXCEPTION 'the version of the specification is %: only drafts change', found
            USING ERRCODE = '23514';
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.version_id <> NEW.version_id THEN
        RAISE EXCEPTION 'a part of one version does not move to another one'
            USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER only_in_draft BEFORE INSERT OR UPDATE ON public.laboratory_specificationtest
    FOR EACH ROW EXECUTE FUNCTION public.laboratory_only_in_draft();
ALTER TABLE public.laboratory_specificationtest ENABLE ALWAYS TRIGGER only_in_draft;
CREATE TRIGGER only_in_draft BEFORE INSERT OR UPDATE ON public.laboratory_planpoint
    FOR EACH ROW EXECUTE FUNCTION public.laboratory_only_in_draft();
ALTER TABLE public.laboratory_planpoint ENABLE ALWAYS TRIGGER only_in_draft;

CREATE FUNCTION public.laboratory_sample_states() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before text := 'taken';
BEGIN
    IF TG_OP = 'UPDATE' THEN
        before := OLD.state;
        IF NEW.sample_id <> OLD.sample_id THEN
            RAISE EXCEPTION 'custody of one sample does not become that of another'
                USING ERRCODE = '23514';
        END IF;
    END IF;
    IF NOT (before, NEW.state) IN (('taken', 'received'), ('taken', 'cancelled'),
        ('received', 'received'), ('received', 'disposed'), ('received', 'cancelled')) THEN
        RAISE EXCEPTION 'a sample that is % does not become %', before, NEW.state
            USING ERRCODE = '23514';
    END IF;
    -- FDA, OOS guidance: what was prepared and sampled is retained while it is investigated.
    IF NEW.state IN ('disposed', 'cancelled') AND EXISTS (
        SELECT FROM public.laboratory_oosinvestigation o
        JOIN public.laboratory_result r ON r.id = o.result_id
        WHERE r.sample_id = NEW.sample_id AND o.state <> 'closed'
    ) THEN
        RAISE EXCEPTION 'an OOS investigation still needs the sample' USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER follow_states BEFORE INSERT OR UPDATE ON public.laboratory_samplecustody
    FOR EACH ROW EXECUTE FUNCTION public.laboratory_sample_states();
ALTER TABLE public.laboratory_samplecustody ENABLE ALWAYS TRIGGER follow_states;

CREATE FUNCTION public.laboratory_run_states() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'running' OR NEW.suitability <> '' OR NEW.reviewer_id IS NOT NULL THEN
            RAISE EXCEPTION 'a run begins running, neither judged nor reviewed'
                USING ERRCODE = '23514';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state <> NEW.state AND NOT (OLD.state, NEW.state) IN (('running', 'completed'),
        ('running', 'aborted'), ('completed', 'reviewed'), ('aborted', 'reviewed')) THEN
        RAISE EXCEPTION 'a run that is % does not become %', OLD.state, NEW.state
            USING ERRCODE = '23514';
    END IF;
    IF OLD.state = 'reviewed' THEN
        RAISE EXCEPTION 'a reviewed run does not change' USING ERRCODE = '23514';
    END IF;
    IF to_jsonb(NEW) - ARRAY['state', 'ended_at', 'was_aborted', 'suitability',
            'suitability_text', 'reviewer_id', 'reviewed_at', 'reviewed_entries']
        <> to_jsonb(OLD) - ARRAY['state', 'ended_at', 'was_aborted', 'suitability',
            'suitability_text', 'reviewer_id', 'reviewed_at', 'reviewed_entries'] THEN
        RAISE EXCEPTION 'what a run was started with does not change' USING ERRCODE = '23514';
    END IF;
    IF OLD.ended_at IS NOT NULL AND (NEW.ended_at, NEW.was_aborted)
        IS DISTINCT FROM (OLD.ended_at, OLD.was_aborted) THEN
        RAISE EXCEPTION 'the end of a run does not change' USING ERRCODE = '23514';
    END IF;
    IF NEW.state = 'aborted' AND NOT NEW.was_aborted THEN
        RAISE EXCEPTION 'an aborted run says that it was aborted' USING ERRCODE = '23514';
    END IF;
    IF OLD.suitability <> '' AND (NEW.suitability, NEW.suitability_text)
        IS DISTINCT FROM (OLD.suitability, OLD.suitability_text) THEN
        RAISE EXCEPTION 'system suitability is judged once' USING ERRCODE = '23514';
    END IF;
    IF NEW.suitability = 'passed' AND OLD.suitability = '' AND (
        NOT EXISTS (SELECT FROM public.laboratory_injection
            WHERE run_id = NEW.id AND kind = 'suitability')
        OR EXISTS (SELECT FROM public.laboratory_injection
            WHERE run_id = NEW.id AND kind = 'suitability' AND outcome <> 'completed')
    ) THEN
        RAISE EXCEPTION 'system suitability passes with all its injections completed'
            USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER follow_states BEFORE INSERT OR UPDATE ON public.laboratory_run
    FOR EACH ROW EXECUTE FUNCTION public.laboratory_run_states();
ALTER TABLE public.laboratory_run ENABLE ALWAYS TRIGGER follow_states;

CREATE FUNCTION public.laboratory_reagent_in_date() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.laboratory_reagent g, public.laboratory_run r
        WHERE g.id = NEW.reagent_id AND r.id = NEW.run_id AND r.state = 'running'
        AND NOT g.is_withdrawn AND g.expires_on >= (r.started_at AT TIME ZONE 'UTC')::date
    ) THEN
        RAISE EXCEPTION 'the reagent is expired or withdrawn, or the run has ended'
            USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER only_in_date BEFORE INSERT ON public.laboratory_runreagent
    FOR EACH ROW EXECUTE FUNCTION public.laboratory_reagent_in_date();
ALTER TABLE public.laboratory_runreagent ENABLE ALWAYS TRIGGER only_in_date;

CREATE FUNCTION public.laboratory_keep_injections() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    run public.laboratory_run;
BEGIN
    SELECT * INTO run FROM public.laboratory_run WHERE id = NEW.run_id FOR SHARE;
    IF TG_OP = 'INSERT' THEN
        IF run.state <> 'running' THEN
            RAISE EXCEPTION 'run % is %: it takes no more injections', run.number, run.state
                USING ERRCODE = '23514';
        END IF;
        IF NEW.kind = 'suitability' AND run.suitability <> '' THEN
            RAISE EXCEPTION 'the system suitability of run % is judged', run.number
                USING ERRCODE = '23514';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.outcome <> 'completed' OR NEW.outcome <> 'invalid' OR run.state = 'reviewed'
        OR (NEW.kind = 'suitability' AND run.suitability <> '')
        OR to_jsonb(NEW) - ARRAY['outcome', 'reason']
            <> to_jsonb(OLD) - ARRAY['outcome', 'reason'] THEN
        RAISE EXCEPTION 'an injection only ever becomes invalid, before its run is reviewed'
            USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_injections BEFORE INSERT OR UPDATE ON public.laboratory_injection
    FOR EACH ROW EXECUTE FUNCTION public.laboratory_keep_injections();
ALTER TABLE public.laboratory_injection ENABLE ALWAYS TRIGGER keep_injections;
"""
DROP = """
DROP TRIGGER follow_states ON public.laboratory_specificationversion;
DROP TRIGGER only_in_draft ON public.laboratory_specificationtest;
DROP TRIGGER only_in_draft ON public.laboratory_planpoint;
DROP TRIGGER follow_states ON public.laboratory_samplecustody;
DROP TRIGGER follow_states ON public.laboratory_run;
DROP TRIGGER only_in_date ON public.laboratory_runreagent;
DROP TRIGGER keep_injections ON public.laboratory_injection;
DROP FUNCTION public.laboratory_specification_states();
DROP FUNCTION public.laboratory_only_in_draft();
DROP FUNCTION public.laboratory_sample_states();
DROP FUNCTION public.laboratory_run_states();
DROP FUNCTION public.laboratory_reagent_in_date();
DROP FUNCTION public.laboratory_keep_injections();
"""


class Migration(migrations.Migration):
    dependencies = [("laboratory", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
