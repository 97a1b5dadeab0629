-- Write one DDL command as a log event, in an act of its own: as before. Only a recovery may switch
-- off the capture of log events themselves, to put rows back whose entries are there: it holds the
-- log for itself, and its first command that switches the capture on again is an entry.
CREATE OR REPLACE FUNCTION audit.record_ddl(tag text, kind text, object text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    names constant text[] := '{audit.act,audit.log,audit.log_id,audit.xid}';
    outer_act text[] := ARRAY(SELECT coalesce(current_setting(one, true), '')
        FROM unnest(names) WITH ORDINALITY AS n(one, place) ORDER BY place);
    stamp text := to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
    who text := to_json('database:' || session_user)::text;
    source text := to_json('database:' || coalesce(host(inet_client_addr()), 'local'))::text;
    seq bigint;
BEGIN
    IF object = 'public.trail_logevent' AND EXISTS (SELECT FROM pg_trigger
            WHERE tgrelid = 'public.trail_logevent'::regclass AND tgname = 'zz_capture'
            AND tgenabled = 'D')
        AND EXISTS (SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND granted
            AND relation = 'audit.log'::regclass AND mode = 'AccessExclusiveLock'
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
    THEN
        RETURN;
    END IF;
    PERFORM audit.begin_act((SELECT min(log_id) FROM audit.log), concat('{"acted_at":"', stamp,
        '","action":"trail.ddl","actor":', who, ',"actor_id":', who, ',"id":"', gen_random_uuid(),
        '","reason":', to_json(tag), ',"role":"database","source":', source, '}'));
    INSERT INTO public.trail_logevent (kind, document, recorded_at) VALUES ('ddl',
        concat('{"by":', to_json(session_user::text), ',"command":', to_json(tag), ',"kind":',
            to_json(kind), ',"object":', to_json(object), ',"query_sha256":"',
            encode(sha256(convert_to(coalesce(current_query(), ''), 'UTF8')), 'hex'), '","v":1}'),
        clock_timestamp())
        RETURNING audit_seq INTO seq;
    IF seq IS DISTINCT FROM 1 THEN  -- its own capture is gone: then nothing is altered either
        RAISE EXCEPTION '% is refused: log events are not captured', tag USING ERRCODE = 'GM002';
    END IF;
    PERFORM set_config(one, outer_act[place], true)
        FROM unnest(names) WITH ORDINALITY AS n(one, place);
END $$;
