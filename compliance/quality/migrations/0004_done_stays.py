"""Keep plans as approved and work as done, where no signature covers them; closures by others only."""

from django.db import migrations

CREATE = """
CREATE OR REPLACE FUNCTION public.quality_keep_closure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = OLD.state OR public.quality_is_recovering(TG_RELID) THEN
        RETURN NEW;
    END IF;
    IF NEW.state = 'cancelled' AND (NEW.duplicate_of_id = NEW.id OR EXISTS (
        SELECT FROM public.quality_deviation WHERE id = NEW.duplicate_of_id AND state = 'cancelled'
    )) THEN
        PERFORM public.quality_refuse(NEW.number || ' names no original that stands');
    END IF;
    IF NEW.state <> 'closed' THEN
        RETURN NEW;
    END IF;
    IF NOT EXISTS (SELECT FROM public.quality_classification WHERE deviation_id = NEW.id) THEN
        PERFORM public.quality_refuse(NEW.number || ' is not classified');
    ELSIF EXISTS (SELECT FROM public.quality_neighbour WHERE deviation_id = NEW.id AND effect = '')
    THEN
        PERFORM public.quality_refuse(NEW.number || ' has neighbours that nobody considered');
    ELSIF NEW.root_cause_category = 'human-error' AND 2 > (
        SELECT count(DISTINCT category) FROM public.quality_causeconsidered
        WHERE deviation_id = NEW.id AND finding = 'ruled-out' AND category IN ('method', 'system')
    ) THEN
        PERFORM public.quality_refuse(NEW.number || ' blames a person with nothing ruled out');
    ELSIF NOT EXISTS (  -- 21 CFR 211.192: closed by another person than the one who investigated
        SELECT FROM public.signatures_signature closing JOIN public.signatures_signature found
            ON found.record = closing.record AND found.record_id = closing.record_id
            AND found.meaning = 'investigated' AND found.signer_id <> closing.signer_id
        WHERE closing.record = 'quality_deviation' AND closing.record_id = NEW.id::text
            AND closing.meaning = 'closed' AND NOT EXISTS (  -- in any version
                SELECT FROM public.signatures_signature own
                WHERE own.record = closing.record AND own.record_id = closing.record_id
                AND own.meaning = 'investigated' AND own.signer_id = closing.signer_id)
    ) THEN
        PERFORM public.quality_refuse(NEW.number || ' lacks the signatures of two people');
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION public.quality_keep_done() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.done_at IS NOT NULL AND NOT public.quality_is_recovering(TG_RELID) THEN
        PERFORM public.quality_refuse(TG_TABLE_NAME || ' ' || OLD.id || ' is done, and stays so');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_done BEFORE UPDATE ON public.quality_capaaction
    FOR EACH ROW EXECUTE FUNCTION public.quality_keep_done();
CREATE TRIGGER keep_plan BEFORE UPDATE ON public.quality_capaaction FOR EACH ROW
    EXECUTE FUNCTION public.quality_keep_identity('capa_id', 'text', 'owner_id', 'due_on');
CREATE TRIGGER keep_done BEFORE UPDATE ON public.quality_changetask
    FOR EACH ROW EXECUTE FUNCTION public.quality_keep_done();
CREATE TRIGGER keep_plan BEFORE UPDATE ON public.quality_changetask FOR EACH ROW
    EXECUTE FUNCTION public.quality_keep_identity('change_id', 'text', 'owner_id', 'due_on');
CREATE TRIGGER keep_capa_implemented BEFORE INSERT ON public.quality_effectivenesscheck
    FOR EACH ROW EXECUTE FUNCTION
    public.quality_keep_parent('quality_capa', 'capa_id', 'implemented');
ALTER TABLE public.quality_capaaction ENABLE ALWAYS TRIGGER keep_done,
    ENABLE ALWAYS TRIGGER keep_plan;
ALTER TABLE public.quality_changetask ENABLE ALWAYS TRIGGER keep_done,
    ENABLE ALWAYS TRIGGER keep_plan;
ALTER TABLE public.quality_effectivenesscheck ENABLE ALWAYS TRIGGER keep_capa_implemented;
"""
DROP = """
DROP TRIGGER keep_capa_implemented ON public.quality_effectivenesscheck;
DROP TRIGGER keep_plan ON public.quality_changetask;
DROP TRIGGER keep_done ON public.quality_changetask;
DROP TRIGGER keep_plan ON public.quality_capaaction;
DROP TRIGGER keep_done ON public.quality_capaaction;
DROP FUNCTION public.quality_keep_done();
CREATE OR REPLACE FUNCTION public.quality_keep_closure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = OLD.state OR public.quality_is_recovering(TG_RELID) THEN
        RETURN NEW;
    END IF;
    IF NEW.state = 'cancelled' AND (NEW.duplicate_of_id = NEW.id OR EXISTS (
        SELECT FROM public.quality_deviation WHERE id = NEW.duplicate_of_id AND state = 'cancelled'
    )) THEN
        PERFORM public.quality_refuse(NEW.number || ' names no original that stands');
    END IF;
    IF NEW.state <> 'closed' THEN
        RETURN NEW;
    END IF;
    IF NOT EXISTS (SELECT FROM public.quality_classification WHERE deviation_id = NEW.id) THEN
        PERFORM public.quality_refuse(NEW.number || ' is not classified');
    ELSIF EXISTS (SELECT FROM public.quality_neighbour WHERE deviation_id = NEW.id AND effect = '')
    THEN
        PERFORM public.quality_refuse(NEW.number || ' has neighbours that nobody considered');
    ELSIF NEW.root_cause_category = 'human-error' AND 2 > (
        SELECT count(DISTINCT category) FROM public.quality_causeconsidered
        WHERE deviation_id = NEW.id AND finding = 'ruled-out' AND category IN ('method', 'system')
    ) THEN
        PERFORM public.quality_refuse(NEW.number || ' blames a person with nothing ruled out');
    ELSIF NOT EXISTS (  -- 21 CFR 211.192: closed by another person than the one who investigated
        SELECT FROM public.signatures_signature closing JOIN public.signatures_signature found
            ON found.record = closing.record AND found.record_id = closing.record_id
            AND found.meaning = 'investigated' AND found.signer_id <> closing.signer_id
        WHERE closing.record = 'quality_deviation' AND closing.record_id = NEW.id::text
            AND closing.meaning = 'closed'
    ) THEN
        PERFORM public.quality_refuse(NEW.number || ' lacks the signatures of two people');
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("quality", "0003_trail_review_draws")]
    operations = [migrations.RunSQL(CREATE, DROP)]
