"""Approve a recipe only while each specification that it names is effective for its product.

21 CFR 211.160(a), 211.186(b)(9): the same question as `recipe_specifications.objection`. The lock keeps
whoever supersedes that version at this moment waiting.
"""

from django.db import migrations

KEEP_SPECIFIED = """
CREATE FUNCTION public.laboratory_is_effective(
    of_product bigint, with_code text, with_version text, for_release boolean
) RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM public.laboratory_specificationversion v
        JOIN public.laboratory_specification s ON s.id = v.specification_id
        WHERE s.code = with_code AND s.product_id = of_product
        AND (NOT for_release OR s.use = 'release')
        AND v.version::text = with_version AND v.state = 'effective'
        FOR SHARE OF v;
    RETURN FOUND;
END $$;
CREATE FUNCTION public.laboratory_keep_specified() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    point record;
BEGIN
    IF NEW.state <> 'approved' OR OLD.state = 'approved' THEN
        RETURN NEW;
    END IF;
    IF NOT public.laboratory_is_effective(
        NEW.product_id, NEW.specification, NEW.specification_version, true) THEN
        RAISE EXCEPTION 'master recipe %: “% %” is no effective specification of its product',
            OLD.id, NEW.specification, NEW.specification_version USING ERRCODE = 'GM002';
    END IF;
    FOR point IN
        SELECT p.specification, p.specification_version FROM public.recipes_samplingpoint p
        WHERE p.recipe_id = NEW.id AND p.specification <> ''
    LOOP
        IF NOT public.laboratory_is_effective(
            NEW.product_id, point.specification, point.specification_version, false) THEN
            RAISE EXCEPTION 'master recipe %: “% %” is no effective specification of its product',
                OLD.id, point.specification, point.specification_version
                USING ERRCODE = 'GM002';
        END IF;
    END LOOP;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_specified BEFORE UPDATE ON public.recipes_masterrecipe
    FOR EACH ROW EXECUTE FUNCTION public.laboratory_keep_specified();
ALTER TABLE public.recipes_masterrecipe ENABLE ALWAYS TRIGGER keep_specified;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("laboratory", "0004_guards_of_stability_and_complaints"),
        ("recipes", "0003_changes_approved"),
    ]
    operations = [
        migrations.RunSQL(
            KEEP_SPECIFIED,
            "DROP TRIGGER keep_specified ON public.recipes_masterrecipe;"
            "DROP FUNCTION public.laboratory_keep_specified();"
            "DROP FUNCTION public.laboratory_is_effective(bigint, text, text, boolean);",
        )
    ]
