"""Hold the rules of results and OOS investigations in the database too (FDA's OOS guidance)."""

from django.db import migrations

RESULTS = """
-- Whether a value, rounded as declared, is outside the limits of a test.
CREATE FUNCTION public.laboratory_is_outside(test bigint, judged numeric, written text)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN t.kind = 'text' THEN written <> t.conforming_text
        ELSE coalesce(judged < t.low, false) OR coalesce(judged > t.high, false) END
    FROM public.laboratory_specificationtest t WHERE t.id = test
$$;
-- Whether a value is as near to what was measured as its declared rounding makes it.
CREATE FUNCTION public.laboratory_is_rounded(test bigint, judged numeric, value numeric)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN t.kind = 'text' THEN judged IS NULL
        ELSE judged IS NOT NULL AND abs(judged - value) <= 0.5 * power(10::numeric, -t.decimals)
            AND judged = round(judged, t.decimals) END
    FROM public.laboratory_specificationtest t WHERE t.id = test
$$;
-- The test that judges a sample's result: of the specification effective when its batch was issued.
CREATE FUNCTION public.laboratory_test_of(sample bigint, asked text)
RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT t.id FROM public.laboratory_sample s
    JOIN public.execution_batch b ON b.id = s.batch_id
    JOIN public.recipes_masterrecipe m ON m.id = b.recipe_id
    JOIN public.laboratory_specification p ON p.product_id = m.product_id AND p.use = 'release'
    JOIN public.laboratory_specificationversion v ON v.specification_id = p.id
        AND v.effective_at <= b.issued_at
        AND (v.superseded_at IS NULL OR v.superseded_at > b.issued_at)
    JOIN public.laboratory_specificationtest t ON t.version_id = v.id AND t.tag = asked
        AND t.point IN ('', s.point)
    WHERE s.id = sample ORDER BY v.version DESC, t.point DESC LIMIT 1
$$;

CREATE FUNCTION public.laboratory_judge_result() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER judged_and_allowed BEFORE INSERT ON public.laboratory_result
    FOR EACH ROW EXECUTE FUNCTION public.laboratory_judge_result();
ALTER TABLE public.laboratory_result ENABLE ALWAYS TRIGGER judged_and_allowed;

CREATE FUNCTION public.laboratory_oos_is_investigated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.laboratory_oosinvestigation WHERE result_id = NEW.id) THEN
        RAISE EXCEPTION 'an OOS result has its investigation in the same act'
            USING ERRCODE = '23514';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER oos_is_investigated AFTER INSERT ON public.laboratory_result
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.judgement = 'oos')
    EXECUTE FUNCTION public.laboratory_oos_is_investigated();
ALTER TABLE public.laboratory_result ENABLE ALWAYS TRIGGER oos_is_investigated;

CREATE FUNCTION public.laboratory_replicate_not_hidden() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    result public.laboratory_result;
    test public.laboratory_specificationtest;
BEGIN
    SELECT * INTO result FROM public.laboratory_result WHERE id = NEW.result_id;
    SELECT * INTO test FROM public.laboratory_specificationtest WHERE id = result.test_id;
    IF NEW.number < 1 OR NEW.number > test.replicates THEN
        RAISE EXCEPTION 'the test has % replicates', test.replicates USING ERRCODE = '23514';
    END IF;
    IF result.judgement = 'conforms' AND test.is_each_judged
        AND public.laboratory_is_outside(test.id, round(NEW.value, test.decimals), NEW.value_text)
        AND public.laboratory_is_outside(test.id, NEW.value, NEW.value_text) THEN
        RAISE EXCEPTION 'a mean does not hide a replicate outside the limits'
            USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER not_hidden_by_mean BEFORE INSERT ON public.laboratory_replicate
    FOR EACH ROW EXECUTE FUNCTION public.laboratory_replicate_not_hidden();
ALTER TABLE public.laboratory_replicate ENABLE ALWAYS TRIGGER not_hidden_by_mean;

CREATE FUNCTION public.laboratory_reviewed_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    result public.laboratory_result;
    person public.access_user;
BEGIN
    SELECT * INTO result FROM public.laboratory_result WHERE id = NEW.result_id;
    SELECT * INTO person FROM public.access_user WHERE id = NEW.reviewer_id;
    IF result.entered_by_id = NEW.reviewer_id
        OR lower(result.analyst) IN (lower(person.username), lower(person.full_name))
        OR EXISTS (SELECT FROM public.laboratory_run
            WHERE id = result.run_id AND analyst_id = NEW.reviewer_id) THEN
        RAISE EXCEPTION 'a second person reviews a result' USING ERRCODE = '23514';
    END IF;
    IF result.run_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM public.laboratory_run WHERE id = result.run_id AND state = 'reviewed'
    ) THEN
        RAISE EXCEPTION 'a run is reviewed before its results' USING ERRCODE = '23514';
    END IF;
    IF EXISTS (SELECT FROM public.laboratory_result newer WHERE newer.sample_id = result.sample_id
        AND newer.tag = result.tag AND newer.version > result.version)
        OR EXISTS (SELECT FROM public.laboratory_resultinvalidation
            WHERE result_id = result.id) THEN
        RAISE EXCEPTION 'only the version that counts is reviewed' USING ERRCODE = '23514';
    END IF;
    IF NOT EXISTS (SELECT FROM public.signatures_signature s WHERE s.id = NEW.signature_id
        AND s.record = 'laboratory_result' AND s.record_id = NEW.result_id::text
        AND s.signer_id = NEW.reviewer_id AND s.meaning = 'reviewed') THEN
        RAISE EXCEPTION 'the signature is not that of the reviewer under this result'
            USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reviewed_by_another BEFORE INSERT ON public.laboratory_resultreview
    FOR EACH ROW EXECUTE FUNCTION public.laboratory_reviewed_by_another();
ALTER TABLE public.laboratory_resultreview ENABLE ALWAYS TRIGGER reviewed_by_another;

CREATE FUNCTION public.laboratory_only_with_cause() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.laboratory_oosinvestigation o WHERE o.id = NEW.oos_id
        AND o.result_id = NEW.result_id AND o.state = 'closed' AND o.conclusion = 'invalidated'
        AND o.has_cause) THEN
        RAISE EXCEPTION 'only a closed investigation with a cause invalidates a result'
            USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER only_with_cause BEFORE INSERT ON public.laboratory_resultinvalidation
    FOR EACH ROW EXECUTE FUNCTION public.laboratory_only_with_cause();
ALTER TABLE public.laboratory_resultinvalidation ENABLE ALWAYS TRIGGER only_with_cause;
"""

OOS = """
CREATE FUNCTION public.laboratory_follow_guidance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    phase_one CONSTANT text[] := ARRAY['investigator_id', 'checklist',
        'is_preparation_retained', 'interview', 'phase_one_closed_at'];
    causes CONSTANT text[] := ARRAY['has_cause', 'cause_category', 'cause', 'cause_evidence'];
    plan CONSTANT text[] := ARRAY['plan_kind', 'retest_count', 'retest_analyst_id',
        'plan_rationale', 'resample_justification', 'plan_author_id'];
    approval CONSTANT text[] := ARRAY['plan_approver_id', 'plan_approved_at'];
    conclusion CONSTANT text[] := ARRAY['conclusion', 'conclusion_text', 'concluded_at'];
    closure CONSTANT text[] := ARRAY['approver_id', 'closed_at'];
    changed text[];
    done integer;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'phase-one' OR NEW.has_cause IS NOT NULL OR NEW.conclusion <> ''
            OR NEW.plan_kind <> '' OR NEW.approver_id IS NOT NULL THEN
            RAISE EXCEPTION 'an investigation begins with Phase I' USING ERRCODE = '23514';
        END IF;
        IF NOT EXISTS (SELECT FROM public.laboratory_result r
                JOIN public.laboratory_sample s ON s.id = r.sample_id
                WHERE r.id = NEW.result_id AND r.judgement = 'oos' AND r.test_id = NEW.test_id
                AND s.batch_id = NEW.batch_id)
            AND NOT EXISTS (SELECT FROM public.laboratory_stabilityresult r
                WHERE r.id = NEW.stability_result_id AND r.judgement = 'oos'
                AND r.test_id = NEW.test_id) THEN
            RAISE EXCEPTION 'an investigation is about an OOS result of its batch'
                USING ERRCODE = '23514';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state = 'closed' THEN
        RAISE EXCEPTION '% is closed', OLD.number USING ERRCODE = '23514';
    END IF;
    IF OLD.state <> NEW.state AND NOT (OLD.state, NEW.state) IN (
        ('phase-one', 'cause-found'), ('phase-one', 'phase-two'), ('cause-found', 'concluded'),
        ('phase-two', 'cause-found'), ('phase-two', 'plan-proposed'), ('phase-two', 'concluded'),
        ('plan-proposed', 'phase-two'), ('plan-proposed', 'retesting'), ('retesting', 'retested'),
        ('retested', 'cause-found'), ('retested', 'concluded'), ('concluded', 'phase-two'),
        ('concluded', 'retested'), ('concluded', 'closed')) THEN
        RAISE EXCEPTION 'an investigation goes not from % to %', OLD.state, NEW.state
            USING ERRCODE = '23514';
    END IF;
    SELECT coalesce(array_agg(n.key), '{}') INTO changed
    FROM jsonb_each(to_jsonb(NEW)) n JOIN jsonb_each(to_jsonb(OLD)) o USING (key)
    WHERE n.value IS DISTINCT FROM o.value AND n.key <> 'state';
    IF NOT changed <@ (phase_one || causes || plan || approval || conclusion || closure
        || ARRAY['production_review', 'audit_seq', 'audit_head']) THEN
        RAISE EXCEPTION 'what an investigation is about does not change' USING ERRCODE = '23514';
    END IF;
    IF changed && phase_one AND OLD.state <> 'phase-one' THEN
        RAISE EXCEPTION 'Phase I is closed' USING ERRCODE = '23514';
    END IF;
    IF changed && causes AND OLD.state NOT IN ('phase-one', 'phase-two', 'retested', 'concluded')
        OR changed && causes AND OLD.state = 'concluded' AND NEW.has_cause THEN
        RAISE EXCEPTION 'a cause is recorded in Phase I or II' USING ERRCODE = '23514';
    END IF;
    IF changed && ARRAY['production_review'] AND OLD.state NOT IN ('phase-two', 'retested') THEN
        RAISE EXCEPTION 'production is reviewed in Phase II' USING ERRCODE = '23514';
    END IF;
    IF changed && plan AND (OLD.state <> 'phase-two' OR OLD.plan_approved_at IS NOT NULL) THEN
        RAISE EXCEPTION 'a retest plan is made in Phase II, and not changed once approved'
            USING ERRCODE = '23514';
    END IF;
    IF changed && approval AND (OLD.state, NEW.state) <> ('plan-proposed', 'retesting') THEN
        RAISE EXCEPTION 'a retest plan is approved once, before any retest' USING ERRCODE = '23514';
    END IF;
    IF NEW.state = 'retested' AND OLD.state = 'retesting' THEN
        SELECT count(*) INTO done FROM public.laboratory_retest WHERE oos_id = NEW.id;
        IF done <> NEW.retest_count THEN
            RAISE EXCEPTION '% of % retests are done', done, NEW.retest_count
                USING ERRCODE = '23514';
        END IF;
    END IF;
    IF NEW.state IN ('phase-two', 'cause-found') AND OLD.state = 'concluded'
        AND OLD.plan_approved_at IS NOT NULL THEN
        RAISE EXCEPTION 'with its retests done, an investigation goes back to them'
            USING ERRCODE = '23514';
    END IF;
    IF NEW.state = 'concluded' AND OLD.state IN ('phase-two', 'retested')
        AND NEW.production_review = '' THEN
        RAISE EXCEPTION 'Phase II needs the production review' USING ERRCODE = '23514';
    END IF;
    IF changed && conclusion AND NEW.state NOT IN ('concluded', 'phase-two', 'retested') THEN
        RAISE EXCEPTION 'a conclusion is drawn before the closure' USING ERRCODE = '23514';
    END IF;
    IF NEW.state = 'closed' AND NEW.conclusion = 'confirmed' AND NOT EXISTS (
        SELECT FROM public.laboratory_oosdeviation WHERE oos_id = NEW.id) THEN
        RAISE EXCEPTION 'a confirmed OOS is carried into a deviation' USING ERRCODE = '23514';
    END IF;
    IF NEW.state = 'closed' AND NEW.has_cause IS DISTINCT FROM OLD.has_cause THEN
        RAISE EXCEPTION 'a closure changes no cause' USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER follow_guidance BEFORE INSERT OR UPDATE ON public.laboratory_oosinvestigation
    FOR EACH ROW EXECUTE FUNCTION public.laboratory_follow_guidance();
ALTER TABLE public.laboratory_oosinvestigation ENABLE ALWAYS TRIGGER follow_guidance;

CREATE FUNCTION public.laboratory_retest_as_planned() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    oos public.laboratory_oosinvestigation;
    first public.laboratory_result;
    person public.access_user;
    sample public.laboratory_sample;
    test public.laboratory_specificationtest;
    done integer;
BEGIN
    SELECT * INTO oos FROM public.laboratory_oosinvestigation WHERE id = NEW.oos_id FOR UPDATE;
    IF oos.state <> 'retesting' OR NEW.tested_at < oos.plan_approved_at THEN
        RAISE EXCEPTION '%: no retest before its plan is approved', oos.number
            USING ERRCODE = '23514';
    END IF;
    SELECT count(*) INTO done FROM public.laboratory_retest WHERE oos_id = oos.id;
    IF NEW.number <> done + 1 OR NEW.number > oos.retest_count THEN
        RAISE EXCEPTION '%: % retests are planned', oos.number, oos.retest_count
            USING ERRCODE = '23514';
    END IF;
    SELECT * INTO first FROM public.laboratory_result WHERE id = oos.result_id;
    SELECT * INTO person FROM public.access_user WHERE id = NEW.analyst_id;
    IF NEW.analyst_id <> oos.retest_analyst_id OR first.entered_by_id = NEW.analyst_id
        OR lower(first.analyst) IN (lower(person.username), lower(person.full_name))
        OR EXISTS (SELECT FROM public.laboratory_stabilityresult
            WHERE id = oos.stability_result_id AND entered_by_id = NEW.analyst_id) THEN
        RAISE EXCEPTION '%: another analyst retests, the planned one', oos.number
            USING ERRCODE = '23514';
    END IF;
    SELECT * INTO sample FROM public.laboratory_sample WHERE id = NEW.sample_id;
    IF first.id IS NOT NULL AND (sample.id IS NULL OR sample.batch_id <> oos.batch_id
        OR (oos.plan_kind = 'retest') <> (sample.id = first.sample_id
            OR sample.parent_id IS NOT DISTINCT FROM first.sample_id)) THEN
        RAISE EXCEPTION '%: the sample is not the one of the plan', oos.number
            USING ERRCODE = '23514';
    END IF;
    SELECT * INTO test FROM public.laboratory_specificationtest WHERE id = oos.test_id;
    IF NOT NEW.is_outside
        AND public.laboratory_is_outside(test.id, round(NEW.value, test.decimals), NEW.value_text)
        AND public.laboratory_is_outside(test.id, NEW.value, NEW.value_text) THEN
        RAISE EXCEPTION 'a value outside its limits is out of specification'
            USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER as_planned BEFORE INSERT ON public.laboratory_retest
    FOR EACH ROW EXECUTE FUNCTION public.laboratory_retest_as_planned();
ALTER TABLE public.laboratory_retest ENABLE ALWAYS TRIGGER as_planned;
"""

DROP = """
DROP TRIGGER as_planned ON public.laboratory_retest;
DROP TRIGGER follow_guidance ON public.laboratory_oosinvestigation;
DROP TRIGGER only_with_cause ON public.laboratory_resultinvalidation;
DROP TRIGGER reviewed_by_another ON public.laboratory_resultreview;
DROP TRIGGER not_hidden_by_mean ON public.laboratory_replicate;
DROP TRIGGER oos_is_investigated ON public.laboratory_result;
DROP TRIGGER judged_and_allowed ON public.laboratory_result;
DROP FUNCTION public.laboratory_retest_as_planned();
DROP FUNCTION public.laboratory_follow_guidance();
DROP FUNCTION public.laboratory_only_with_cause();
DROP FUNCTION public.laboratory_reviewed_by_another();
DROP FUNCTION public.laboratory_replicate_not_hidden();
DROP FUNCTION public.laboratory_oos_is_investigated();
DROP FUNCTION public.laboratory_judge_result();
DROP FUNCTION public.laboratory_test_of(bigint, text);
DROP FUNCTION public.laboratory_is_rounded(bigint, numeric, numeric);
DROP FUNCTION public.laboratory_is_outside(bigint, numeric, text);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("laboratory", "0002_guards_of_specifications_and_runs"),
        ("signatures", "0001_initial"),
    ]
    operations = [migrations.RunSQL(RESULTS + OOS, DROP)]
