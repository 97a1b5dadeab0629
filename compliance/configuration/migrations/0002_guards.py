"""Hold the rules of the configuration in the database too."""

from django.db import migrations

CREATE = """
CREATE FUNCTION public.configuration_change_moves() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'found' THEN
            RAISE EXCEPTION 'a change of the configuration begins as found'
                USING ERRCODE = 'GM011';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state <> 'found' OR (NEW.number, NEW.found_at, NEW.found_by)
        IS DISTINCT FROM (OLD.number, OLD.found_at, OLD.found_by)
    THEN
        RAISE EXCEPTION '%: what was found and assessed stays', OLD.number
            USING ERRCODE = 'GM011';
    END IF;
    IF NEW.state = 'assessed' AND NOT EXISTS (
        SELECT FROM public.signatures_signature s
        WHERE s.id = NEW.signature_id AND s.record = 'configuration_configurationchange'
        AND s.record_id = NEW.id::text AND s.meaning = 'reviewed'
    ) THEN
        RAISE EXCEPTION '%: a change of the configuration is assessed by signature', OLD.number
            USING ERRCODE = 'GM011';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER configuration_change_moves
    BEFORE INSERT OR UPDATE ON public.configuration_configurationchange
    FOR EACH ROW EXECUTE FUNCTION public.configuration_change_moves();

-- What was assessed stays as it was signed.
CREATE FUNCTION public.configuration_setting_of_found() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (
        SELECT c.state FROM public.configuration_configurationchange c
        WHERE c.id = NEW.change_id FOR SHARE
    ) IS DISTINCT FROM 'found' THEN
        RAISE EXCEPTION 'settings are noted together with the change that found them'
            USING ERRCODE = 'GM011';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER configuration_setting_of_found
    BEFORE INSERT ON public.configuration_changedsetting
    FOR EACH ROW EXECUTE FUNCTION public.configuration_setting_of_found();

ALTER TABLE public.configuration_configurationchange
    ENABLE ALWAYS TRIGGER configuration_change_moves;
ALTER TABLE public.configuration_changedsetting
    ENABLE ALWAYS TRIGGER configuration_setting_of_found;
"""
DROP = """
DROP TRIGGER configuration_setting_of_found ON public.configuration_changedsetting;
DROP TRIGGER configuration_change_moves ON public.configuration_configurationchange;
DROP FUNCTION public.configuration_setting_of_found(), public.configuration_change_moves();
"""


class Migration(migrations.Migration):
    dependencies = [("configuration", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
