"""Hold the account of a charged lot to its charges, and its charges to the account.

21 CFR 211.184(c), 211.188(b): what is reconciled as charged is what was charged, and nothing is charged
after it. The lock on the phase makes a charge and an account of one moment follow each other.
"""

from django.db import migrations

KEEP_ACCOUNT = """
CREATE FUNCTION public.execution_keep_account() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    line record;
    charged numeric;
BEGIN
    PERFORM FROM public.execution_batchphase WHERE id = NEW.phase_id FOR NO KEY UPDATE;
    SELECT m.batch_id, m.phase_id, m.unit INTO line
        FROM public.execution_batchmaterial m WHERE m.id = NEW.material_id;
    SELECT sum(c.net) INTO charged FROM public.execution_charge c
        WHERE c.material_id = NEW.material_id AND c.lot_id = NEW.lot_id;
    IF (NEW.batch_id, NEW.phase_id, NEW.unit)
        IS DISTINCT FROM (line.batch_id, line.phase_id, line.unit) THEN
        RAISE EXCEPTION 'a material is reconciled in its batch, phase and unit'
            USING ERRCODE = 'GM002';
    END IF;
    IF NEW.charged IS DISTINCT FROM charged THEN
        RAISE EXCEPTION 'reconciled as charged is what was charged: %, not %',
            coalesce(charged, 0), NEW.charged USING ERRCODE = 'GM002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_account BEFORE INSERT ON public.execution_materialaccount
    FOR EACH ROW EXECUTE FUNCTION public.execution_keep_account();
ALTER TABLE public.execution_materialaccount ENABLE ALWAYS TRIGGER keep_account;

CREATE FUNCTION public.execution_keep_charge() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM public.execution_batchphase WHERE id = NEW.phase_id FOR NO KEY UPDATE;
    IF EXISTS (SELECT FROM public.execution_materialaccount a
        WHERE a.material_id = NEW.material_id AND a.lot_id = NEW.lot_id) THEN
        RAISE EXCEPTION 'the lot is reconciled for this line: nothing more of it is charged'
            USING ERRCODE = 'GM002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_account BEFORE INSERT ON public.execution_charge
    FOR EACH ROW EXECUTE FUNCTION public.execution_keep_charge();
ALTER TABLE public.execution_charge ENABLE ALWAYS TRIGGER keep_account;
"""

ENTRY = """
CREATE TRIGGER keep_time BEFORE INSERT ON public.execution_materialaccount
    FOR EACH ROW EXECUTE FUNCTION public.execution_keep_time();
ALTER TABLE public.execution_materialaccount ENABLE ALWAYS TRIGGER keep_time;
CREATE TRIGGER keep_entry BEFORE UPDATE ON public.execution_materialaccount
    FOR EACH ROW EXECUTE FUNCTION public.execution_keep_entry();
ALTER TABLE public.execution_materialaccount ENABLE ALWAYS TRIGGER keep_entry;
"""


class Migration(migrations.Migration):
    dependencies = [("execution", "0003_guards"), ("assets", "0002_guards")]
    operations = [
        migrations.RunSQL(
            KEEP_ACCOUNT,
            "DROP TRIGGER keep_account ON public.execution_charge;"
            "DROP FUNCTION public.execution_keep_charge();"
            "DROP TRIGGER keep_account ON public.execution_materialaccount;"
            "DROP FUNCTION public.execution_keep_account();",
        ),
        migrations.RunSQL(
            ENTRY,
            "DROP TRIGGER keep_entry ON public.execution_materialaccount;"
            "DROP TRIGGER keep_time ON public.execution_materialaccount;",
        ),
    ]
