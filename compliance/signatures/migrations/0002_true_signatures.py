"""Let the database refuse signatures that are not what they say (21 CFR 11.50, 11.70, 11.10(j))."""

from django.db import migrations

CREATE = """
-- As `access.duties.LABELS`; a test compares the two.
CREATE FUNCTION public.signatures_role_label(role text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE role
        WHEN 'operator' THEN 'Operator'
        WHEN 'supervisor' THEN 'Supervisor'
        WHEN 'warehouse' THEN 'Warehouse'
        WHEN 'maintenance' THEN 'Maintenance and calibration'
        WHEN 'qc-analyst' THEN 'QC analyst'
        WHEN 'qc-supervisor' THEN 'QC supervisor'
        WHEN 'quality-assurance' THEN 'Quality assurance'
        WHEN 'qualified-person' THEN 'Qualified Person'
        WHEN 'process-engineer' THEN 'Process engineer'
        WHEN 'system-administrator' THEN 'System administrator'
        WHEN 'auditor' THEN 'Auditor (read only)'
    END
$$;

-- The same bytes as `signatures.binding` makes of them: each field with its length before it.
CREATE FUNCTION public.signatures_binding(s public.signatures_signature) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT encode(sha256(convert_to(string_agg(octet_length(field) || ':' || field || ',', ''
        ORDER BY place), 'UTF8')), 'hex')
    FROM unnest(ARRAY[
        'gmp-signature/binding/v1', s.record, s.record_id, s.record_digest, s.content_parts,
        s.meaning, s.signer_id::text, s.printed_name, s.username, s.role, s.comment,
        to_char(s.signed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), s.zone, s.means,
        s.confirmation, coalesce(s.reauthentication_id::text, '')
    ]::text[]) WITH ORDINALITY AS one(field, place)
$$;

CREATE FUNCTION public.signatures_record_exists(record text, record_id text) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
    signed regclass := to_regclass(format('public.%I', record));
    key name;
    kind text;
    found boolean := false;
BEGIN
    -- A controlled table, or one that was renamed since: its capture knows the record's name.
    SELECT t.tgrelid INTO signed FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE t.tgname = 'zz_capture'
    AND (t.tgrelid = signed OR signed IS NULL AND strpos(p.prosrc, '"record":"' || record || '"') > 0)
    LIMIT 1;
    IF signed IS NULL THEN
        RETURN false;
    END IF;
    SELECT a.attname, format_type(a.atttypid, a.atttypmod) INTO key, kind
    FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    WHERE i.indrelid = signed AND i.indisprimary;
    EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE %I = $1::%s AND %I::text = $1)',
                   signed, key, kind, key) INTO found USING record_id;
    RETURN found;
EXCEPTION WHEN data_exception THEN
    RETURN false;
END $$;

CREATE FUNCTION public.signatures_keep_signature_true() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    person public.access_user;
    held text;
    in_force bigint;
BEGIN
    IF NOT public.signatures_record_exists(NEW.record, NEW.record_id) THEN
        RAISE EXCEPTION 'there is no % % to sign', NEW.record, NEW.record_id
            USING ERRCODE = 'GM040';
    END IF;
    -- The lock lets nobody end a role or rename the person between this check and the commit.
    SELECT * INTO person FROM public.access_user WHERE id = NEW.signer_id FOR SHARE;
    IF NOT FOUND OR NOT person.is_active
            OR person.username <> NEW.username OR person.full_name <> NEW.printed_name THEN
        RAISE EXCEPTION 'the signature does not show its signer''s own name'
            USING ERRCODE = 'GM040';
    END IF;
    SELECT string_agg(public.signatures_role_label(role), ', ' ORDER BY role COLLATE "C") INTO held
    FROM public.access_roleassignment WHERE user_id = NEW.signer_id AND ended_at IS NULL;
    IF held IS NULL OR held <> NEW.role THEN
        RAISE EXCEPTION '% does not hold the role that the signature shows', NEW.username
            USING ERRCODE = 'GM040';
    END IF;
    IF NOT EXISTS (SELECT FROM public.access_identityproof
                   WHERE person_id = NEW.signer_id AND withdrawn_at IS NULL) THEN
        RAISE EXCEPTION 'the identity of % is not established', NEW.username
            USING ERRCODE = 'GM043';
    END IF;
    IF strpos(coalesce(current_setting('audit.act', true), ''),
              '"actor_id":"user:' || NEW.signer_id || '"') = 0 THEN
        RAISE EXCEPTION '% signs in an act of their own only', NEW.username
            USING ERRCODE = 'GM040';
    END IF;
    IF NEW.confirmation = '' OR NEW.binding <> public.signatures_binding(NEW) THEN
        RAISE EXCEPTION 'the fields of the signature are not bound to each other'
            USING ERRCODE = 'GM040';
    END IF;
    IF NEW.reauthentication_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM public.signatures_reauthentication made
        WHERE made.id = NEW.reauthentication_id AND made.person_id = NEW.signer_id
        AND made.means = NEW.means
        AND (made.means <> 'security-key' OR (made.record, made.record_id, made.record_digest,
            made.meaning) = (NEW.record, NEW.record_id, NEW.record_digest, NEW.meaning))
    ) THEN
        RAISE EXCEPTION 'the signature was confirmed for another signer, record or meaning'
            USING ERRCODE = 'GM040';
    END IF;
    SELECT id INTO in_force FROM public.signatures_statement
    WHERE effective_at IS NOT NULL ORDER BY version DESC LIMIT 1;
    IF NOT (NEW.record = 'signatures_statement' AND NEW.record_id = in_force::text
            AND NEW.meaning = 'acknowledged') AND NOT EXISTS (
        SELECT FROM public.signatures_signature given
        WHERE given.record = 'signatures_statement' AND given.record_id = in_force::text
        AND given.meaning = 'acknowledged' AND given.signer_id = NEW.signer_id
    ) THEN
        RAISE EXCEPTION '% has not acknowledged the accountability statement in force',
            NEW.username USING ERRCODE = 'GM041';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_signature_true BEFORE INSERT ON public.signatures_signature
    FOR EACH ROW EXECUTE FUNCTION public.signatures_keep_signature_true();
ALTER TABLE public.signatures_signature ENABLE ALWAYS TRIGGER keep_signature_true;

CREATE FUNCTION public.signatures_keep_published() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- What happens below, by the capture's own columns, is no change of the statement.
    IF OLD.effective_at IS NOT NULL AND (NEW.version, NEW.text, NEW.effective_at, NEW.drafted_at)
            IS DISTINCT FROM (OLD.version, OLD.text, OLD.effective_at, OLD.drafted_at) THEN
        RAISE EXCEPTION 'statement % is published, and stays as it is', OLD.version
            USING ERRCODE = 'GM042';
    END IF;
    IF OLD.effective_at IS NULL AND NEW.effective_at IS NOT NULL AND NOT EXISTS (
        SELECT FROM public.signatures_signature s
        WHERE s.record = 'signatures_statement' AND s.record_id = NEW.id::text
        AND s.meaning = 'approved' AND s.signer_id IS DISTINCT FROM NEW.drafted_by_id
    ) THEN
        RAISE EXCEPTION 'statement % is published by the signature of a second person', OLD.version
            USING ERRCODE = 'GM042';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_published BEFORE UPDATE ON public.signatures_statement
    FOR EACH ROW EXECUTE FUNCTION public.signatures_keep_published();
ALTER TABLE public.signatures_statement ENABLE ALWAYS TRIGGER keep_published;
"""
DROP = """
DROP TRIGGER keep_published ON public.signatures_statement;
DROP FUNCTION public.signatures_keep_published();
DROP TRIGGER keep_signature_true ON public.signatures_signature;
DROP FUNCTION public.signatures_keep_signature_true();
DROP FUNCTION public.signatures_record_exists(text, text);
DROP FUNCTION public.signatures_binding(public.signatures_signature);
DROP FUNCTION public.signatures_role_label(text);
"""


class Migration(migrations.Migration):
    dependencies = [("signatures", "0001_initial"), ("access", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
