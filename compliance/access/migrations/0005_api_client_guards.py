"""Hold clients, their secrets and their tokens in the database."""

from django.db import migrations

CREATE = """
-- A secret ends once, earlier at most; no more than two of a client are valid at a time.
CREATE FUNCTION public.access_two_secrets_at_most() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.ends_at IS NOT NULL AND (NEW.ends_at IS NULL OR NEW.ends_at > OLD.ends_at) THEN
            RAISE EXCEPTION 'a secret of a client is not prolonged' USING ERRCODE = 'GM002';
        END IF;
        RETURN NEW;
    END IF;
    -- The lock on the client makes two secrets at once see each other.
    PERFORM 1 FROM public.access_apiclient
        WHERE id = NEW.client_id AND revoked_at IS NULL FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a revoked client gets no secret' USING ERRCODE = 'GM002';
    END IF;
    IF (SELECT count(*) FROM public.access_clientsecret other
        WHERE other.client_id = NEW.client_id AND other.revoked_at IS NULL
        AND (other.ends_at IS NULL OR other.ends_at > NEW.created_at)) > 1
    THEN
        RAISE EXCEPTION 'a client has two valid secrets at most' USING ERRCODE = 'GM002';
    END IF;
    RETURN NEW;
END $$;

-- A token is issued on a valid secret of a client that is not revoked, within its scopes.
CREATE FUNCTION public.access_token_of_valid_secret() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.access_clientsecret secret
        JOIN public.access_apiclient client ON client.id = secret.client_id
        JOIN public.access_device device ON device.id = client.device_id
        WHERE secret.id = NEW.secret_id AND secret.revoked_at IS NULL
        AND (secret.ends_at IS NULL OR secret.ends_at > NEW.issued_at)
        AND client.revoked_at IS NULL
        AND device.is_active AND device.qualification = 'qualified'
        AND string_to_array(NEW.scopes, ' ') <@ string_to_array(client.scopes, ' ')
        FOR SHARE OF secret, client
    ) THEN
        RAISE EXCEPTION 'this secret, client or device may have no such token'
            USING ERRCODE = 'GM002';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER keep_as_recorded BEFORE UPDATE ON public.access_apiclient
    FOR EACH ROW EXECUTE FUNCTION public.access_keep_as_recorded('*scopes', 'revoked_at');
ALTER TABLE public.access_apiclient ENABLE ALWAYS TRIGGER keep_as_recorded;

CREATE TRIGGER keep_as_recorded BEFORE UPDATE ON public.access_clientsecret
    FOR EACH ROW EXECUTE FUNCTION public.access_keep_as_recorded('*ends_at', 'revoked_at');
CREATE TRIGGER two_at_most BEFORE INSERT OR UPDATE ON public.access_clientsecret
    FOR EACH ROW EXECUTE FUNCTION public.access_two_secrets_at_most();
ALTER TABLE public.access_clientsecret ENABLE ALWAYS TRIGGER keep_as_recorded,
    ENABLE ALWAYS TRIGGER two_at_most;

CREATE TRIGGER of_valid_secret BEFORE INSERT ON public.access_accesstoken
    FOR EACH ROW EXECUTE FUNCTION public.access_token_of_valid_secret();
ALTER TABLE public.access_accesstoken ENABLE ALWAYS TRIGGER of_valid_secret;
"""
DROP = """
DROP TRIGGER of_valid_secret ON public.access_accesstoken;
DROP TRIGGER two_at_most ON public.access_clientsecret;
DROP TRIGGER keep_as_recorded ON public.access_clientsecret;
DROP TRIGGER keep_as_recorded ON public.access_apiclient;
DROP FUNCTION public.access_token_of_valid_secret();
DROP FUNCTION public.access_two_secrets_at_most();
"""


class Migration(migrations.Migration):
    dependencies = [("access", "0004_more_guards")]
    operations = [migrations.RunSQL(CREATE, DROP)]
