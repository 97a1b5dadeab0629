"""Keep log events apart: DDL is written by the database, redactable values by the owner."""

from django.db import migrations

CREATE = """
GRANT SELECT, INSERT ON public.trail_logevent TO gmp_trail;
CREATE TRIGGER kinds_apart BEFORE INSERT ON public.trail_logevent
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_kind();
ALTER TABLE public.trail_logevent ENABLE ALWAYS TRIGGER kinds_apart;
"""
DROP = """
DROP TRIGGER kinds_apart ON public.trail_logevent;
REVOKE SELECT, INSERT ON public.trail_logevent FROM gmp_trail;
"""


class Migration(migrations.Migration):
    dependencies = [("trail", "0002_tables")]
    operations = [migrations.RunSQL(CREATE, DROP)]
