"""Keep what left its draft as it is, and let states follow one another only as declared.

21 CFR 211.186, 211.100(a): nobody changes a master record but by a new version. The triggers hold for
raw SQL too. SQLSTATE GM002 is what the trail says about records that are not altered.
"""

from django.db import migrations

PARTS = (
    "recipephase",
    "parameter",
    "materialrequirement",
    "expectedyield",
    "samplingpoint",
    "equipmentrequirement",
    "labelrequirement",
)

KEEP_RECIPE = """
CREATE FUNCTION public.recipes_keep_recipe() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    -- What changes with the state; all else is content.
    moving text[] := ARRAY['state', 'reviewer_id', 'checker_id', 'submitted_at', 'reviewed_at',
        'approved_at', 'effective_on', 'effective_at', 'ended_at', 'audit_seq', 'audit_head'];
    ending text[] := ARRAY['state', 'effective_at', 'ended_at', 'audit_seq', 'audit_head'];
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'draft' THEN
            RAISE EXCEPTION 'a master recipe begins as a draft, not %', NEW.state
                USING ERRCODE = 'GM002';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('draft', 'in-review'), ('draft', 'withdrawn'),
        ('in-review', 'draft'), ('in-review', 'approved'),
        ('approved', 'effective'), ('approved', 'superseded'), ('approved', 'withdrawn'),
        ('effective', 'superseded'), ('effective', 'withdrawn')
    ) THEN
        RAISE EXCEPTION 'master recipe %: it does not go from % to %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'GM002';
    END IF;
    IF NEW.state <> OLD.state AND NEW.state = 'approved'
        AND (NEW.reviewer_id IS NULL OR NEW.checker_id IS NULL) THEN
        RAISE EXCEPTION 'master recipe %: approved only when reviewed and checked', OLD.id
            USING ERRCODE = 'GM002';
    END IF;
    IF (NEW.product_id, NEW.version, NEW.author_id) IS DISTINCT FROM
        (OLD.product_id, OLD.version, OLD.author_id)
        OR (OLD.state <> 'draft' AND to_jsonb(NEW) - moving <> to_jsonb(OLD) - moving)
        OR (OLD.state IN ('approved', 'effective')
            AND to_jsonb(NEW) - ending <> to_jsonb(OLD) - ending)
        OR (OLD.state IN ('superseded', 'withdrawn')
            AND to_jsonb(NEW) - ARRAY['audit_seq', 'audit_head']
                <> to_jsonb(OLD) - ARRAY['audit_seq', 'audit_head']) THEN
        RAISE EXCEPTION 'master recipe % is %: draft a new version', OLD.id, OLD.state
            USING ERRCODE = 'GM002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_recipe BEFORE INSERT OR UPDATE ON public.recipes_masterrecipe
    FOR EACH ROW EXECUTE FUNCTION public.recipes_keep_recipe();
ALTER TABLE public.recipes_masterrecipe ENABLE ALWAYS TRIGGER keep_recipe;
"""

KEEP_PARTS = """
CREATE FUNCTION public.recipes_keep_parts() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched bigint[] := '{}';
    one bigint;
    phase bigint;
BEGIN
    IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - ARRAY['audit_seq', 'audit_head']
        = to_jsonb(OLD) - ARRAY['audit_seq', 'audit_head'] THEN
        RETURN NEW;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        touched := touched || OLD.recipe_id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        touched := touched || NEW.recipe_id;
        phase := (to_jsonb(NEW) ->> 'phase_id')::bigint;
        IF phase IS NOT NULL AND NOT EXISTS (
            SELECT FROM public.recipes_recipephase other
            WHERE other.id = phase AND other.recipe_id = NEW.recipe_id
        ) THEN
            RAISE EXCEPTION 'phase % is of another recipe than %', phase, NEW.recipe_id
                USING ERRCODE = 'GM002';
        END IF;
    END IF;
    FOREACH one IN ARRAY touched LOOP
        -- The lock makes whoever submits the draft at this moment wait, or us see that they did.
        PERFORM FROM public.recipes_masterrecipe
            WHERE id = one AND state = 'draft' FOR SHARE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'master recipe % is no draft: its parts stay as they are', one
                USING ERRCODE = 'GM002';
        END IF;
    END LOOP;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$;
"""
TRIGGER = """
CREATE TRIGGER keep_parts BEFORE INSERT OR UPDATE OR DELETE ON public.recipes_{part}
    FOR EACH ROW EXECUTE FUNCTION public.recipes_keep_parts();
ALTER TABLE public.recipes_{part} ENABLE ALWAYS TRIGGER keep_parts;
"""
DROP_TRIGGER = "DROP TRIGGER keep_parts ON public.recipes_{part};"


class Migration(migrations.Migration):
    dependencies = [("recipes", "0001_initial")]
    operations = [
        migrations.RunSQL(
            KEEP_RECIPE,
            "DROP TRIGGER keep_recipe ON public.recipes_masterrecipe;"
            "DROP FUNCTION public.recipes_keep_recipe();",
        ),
        migrations.RunSQL(KEEP_PARTS, "DROP FUNCTION public.recipes_keep_parts();"),
        *(
            migrations.RunSQL(TRIGGER.format(part=part), DROP_TRIGGER.format(part=part))
            for part in PARTS
        ),
    ]
