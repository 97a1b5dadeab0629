"""Declare equipment qualified by signature, and no longer than its stages; stretch no hold time."""

from django.db import migrations

CREATE = """
CREATE OR REPLACE FUNCTION public.assets_guard_equipment() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'in-qualification' OR NEW.cleaning_state IN ('clean', 'in-cleaning')
            OR NEW.calibration_due_on IS NOT NULL
        THEN
            PERFORM public.assets_refuse('equipment begins unqualified, uncalibrated and not clean');
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.code <> OLD.code OR NEW.kind <> OLD.kind OR NEW.serial_number <> OLD.serial_number THEN
        PERFORM public.assets_refuse('equipment keeps its code, kind and serial number');
    END IF;
    IF OLD.state = 'retired' OR (
        NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
            ('in-qualification', 'qualified'), ('in-qualification', 'out-of-service'),
            ('in-qualification', 'retired'), ('qualified', 'in-qualification'),
            ('qualified', 'out-of-service'), ('qualified', 'retired'),
            ('out-of-service', 'in-qualification'), ('out-of-service', 'retired'))
    ) THEN
        PERFORM public.assets_refuse(
            format('equipment goes not from %s to %s', OLD.state, NEW.state));
    END IF;
    -- Annex 15: qualified on an approved report of each stage, none older than the loss of it.
    IF NEW.state = 'qualified' AND EXISTS (
        SELECT FROM unnest(string_to_array(NEW.needed_stages, ',')) needed
        WHERE NOT EXISTS (
            SELECT FROM public.assets_qualification q
            WHERE q.equipment_id = NEW.id AND q.stage = needed AND q.approved_at IS NOT NULL
            AND q.recorded_at > coalesce(NEW.qualification_lost_at, '-infinity'))
    ) THEN
        PERFORM public.assets_refuse('equipment without an approved stage is not qualified');
    END IF;
    IF NEW.state = 'qualified' AND OLD.state <> 'qualified' AND NOT EXISTS (
        SELECT FROM public.signatures_signature s
        WHERE s.record = 'assets_equipment' AND s.record_id = NEW.id::text
        AND s.meaning = 'approved'
        AND s.signed_at > coalesce(NEW.qualification_lost_at, '-infinity'))
    THEN
        PERFORM public.assets_refuse('equipment is declared qualified by signature');
    END IF;
    -- It is qualified no longer than the newest report of each stage says.
    IF NEW.state = 'qualified' AND (OLD.state <> 'qualified'
        OR NEW.qualified_until IS DISTINCT FROM OLD.qualified_until) AND EXISTS (
        SELECT FROM unnest(string_to_array(NEW.needed_stages, ',')) needed, LATERAL (
            SELECT q.valid_until FROM public.assets_qualification q
            WHERE q.equipment_id = NEW.id AND q.stage = needed AND q.approved_at IS NOT NULL
            AND q.recorded_at > coalesce(NEW.qualification_lost_at, '-infinity')
            ORDER BY q.performed_on DESC, q.id DESC LIMIT 1) newest
        WHERE newest.valid_until < coalesce(NEW.qualified_until, 'infinity'))
    THEN
        PERFORM public.assets_refuse('equipment is qualified no longer than its stages');
    END IF;
    IF NEW.needed_stages <> OLD.needed_stages THEN
        PERFORM public.assets_refuse('equipment keeps the stages that it needs');
    END IF;
    IF NEW.qualification_lost_at < OLD.qualification_lost_at
        OR (OLD.qualification_lost_at IS NOT NULL AND NEW.qualification_lost_at IS NULL)
    THEN
        PERFORM public.assets_refuse('a lost qualification does not come back by itself');
    END IF;
    IF NEW.calibration_due_on IS NOT NULL
        AND NEW.calibration_due_on IS DISTINCT FROM OLD.calibration_due_on
        AND NEW.calibration_due_on IS DISTINCT FROM (
            SELECT CASE WHEN c.as_left_in_tolerance THEN c.due_on END
            FROM public.assets_calibration c WHERE c.equipment_id = NEW.id
            AND (c.verified_at IS NOT NULL OR NOT c.as_left_in_tolerance)
            ORDER BY c.performed_at DESC, c.id DESC LIMIT 1)
    THEN
        PERFORM public.assets_refuse('calibration is due when the last verified one says');
    END IF;
    IF (NEW.cleaning_state = 'not-needed') <> (OLD.cleaning_state = 'not-needed') THEN
        PERFORM public.assets_refuse('equipment that is cleaned stays equipment that is cleaned');
    END IF;
    IF OLD.cleaning_state = 'clean' AND NEW.cleaned_at = OLD.cleaned_at
        AND coalesce(NEW.clean_until, 'infinity') > coalesce(OLD.clean_until, 'infinity')
    THEN
        PERFORM public.assets_refuse('a clean-hold time is not stretched');
    END IF;
    IF NEW.cleaning_state = 'clean' AND (
        OLD.cleaning_state <> 'clean' OR NEW.cleaned_at <> OLD.cleaned_at
        OR NEW.clean_until IS DISTINCT FROM OLD.clean_until
    ) AND (
        OLD.cleaning_state NOT IN ('in-cleaning', 'clean')
        OR NOT EXISTS (
            SELECT FROM public.assets_cleaning c WHERE c.equipment_id = NEW.id
            AND c.outcome = 'accepted' AND c.finished_at = NEW.cleaned_at)
        OR (NEW.clean_hold_hours IS NOT NULL AND (NEW.clean_until IS NULL OR NEW.clean_until
            > NEW.cleaned_at + NEW.clean_hold_hours * interval '1 hour'))
    ) THEN
        PERFORM public.assets_refuse('equipment is clean after an accepted cleaning, for its time');
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("assets", "0003_moments")]
    # Backwards it stays: it allows whatever the one before allowed to the application's own acts.
    operations = [migrations.RunSQL(CREATE, migrations.RunSQL.noop)]
