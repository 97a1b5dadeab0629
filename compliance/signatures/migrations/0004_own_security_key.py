"""Let the database take the answer of the signer's own, enrolled security key only."""

from django.db import migrations

CREATE = """
CREATE FUNCTION public.signatures_of_own_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.means = 'security-key' AND NOT EXISTS (
        SELECT FROM public.signin_secondfactor enrolled
        WHERE enrolled.person_id = NEW.person_id AND enrolled.removed_at IS NULL
        AND enrolled.credential_id = NEW.credential_id AND enrolled.public_key = NEW.public_key
    ) THEN
        RAISE EXCEPTION 'the security key is not one that the signer has enrolled'
            USING ERRCODE = 'GM040';
    END IF;
    IF NEW.means = 'identity-provider' AND NOT EXISTS (
        SELECT FROM public.signin_identitylink linked
        WHERE linked.person_id = NEW.person_id AND linked.ended_at IS NULL
        AND linked.provider = NEW.issuer AND linked.subject = NEW.subject
    ) THEN
        RAISE EXCEPTION 'the identity is not one that is linked to the signer'
            USING ERRCODE = 'GM040';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER of_own_key BEFORE INSERT ON public.signatures_reauthentication
    FOR EACH ROW EXECUTE FUNCTION public.signatures_of_own_key();
ALTER TABLE public.signatures_reauthentication ENABLE ALWAYS TRIGGER of_own_key;
"""
DROP = """
DROP TRIGGER of_own_key ON public.signatures_reauthentication;
DROP FUNCTION public.signatures_of_own_key();
"""


class Migration(migrations.Migration):
    dependencies = [("signatures", "0003_first_statement"), ("signin", "0002_guards")]
    operations = [migrations.RunSQL(CREATE, DROP)]
