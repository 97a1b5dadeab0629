"""Hold the rules of equipment and lots in the database too (21 CFR 211.68, 211.84, 211.182)."""

from django.db import migrations

TABLES = {
    "equipment": ("guard_equipment", "INSERT OR UPDATE"),
    "qualification": ("guard_done_once", "INSERT OR UPDATE"),
    "calibration": ("guard_done_once", "INSERT OR UPDATE"),
    "cleaning": ("guard_done_once", "INSERT OR UPDATE"),
    "partchange": ("guard_part_change", "INSERT"),
    "equipmentuse": ("guard_use", "INSERT OR UPDATE"),
    "material": ("guard_material", "UPDATE"),
    "materiallot": ("guard_lot", "INSERT OR UPDATE"),
    "movement": ("guard_movement", "INSERT"),
    "lotcomponent": ("guard_component", "INSERT"),
}

HELPERS = """
CREATE FUNCTION public.assets_refuse(said text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', said USING ERRCODE = 'check_violation';
END $$;

CREATE FUNCTION public.assets_only_change(before jsonb, after jsonb, VARIADIC may text[])
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    may := may || ARRAY['audit_seq', 'audit_head'];
    IF (before - may) <> (after - may) THEN
        PERFORM public.assets_refuse('assets: what was recorded is not rewritten');
    END IF;
END $$;

CREATE FUNCTION public.assets_is_signed(
    of_record text, of_id bigint, with_meaning text, by_signer bigint, at_moment timestamptz
) RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM public.signatures_signature s
        WHERE s.record = of_record AND s.record_id = of_id::text AND s.meaning = with_meaning
        AND s.signer_id = by_signer AND s.signed_at = at_moment
    )
$$;
"""

EQUIPMENT = """
CREATE FUNCTION public.assets_guard_equipment() RETURNS trigger LANGUAGE plpgsql
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

CREATE FUNCTION public.assets_guard_part_change() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held public.assets_equipment;
BEGIN
    SELECT * INTO held FROM public.assets_equipment WHERE id = NEW.equipment_id
        FOR NO KEY UPDATE;
    IF NOT NEW.is_like_for_like AND (
        held.state = 'qualified' OR held.qualification_lost_at IS NULL
        OR held.qualification_lost_at < NEW.recorded_at)
    THEN
        PERFORM public.assets_refuse('a part of another make ends the qualification first');
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION public.assets_guard_use() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held public.assets_equipment;
    newest public.assets_equipmentuse;
    used_on date := (NEW.used_from AT TIME ZONE 'UTC')::date;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        PERFORM public.assets_only_change(to_jsonb(OLD), to_jsonb(NEW), 'used_until');
        IF OLD.used_until IS NOT NULL AND NEW.used_until IS DISTINCT FROM OLD.used_until THEN
            PERFORM public.assets_refuse('a use ends once');
        END IF;
        RETURN NEW;
    END IF;
    SELECT * INTO held FROM public.assets_equipment WHERE id = NEW.equipment_id
        FOR NO KEY UPDATE;
    SELECT * INTO newest FROM public.assets_equipmentuse
        WHERE equipment_id = NEW.equipment_id ORDER BY used_from DESC, id DESC LIMIT 1;
    IF held.state <> 'qualified' OR held.qualified_until < used_on THEN
        PERFORM public.assets_refuse('equipment that is not qualified is not used');
    END IF;
    IF held.calibration_interval_days IS NOT NULL
        AND coalesce(held.calibration_due_on < used_on, true)
    THEN
        PERFORM public.assets_refuse('equipment whose calibration is due is not used');
    END IF;
    IF held.cleaning_state <> 'not-needed' AND NOT (
        held.cleaning_state = 'clean' AND held.cleaned_at <= NEW.used_from
        AND coalesce(held.clean_until >= NEW.used_from, true)
        AND coalesce(newest.used_from < held.cleaned_at, true)
    ) AND NOT (
        held.cleaning_state <> 'in-cleaning'
        AND NEW.campaign <> '' AND coalesce(newest.campaign = NEW.campaign, false)
    ) THEN
        PERFORM public.assets_refuse('equipment that is not clean is not used');
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION public.assets_guard_done_once() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF (to_jsonb(NEW) ->> CASE TG_TABLE_NAME WHEN 'assets_qualification' THEN 'approved_at'
            ELSE 'verified_at' END) IS NOT NULL OR coalesce(to_jsonb(NEW) ->> 'outcome', 'running')
            <> 'running'
        THEN
            PERFORM public.assets_refuse('what was just done is not approved or verified yet');
        END IF;
        RETURN NEW;
    END IF;
    IF TG_TABLE_NAME = 'assets_qualification' THEN
        PERFORM public.assets_only_change(to_jsonb(OLD), to_jsonb(NEW), 'approved_at',
            'approved_by_id');
        IF OLD.approved_at IS NOT NULL OR NOT public.assets_is_signed(
            'assets_qualification', NEW.id, 'approved', NEW.approved_by_id, NEW.approved_at)
        THEN
            PERFORM public.assets_refuse('a stage is approved once, by signature');
        END IF;
    ELSIF TG_TABLE_NAME = 'assets_calibration' THEN
        PERFORM public.assets_only_change(to_jsonb(OLD), to_jsonb(NEW), 'verified_at',
            'verified_by_id', 'due_on', 'deviation_id');
        IF NEW.due_on > OLD.due_on OR (OLD.deviation_id IS NOT NULL
            AND NEW.deviation_id IS DISTINCT FROM OLD.deviation_id)
            OR (OLD.verified_at IS NOT NULL AND (NEW.verified_at, NEW.verified_by_id)
                IS DISTINCT FROM (OLD.verified_at, OLD.verified_by_id))
        THEN
            PERFORM public.assets_refuse('a calibration is verified once and holds no longer');
        END IF;
    ELSE
        PERFORM public.assets_only_change(to_jsonb(OLD), to_jsonb(NEW), 'finished_at', 'outcome',
            'remark', 'verified_at', 'verified_by_id');
        IF (OLD.outcome, NEW.outcome) NOT IN (('running', 'finished'), ('running', 'failed'),
            ('finished', 'accepted'), ('finished', 'failed'))
        THEN
            PERFORM public.assets_refuse(
                format('a cleaning goes not from %s to %s', OLD.outcome, NEW.outcome));
        END IF;
    END IF;
    RETURN NEW;
END $$;
"""

LOTS = """
CREATE FUNCTION public.assets_guard_material() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.code <> OLD.code OR NEW.unit <> OLD.unit OR NEW.kind <> OLD.kind THEN
        PERFORM public.assets_refuse('a material keeps its code, kind and unit');
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION public.assets_guard_lot() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'quarantine' OR NEW.decided_at IS NOT NULL THEN
            PERFORM public.assets_refuse('a lot begins in quarantine');
        END IF;
        IF NOT EXISTS (SELECT FROM public.assets_material m
            WHERE m.id = NEW.material_id AND m.unit = NEW.unit)
        THEN
            PERFORM public.assets_refuse('a lot is counted in the unit of its material');
        END IF;
        RETURN NEW;
    END IF;
    PERFORM public.assets_only_change(to_jsonb(OLD), to_jsonb(NEW), 'state', 'decided_by_id',
        'decided_at', 'location', 'expires_on', 'retest_on');
    IF NEW.state <> OLD.state THEN
        IF (OLD.state, NEW.state) NOT IN (
            ('quarantine', 'released'), ('quarantine', 'rejected'), ('quarantine', 'blocked'),
            ('released', 'quarantine'), ('released', 'rejected'), ('released', 'blocked'),
            ('blocked', 'quarantine'), ('blocked', 'rejected'), ('blocked', 'released'))
        THEN
            PERFORM public.assets_refuse(
                format('a lot goes not from %s to %s', OLD.state, NEW.state));
        END IF;
        IF NEW.state IN ('released', 'rejected') AND NOT public.assets_is_signed(
            'assets_materiallot', NEW.id, NEW.state, NEW.decided_by_id, NEW.decided_at)
        THEN
            PERFORM public.assets_refuse('a lot is released or rejected by signature');
        END IF;
    ELSIF (NEW.decided_by_id, NEW.decided_at)
        IS DISTINCT FROM (OLD.decided_by_id, OLD.decided_at)
    THEN
        PERFORM public.assets_refuse('who decided about a lot is not rewritten');
    END IF;
    -- A released lot lives no longer than it was released for.
    IF OLD.state IN ('released', 'rejected') AND (
        coalesce(NEW.expires_on, 'infinity') > coalesce(OLD.expires_on, 'infinity')
        OR coalesce(NEW.retest_on, 'infinity') > coalesce(OLD.retest_on, 'infinity'))
    THEN
        PERFORM public.assets_refuse('the dates of a released lot are not put off');
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION public.assets_guard_movement() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held public.assets_materiallot;
    newest public.assets_movement;
    moved_on date := (NEW.moved_at AT TIME ZONE 'UTC')::date;
BEGIN
    -- The lock makes two people who take from one lot follow each other.
    SELECT * INTO held FROM public.assets_materiallot WHERE id = NEW.lot_id FOR NO KEY UPDATE;
    SELECT * INTO newest FROM public.assets_movement
        WHERE lot_id = NEW.lot_id ORDER BY sequence DESC LIMIT 1;
    IF NEW.sequence <> coalesce(newest.sequence, 0) + 1
        OR NEW.balance <> coalesce(newest.balance, 0) + NEW.quantity
    THEN
        PERFORM public.assets_refuse('a ledger goes on from its last line');
    END IF;
    IF (NEW.kind = 'received') <> (NEW.sequence = 1)
        OR (NEW.kind = 'received' AND NEW.quantity <> held.quantity)
    THEN
        PERFORM public.assets_refuse('a ledger begins with what was received, once');
    END IF;
    IF NEW.moved_at < held.received_at THEN
        PERFORM public.assets_refuse('nothing happens to a lot before its receipt');
    END IF;
    IF NEW.kind = 'dispensed' AND (
        held.state <> 'released' OR held.decided_at > NEW.moved_at
        OR held.expires_on < moved_on OR held.retest_on < moved_on)
    THEN
        PERFORM public.assets_refuse('of a lot that is not released and in date nothing is taken');
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION public.assets_guard_component() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(8423010);  -- two lines at once could close a circle
    IF EXISTS (
        WITH RECURSIVE made_of(id) AS (
            SELECT NEW.child_id
            UNION SELECT c.child_id FROM public.assets_lotcomponent c
            JOIN made_of m ON c.parent_id = m.id)
        SELECT FROM made_of WHERE id = NEW.parent_id)
    THEN
        PERFORM public.assets_refuse('a lot is not made of itself');
    END IF;
    IF NOT EXISTS (SELECT FROM public.assets_materiallot l
        WHERE l.id = NEW.child_id AND l.unit = NEW.unit)
    THEN
        PERFORM public.assets_refuse('a component is counted in the unit of its lot');
    END IF;
    RETURN NEW;
END $$;
"""


def _create(table: str, name: str, when: str) -> str:
    return (
        f"CREATE TRIGGER {name} BEFORE {when} ON public.assets_{table} "
        f"FOR EACH ROW EXECUTE FUNCTION public.assets_{name}();\n"
        f"ALTER TABLE public.assets_{table} ENABLE ALWAYS TRIGGER {name};\n"
    )


def _drop(table: str, name: str) -> str:
    return f"DROP TRIGGER {name} ON public.assets_{table};\n"


CREATE = (
    HELPERS
    + EQUIPMENT
    + LOTS
    + "".join(_create(table, name, when) for table, (name, when) in TABLES.items())
)
DROP = (
    "".join(_drop(table, name) for table, (name, _) in TABLES.items())
    + "".join(
        f"DROP FUNCTION public.assets_{name}();\n"
        for name in sorted({name for name, _ in TABLES.values()})
    )
    + """
DROP FUNCTION public.assets_is_signed(text, bigint, text, bigint, timestamptz);
DROP FUNCTION public.assets_only_change(jsonb, jsonb, VARIADIC text[]);
DROP FUNCTION public.assets_refuse(text);
"""
)


class Migration(migrations.Migration):
    dependencies = [("assets", "0001_initial"), ("signatures", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
