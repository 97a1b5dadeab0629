"""Hold the life of a model version in the database too: criteria first, sealed data, two people."""

from django.db import migrations

CREATE = """
CREATE FUNCTION public.hub_refuse(said text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', said USING ERRCODE = 'GM020';
END $$;

CREATE FUNCTION public.hub_is_signed(
    signed_record text, signed_id bigint, signed_meaning text, signer bigint
) RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM public.signatures_signature s
        WHERE s.record = signed_record AND s.record_id = signed_id::text
        AND s.meaning = signed_meaning AND (signer IS NULL OR s.signer_id = signer))
$$;

CREATE FUNCTION public.hub_model_version_lives() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'draft' THEN
            PERFORM public.hub_refuse('a model version begins as a draft');
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.state <> OLD.state
        AND (OLD.state, NEW.state) NOT IN (('draft', 'qualified'), ('qualified', 'retired'))
    THEN
        PERFORM public.hub_refuse(format(
            'model version %s is %s and cannot become %s', OLD.id, OLD.state, NEW.state));
    END IF;
    IF (NEW.name, NEW.code_digest, NEW.parameters_digest, NEW.intended_use, NEW.valid_range,
            NEW.declarations, NEW.registered_at)
        IS DISTINCT FROM (OLD.name, OLD.code_digest, OLD.parameters_digest, OLD.intended_use,
            OLD.valid_range, OLD.declarations, OLD.registered_at)
        AND EXISTS (SELECT FROM public.hub_modeldossier d WHERE d.version_id = OLD.id)
    THEN
        PERFORM public.hub_refuse('a version with a dossier is frozen: register the next one');
    END IF;
    IF NEW.state = OLD.state
        AND (NEW.qualified_at, NEW.retired_at) IS DISTINCT FROM (OLD.qualified_at, OLD.retired_at)
        OR OLD.state = 'qualified' AND NEW.qualified_at IS DISTINCT FROM OLD.qualified_at
    THEN
        PERFORM public.hub_refuse('when a version was qualified or retired is not altered');
    END IF;
    -- Who signs the qualification wrote neither dossier nor protocol, trained nothing, ran nothing.
    IF OLD.state = 'draft' AND NEW.state = 'qualified' AND NOT EXISTS (
        SELECT FROM public.hub_qualification q
        JOIN public.hub_testrun r ON r.qualification_id = q.id
        JOIN public.hub_modeldossier d ON d.version_id = q.version_id
        JOIN public.signatures_signature s ON s.record = 'hub_modelversion'
            AND s.record_id = NEW.id::text AND s.meaning = 'approved'
        WHERE q.version_id = NEW.id AND q.state = 'passed' AND r.outcome = 'passed'
        AND s.signed_at >= r.run_at AND s.signer_id NOT IN (q.author_id, r.run_by_id, d.prepared_by_id)
        AND NOT EXISTS (
            SELECT FROM public.hub_trainer t WHERE t.dossier_id = d.id AND t.person_id = s.signer_id)
    ) THEN
        PERFORM public.hub_refuse(
            'a version is qualified after a passed test, by the signature of somebody independent');
    END IF;
    IF NEW.state = 'retired' AND OLD.state = 'qualified'
        AND NOT public.hub_is_signed('hub_modelversion', NEW.id, 'closed', NULL)
    THEN
        PERFORM public.hub_refuse('a version is retired by signature');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER model_version_lives BEFORE INSERT OR UPDATE ON public.hub_modelversion
    FOR EACH ROW EXECUTE FUNCTION public.hub_model_version_lives();

-- What its author has signed has neither more training data nor more trainers.
CREATE FUNCTION public.hub_of_open_dossier() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found bigint;
BEGIN
    SELECT d.version_id INTO found FROM public.hub_modeldossier d WHERE d.id = NEW.dossier_id;
    IF public.hub_is_signed('hub_modelversion', found, 'authored', NULL) THEN
        PERFORM public.hub_refuse('the dossier is signed: what trained the version stays as it says');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER trainer_of_open_dossier BEFORE INSERT ON public.hub_trainer
    FOR EACH ROW EXECUTE FUNCTION public.hub_of_open_dossier();
CREATE TRIGGER training_of_open_dossier BEFORE INSERT ON public.hub_trainingbatch
    FOR EACH ROW EXECUTE FUNCTION public.hub_of_open_dossier();

CREATE FUNCTION public.hub_sealed_batch_with_its_set() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF public.hub_is_signed('hub_sealedtestset', NEW.test_set_id, 'authored', NULL) THEN
        PERFORM public.hub_refuse('the test set is sealed: no batch is added to it');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sealed_batch_with_its_set BEFORE INSERT ON public.hub_sealedbatch
    FOR EACH ROW EXECUTE FUNCTION public.hub_sealed_batch_with_its_set();

CREATE FUNCTION public.hub_qualification_moves() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'draft' THEN
            PERFORM public.hub_refuse('a qualification begins as a draft');
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('draft', 'approved'), ('approved', 'passed'), ('approved', 'failed')
    ) THEN
        PERFORM public.hub_refuse(format(
            'qualification %s is %s and cannot become %s', OLD.number, OLD.state, NEW.state));
    END IF;
    IF (NEW.number, NEW.version_id, NEW.test_set_id, NEW.replaces, NEW.drift_alpha,
            NEW.false_alarm_contract, NEW.miss_contract, NEW.author_id, NEW.drafted_at)
        IS DISTINCT FROM (OLD.number, OLD.version_id, OLD.test_set_id, OLD.replaces, OLD.drift_alpha,
            OLD.false_alarm_contract, OLD.miss_contract, OLD.author_id, OLD.drafted_at)
        OR OLD.state <> 'draft' AND (NEW.signature_id, NEW.approver_id, NEW.approved_at)
            IS DISTINCT FROM (OLD.signature_id, OLD.approver_id, OLD.approved_at)
    THEN
        PERFORM public.hub_refuse('what a qualification says is not altered: draft the next one');
    END IF;
    IF OLD.state = 'draft' AND NEW.state = 'approved' AND NOT EXISTS (
        SELECT FROM public.signatures_signature s
        WHERE s.id = NEW.signature_id AND s.record = 'hub_qualification'
        AND s.record_id = NEW.id::text AND s.meaning = 'approved'
        AND s.signer_id = NEW.approver_id AND s.signed_at = NEW.approved_at
    ) THEN
        PERFORM public.hub_refuse('the criteria of a qualification are approved by signature');
    END IF;
    IF OLD.state = 'approved' AND NEW.state IN ('passed', 'failed') AND NOT EXISTS (
        SELECT FROM public.hub_testrun r WHERE r.qualification_id = NEW.id
        AND (r.outcome = 'passed') = (NEW.state = 'passed')
        AND public.hub_is_signed('hub_testrun', r.id, 'performed', r.run_by_id)
    ) THEN
        PERFORM public.hub_refuse('a qualification ends as its signed test run did');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER qualification_moves BEFORE INSERT OR UPDATE ON public.hub_qualification
    FOR EACH ROW EXECUTE FUNCTION public.hub_qualification_moves();

CREATE FUNCTION public.hub_criterion_of_draft() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found text;
BEGIN
    SELECT q.state INTO found FROM public.hub_qualification q
    WHERE q.id = NEW.qualification_id FOR SHARE;
    IF found IS DISTINCT FROM 'draft' THEN
        PERFORM public.hub_refuse('criteria are added to the draft of a qualification only');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER criterion_of_draft BEFORE INSERT ON public.hub_criterion
    FOR EACH ROW EXECUTE FUNCTION public.hub_criterion_of_draft();

-- A set is opened after the criteria are signed, by nobody who trained, for independent data only.
CREATE FUNCTION public.hub_custody_look_allowed() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    protocol public.hub_qualification%ROWTYPE;
BEGIN
    PERFORM FROM public.hub_sealedtestset t WHERE t.id = NEW.test_set_id FOR UPDATE;
    SELECT q.* INTO protocol FROM public.hub_qualification q
    WHERE q.id = NEW.qualification_id FOR SHARE;
    IF protocol.test_set_id <> NEW.test_set_id OR protocol.state = 'draft'
        OR protocol.approved_at >= NEW.looked_at
    THEN
        PERFORM public.hub_refuse('a test set is opened after the criteria for it are signed');
    END IF;
    IF NEW.number <> 1 + (
        SELECT count(*) FROM public.hub_custodylook l WHERE l.test_set_id = NEW.test_set_id)
    THEN
        PERFORM public.hub_refuse('looks into a test set are counted without a gap');
    END IF;
    IF EXISTS (
        SELECT FROM public.hub_trainer t
        JOIN public.hub_modeldossier d ON d.id = t.dossier_id
        WHERE d.version_id = protocol.version_id AND t.person_id = NEW.looked_by_id)
    THEN
        PERFORM public.hub_refuse('whoever trained the version does not open its test set');
    END IF;
    IF EXISTS (
        SELECT FROM public.hub_sealedbatch b
        JOIN public.hub_trainingbatch t ON t.content_digest = b.content_digest
        JOIN public.hub_modeldossier d ON d.id = t.dossier_id
        WHERE b.test_set_id = NEW.test_set_id AND d.version_id = protocol.version_id)
    THEN
        PERFORM public.hub_refuse('the test set has a batch that the version was trained on');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER custody_look_allowed BEFORE INSERT ON public.hub_custodylook
    FOR EACH ROW EXECUTE FUNCTION public.hub_custody_look_allowed();

CREATE FUNCTION public.hub_test_run_after_look() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.hub_custodylook l
        JOIN public.hub_qualification q ON q.id = l.qualification_id
        WHERE l.id = NEW.look_id AND q.id = NEW.qualification_id AND q.state = 'approved'
        AND l.looked_by_id = NEW.run_by_id AND NEW.is_second_look = (l.number > 1))
    THEN
        PERFORM public.hub_refuse('a test is run by whoever opened the set for it, and says so');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER test_run_after_look BEFORE INSERT ON public.hub_testrun
    FOR EACH ROW EXECUTE FUNCTION public.hub_test_run_after_look();

ALTER TABLE public.hub_modelversion ENABLE ALWAYS TRIGGER model_version_lives;
ALTER TABLE public.hub_trainer ENABLE ALWAYS TRIGGER trainer_of_open_dossier;
ALTER TABLE public.hub_trainingbatch ENABLE ALWAYS TRIGGER training_of_open_dossier;
ALTER TABLE public.hub_sealedbatch ENABLE ALWAYS TRIGGER sealed_batch_with_its_set;
ALTER TABLE public.hub_qualification ENABLE ALWAYS TRIGGER qualification_moves;
ALTER TABLE public.hub_criterion ENABLE ALWAYS TRIGGER criterion_of_draft;
ALTER TABLE public.hub_custodylook ENABLE ALWAYS TRIGGER custody_look_allowed;
ALTER TABLE public.hub_testrun ENABLE ALWAYS TRIGGER test_run_after_look;
"""
DROP = """
DROP TRIGGER test_run_after_look ON public.hub_testrun;
DROP TRIGGER custody_look_allowed ON public.hub_custodylook;
DROP TRIGGER criterion_of_draft ON public.hub_criterion;
DROP TRIGGER qualification_moves ON public.hub_qualification;
DROP TRIGGER sealed_batch_with_its_set ON public.hub_sealedbatch;
DROP TRIGGER training_of_open_dossier ON public.hub_trainingbatch;
DROP TRIGGER trainer_of_open_dossier ON public.hub_trainer;
DROP TRIGGER model_version_lives ON public.hub_modelversion;
DROP FUNCTION public.hub_test_run_after_look();
DROP FUNCTION public.hub_custody_look_allowed();
DROP FUNCTION public.hub_criterion_of_draft();
DROP FUNCTION public.hub_qualification_moves();
DROP FUNCTION public.hub_sealed_batch_with_its_set();
DROP FUNCTION public.hub_of_open_dossier();
DROP FUNCTION public.hub_model_version_lives();
DROP FUNCTION public.hub_is_signed(text, bigint, text, bigint);
DROP FUNCTION public.hub_refuse(text);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("hub", "0001_initial"),
        ("quality", "0002_guards"),
        ("signatures", "0004_own_security_key"),
    ]
    operations = [migrations.RunSQL(CREATE, DROP)]
