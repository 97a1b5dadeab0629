"""Keep no labels after a test, one name for the same bytes, and later versions under change control.

The newest test decides, in the database too: an older one that passed does not outweigh it.
"""

from django.db import migrations, models

CREATE = """
CREATE FUNCTION public.hub_model_version_newest_test() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found text;
BEGIN
    IF OLD.state = 'draft' AND NEW.state = 'qualified' THEN
        SELECT r.outcome INTO found FROM public.hub_testrun r
        JOIN public.hub_qualification q ON q.id = r.qualification_id
        WHERE q.version_id = NEW.id ORDER BY r.id DESC LIMIT 1;
        IF found IS DISTINCT FROM 'passed' THEN
            PERFORM public.hub_refuse('a version is qualified after a passed test, and that is its '
                'newest');
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER model_version_newest_test BEFORE UPDATE ON public.hub_modelversion
    FOR EACH ROW EXECUTE FUNCTION public.hub_model_version_newest_test();

-- EU GMP Annex 22 draft, 10: what takes the place of a qualified version does so by change control.
-- The lock keeps whoever rejects the change at this moment waiting.
CREATE FUNCTION public.hub_qualification_under_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    has_earlier boolean;
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.change_number IS DISTINCT FROM OLD.change_number THEN
        PERFORM public.hub_refuse('what a qualification says is not altered: draft the next one');
    END IF;
    IF TG_OP = 'INSERT' OR OLD.state <> 'draft' OR NEW.state <> 'approved' THEN
        RETURN NEW;
    END IF;
    SELECT EXISTS (
        SELECT FROM public.hub_modelversion v JOIN public.hub_modelversion own
            ON own.id = NEW.version_id AND v.id <> own.id
        WHERE split_part(v.name, '@', 1) = split_part(own.name, '@', 1)
        AND v.qualified_at IS NOT NULL) INTO has_earlier;
    IF NEW.change_number = '' AND NOT has_earlier THEN
        RETURN NEW;
    END IF;
    PERFORM FROM public.quality_change c
        WHERE c.number = NEW.change_number
        AND (c.state IN ('approved', 'implemented', 'reviewed', 'closed')
            OR (c.emergency_at IS NOT NULL AND c.state NOT IN ('rejected', 'cancelled')))
        FOR SHARE;
    IF NOT FOUND THEN
        PERFORM public.hub_refuse(format('qualification %s: “%s” is no approved change',
            NEW.number, NEW.change_number));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER qualification_under_change BEFORE INSERT OR UPDATE ON public.hub_qualification
    FOR EACH ROW EXECUTE FUNCTION public.hub_qualification_under_change();

-- Whoever made the model neither opens its test set nor sealed it: 0002 asks for trainers only.
CREATE FUNCTION public.hub_custody_look_apart() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM public.hub_qualification q
        JOIN public.hub_modeldossier d ON d.version_id = q.version_id
        JOIN public.hub_sealedtestset t ON t.id = NEW.test_set_id
        WHERE q.id = NEW.qualification_id
        AND (d.prepared_by_id IN (NEW.looked_by_id, t.sealed_by_id) OR EXISTS (
            SELECT FROM public.hub_trainer r
            WHERE r.dossier_id = d.id AND r.person_id = t.sealed_by_id)))
    THEN
        PERFORM public.hub_refuse('whoever made the version neither seals nor opens its test set');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER custody_look_apart BEFORE INSERT ON public.hub_custodylook
    FOR EACH ROW EXECUTE FUNCTION public.hub_custody_look_apart();

ALTER TABLE public.hub_custodylook ENABLE ALWAYS TRIGGER custody_look_apart;
ALTER TABLE public.hub_modelversion ENABLE ALWAYS TRIGGER model_version_newest_test;
ALTER TABLE public.hub_qualification ENABLE ALWAYS TRIGGER qualification_under_change;
"""
DROP = """
DROP TRIGGER custody_look_apart ON public.hub_custodylook;
DROP TRIGGER qualification_under_change ON public.hub_qualification;
DROP TRIGGER model_version_newest_test ON public.hub_modelversion;
DROP FUNCTION public.hub_custody_look_apart();
DROP FUNCTION public.hub_qualification_under_change();
DROP FUNCTION public.hub_model_version_newest_test();
"""


class Migration(migrations.Migration):
    dependencies = [("hub", "0002_guards")]
    operations = [
        migrations.RemoveField("testrun", "labels"),
        migrations.AddField(
            "testrun",
            "answered_by",
            models.CharField(
                choices=[
                    ("version", "The frozen version was asked by the installation itself"),
                    ("keeper", "The answers were handed in by whoever ran the test"),
                ],
                default="keeper",
                max_length=10,
            ),
        ),
        migrations.AddField(
            "modeldossier",
            "is_training_repeated",
            models.BooleanField(
                default=False,
                help_text="The installation trained it again from these batches, to the same numbers.",
            ),
        ),
        migrations.AddField(
            "qualification",
            "change_number",
            models.CharField(
                blank=True,
                default="",
                help_text="Of the change control that puts it in the place of an earlier version.",
                max_length=40,
            ),
        ),
        migrations.AddConstraint(
            "modelversion",
            models.UniqueConstraint(
                fields=("code_digest", "parameters_digest"), name="model_version_bytes_once"
            ),
        ),
        migrations.RunSQL(CREATE, DROP),
    ]
