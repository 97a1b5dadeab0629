-- Which role writes which kind of log event: one for each, and none for a kind that no line names.
--   gmp_owner      what was let go, recovered or begun, and which values may be erased one day
--   gmp_sequencer  what it computes from the entries: heads of records, trees with another hash
--   gmp_signer     what keys and others say of checkpoints
--   gmp_trail      DDL, by the event triggers
--   gmp_app        what people decide there, in the transaction of the decision: erasures, legal
--                  holds, bundles handed out; and what it saw when it verified
CREATE OR REPLACE FUNCTION audit.refuse_kind() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    writer constant text := CASE
        WHEN NEW.kind IN ('archive', 'detach', 'log', 'origin', 'recovery', 'redactable')
            THEN 'gmp_owner'
        WHEN NEW.kind IN ('rehash', 'seal') THEN 'gmp_sequencer'
        WHEN NEW.kind IN ('child', 'key', 'timestamp') THEN 'gmp_signer'
        WHEN NEW.kind = 'ddl' THEN 'gmp_trail'
        WHEN NEW.kind IN ('evidence', 'hold', 'redaction', 'release-hold', 'verification')
            THEN 'gmp_app'
    END;
BEGIN
    IF (current_user = writer
        OR writer = 'gmp_owner' AND pg_has_role(current_user, writer, 'USAGE')) IS NOT TRUE
    THEN
        RAISE EXCEPTION 'a log event of kind % is not written by %', NEW.kind, current_user
            USING ERRCODE = 'GM002';
    END IF;
    IF json_typeof(NEW.document::json) <> 'object' THEN
        RAISE EXCEPTION 'the document of a log event of kind % is no object', NEW.kind
            USING ERRCODE = 'GM002';
    END IF;
    RETURN NEW;
END $$;

-- The signer writes such events itself, within acts as everybody.
GRANT EXECUTE ON FUNCTION audit.begin_act TO gmp_signer;
GRANT SELECT ON audit.current_log TO gmp_signer;

-- As before; what is nested to exhaust the server's stack is not read either.
CREATE OR REPLACE FUNCTION audit.read_body(body bytea) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN convert_from(body, 'UTF8')::jsonb;
EXCEPTION WHEN data_exception OR statement_too_complex THEN
    RETURN NULL;
END $$;

-- Spans of leaves that an archive file holds, as the log itself says. A document that says something
-- else says nothing here, and is named by `trail verify`.
CREATE OR REPLACE FUNCTION audit.archived()
RETURNS TABLE (log_id smallint, first bigint, past bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT l.log_id, (d ->> 'start')::bigint, (d ->> 'end')::bigint
    FROM public.trail_logevent v
    CROSS JOIN LATERAL (SELECT audit.read_body(convert_to(v.document, 'UTF8')) AS d OFFSET 0) j
    JOIN audit.log l ON l.origin = d ->> 'origin' WHERE v.kind = 'archive'
        AND d ->> 'start' ~ '^[0-9]{1,16}$' AND d ->> 'end' ~ '^[0-9]{1,16}$';
END $$;

-- Legal holds in force: named as often as they were not released.
CREATE OR REPLACE FUNCTION audit.held() RETURNS SETOF text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT audit.read_body(convert_to(document, 'UTF8')) ->> 'hold'
    FROM public.trail_logevent WHERE kind IN ('hold', 'release-hold')
    GROUP BY 1 HAVING sum(CASE kind WHEN 'hold' THEN 1 ELSE -1 END) > 0;
END $$;
