"""Refuse the use of equipment whose service is due, or that was not changed over to its product.

21 CFR 211.67, 211.68: the same questions as `usability`. A campaign that is under way is ended.
"""

from django.db import migrations

GUARD_UPKEEP = """
CREATE FUNCTION public.assets_guard_upkeep() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held public.assets_equipment;
    newest public.assets_equipmentuse;
    last public.assets_equipmentuse;
    running interval;
BEGIN
    SELECT * INTO held FROM public.assets_equipment WHERE id = NEW.equipment_id
        FOR NO KEY UPDATE;
    SELECT * INTO newest FROM public.assets_equipmentuse
        WHERE equipment_id = NEW.equipment_id ORDER BY used_from DESC, id DESC LIMIT 1;
    IF NEW.campaign <> '' AND coalesce(newest.campaign = NEW.campaign, false) THEN
        RETURN NEW;
    END IF;
    IF held.service_after_hours IS NOT NULL THEN
        SELECT sum(least(coalesce(u.used_until, NEW.used_from), NEW.used_from)
                - greatest(u.used_from, coalesce(held.serviced_at, '-infinity')))
            INTO running FROM public.assets_equipmentuse u
            WHERE u.equipment_id = NEW.equipment_id AND u.used_from < NEW.used_from
            AND (held.serviced_at IS NULL OR u.used_until IS NULL
                OR u.used_until > held.serviced_at);
        IF coalesce(running, interval '0') >= held.service_after_hours * interval '1 hour' THEN
            PERFORM public.assets_refuse('equipment whose service is due is not used');
        END IF;
    END IF;
    IF held.cleaning_state <> 'not-needed' AND NEW.product <> '' THEN
        SELECT * INTO last FROM public.assets_equipmentuse u
            WHERE u.equipment_id = NEW.equipment_id AND u.product <> ''
            ORDER BY u.used_from DESC, u.id DESC LIMIT 1;
        IF last.product <> NEW.product AND NOT EXISTS (
            SELECT FROM public.assets_cleaning c
            WHERE c.equipment_id = NEW.equipment_id AND c.is_changeover
            AND c.next_product = NEW.product AND c.outcome = 'accepted'
            AND c.started_at >= coalesce(last.used_until, last.used_from)
            AND c.finished_at <= NEW.used_from)
        THEN
            PERFORM public.assets_refuse(
                'equipment is cleaned for another product before it is used for it');
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_upkeep BEFORE INSERT ON public.assets_equipmentuse
    FOR EACH ROW EXECUTE FUNCTION public.assets_guard_upkeep();
ALTER TABLE public.assets_equipmentuse ENABLE ALWAYS TRIGGER guard_upkeep;
"""


class Migration(migrations.Migration):
    dependencies = [("assets", "0002_guards")]
    operations = [
        migrations.RunSQL(
            GUARD_UPKEEP,
            "DROP TRIGGER guard_upkeep ON public.assets_equipmentuse;"
            "DROP FUNCTION public.assets_guard_upkeep();",
        )
    ]
