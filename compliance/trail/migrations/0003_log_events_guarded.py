"""Keep log events apart: DDL is the database's, redactable values the owner's, seals the sequencer's."""

from django.db import migrations

CREATE = """
GRANT SELECT, INSERT ON public.trail_logevent TO gmp_trail, gmp_sequencer;
GRANT USAGE ON SEQUENCE public.trail_logevent_id_seq TO gmp_sequencer;
CREATE TRIGGER kinds_apart BEFORE INSERT ON public.trail_logevent
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_kind();
ALTER TABLE public.trail_logevent ENABLE ALWAYS TRIGGER kinds_apart;
"""
DROP = """
DROP TRIGGER kinds_apart ON public.trail_logevent;
REVOKE USAGE ON SEQUENCE public.trail_logevent_id_seq FROM gmp_sequencer;
REVOKE SELECT, INSERT ON public.trail_logevent FROM gmp_trail, gmp_sequencer;
"""


class Migration(migrations.Migration):
    dependencies = [("trail", "0002_tables")]
    operations = [migrations.RunSQL(CREATE, DROP)]
