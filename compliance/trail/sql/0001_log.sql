-- The log: entries as they are written, leaves as they are sealed, checkpoints as they are signed.
-- Runs as gmp_trail, which owns all of it and cannot sign in. Design: docs/trail.md

CREATE SEQUENCE audit.entry_id_seq CACHE 1;  -- a cached range would break the order across sessions

CREATE TABLE audit.log (  -- one for each tenant and site, and one above them
    log_id smallint PRIMARY KEY,
    origin text NOT NULL UNIQUE,  -- for life, and never used again
    -- the log it continues, of which a part was lost; whoever writes to that one writes here
    follows smallint UNIQUE REFERENCES audit.log,
    is_parent boolean NOT NULL DEFAULT false  -- its entries are the others' checkpoints
);

-- Where acts for a log are written: to itself, or to the last one that continues it. Follows from
-- audit.log alone; one row to be read by each act.
CREATE TABLE audit.current_log (
    asked_for smallint PRIMARY KEY REFERENCES audit.log,
    log_id text NOT NULL,
    origin text NOT NULL  -- as JSON
);

CREATE TABLE audit.entry (
    entry_id bigint NOT NULL PRIMARY KEY,
    xid xid8 NOT NULL,
    log_id smallint NOT NULL,  -- no foreign key: every writer would lock the log's row
    body bytea NOT NULL,
    -- audit.entry_digest(body). No CHECK: it would be made ready anew for each row, at the price of
    -- the row itself. The sequencer and `trail verify` compute it again
    digest bytea NOT NULL
) PARTITION BY RANGE (entry_id);

CREATE TABLE audit.leaf (
    log_id smallint NOT NULL,
    idx bigint NOT NULL,
    entry_id bigint NOT NULL,
    leaf_hash bytea NOT NULL,
    previous bytea NOT NULL,  -- chain head before this leaf: part of what the leaf hash covers
    PRIMARY KEY (log_id, idx),
    UNIQUE (entry_id)
);

CREATE TABLE audit.node (  -- roots of full subtrees at levels 8, 16, ...: proofs read few rows
    log_id smallint NOT NULL,
    level smallint NOT NULL,
    pos bigint NOT NULL,
    h bytea NOT NULL,
    PRIMARY KEY (log_id, level, pos)
);

CREATE TABLE audit.log_state (
    log_id smallint PRIMARY KEY REFERENCES audit.log,
    size bigint NOT NULL,
    root bytea NOT NULL,
    chain bytea NOT NULL,
    range bytea[] NOT NULL,
    -- every entry with an id up to scan_from is sealed for good; the pending pair moves it forward
    scan_from bigint NOT NULL DEFAULT 0,
    pending_mark bigint NOT NULL DEFAULT 0,
    pending_xmax xid8 NOT NULL DEFAULT '0'
);

CREATE TABLE audit.checkpoint (
    log_id smallint NOT NULL REFERENCES audit.log,
    size bigint NOT NULL,
    root bytea NOT NULL,
    note text NOT NULL,
    signed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (log_id, size)
);

-- What people search by. Rebuilt from the bodies at any time; `trail verify` compares it with them.
CREATE TABLE audit.projection (
    log_id smallint NOT NULL,
    idx bigint NOT NULL,
    entry_id bigint NOT NULL,
    at timestamptz NOT NULL,
    record_seq bigint NOT NULL,
    act text NOT NULL,
    action text NOT NULL,
    actor text NOT NULL,
    role text NOT NULL,
    op text NOT NULL,
    reason text NOT NULL,
    record text NOT NULL,
    record_id text NOT NULL,
    source text NOT NULL,
    PRIMARY KEY (entry_id)
);
CREATE INDEX projection_record ON audit.projection (record_id, record, entry_id);
CREATE INDEX projection_actor ON audit.projection (actor, entry_id);
CREATE INDEX projection_action ON audit.projection (action, entry_id);
CREATE INDEX projection_table ON audit.projection (record, entry_id);
CREATE INDEX projection_role ON audit.projection (role, entry_id);
CREATE INDEX projection_act ON audit.projection (act);
CREATE INDEX projection_at ON audit.projection USING brin (at);

-- How far the projection has come: every leaf below is in it.
CREATE TABLE audit.projected (
    log_id smallint PRIMARY KEY REFERENCES audit.log,
    size bigint NOT NULL
);

-- Every record that has entries, in the order in which seals commit to their heads; and the leaves
-- of the last seals. Both can be made again from the entries; see compliance/trail/seals.py.
CREATE TABLE audit.head (
    log_id smallint NOT NULL,
    key bytea NOT NULL,
    record text NOT NULL,
    record_id text NOT NULL,
    PRIMARY KEY (log_id, key)
);
CREATE TABLE audit.seal_leaf (
    log_id smallint NOT NULL,
    tree_size bigint NOT NULL,
    number bigint NOT NULL,
    leaf_hash bytea NOT NULL,
    PRIMARY KEY (log_id, tree_size, number)
);

-- What opens the commitments of redactable values; erased with a reason and two persons.
CREATE TABLE audit.opening (
    entry_id bigint NOT NULL,
    path text NOT NULL,
    salt bytea NOT NULL,
    value text NOT NULL,
    PRIMARY KEY (entry_id, path)
);

CREATE FUNCTION audit.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is append-only: % on %.% is refused',
        TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'GM002';
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit.entry
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit.leaf
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit.node
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit.checkpoint
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.leaf
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.node
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
ALTER TABLE audit.entry ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE audit.leaf ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE audit.node ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE audit.checkpoint ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE audit.entry ENABLE ALWAYS TRIGGER no_truncate;
ALTER TABLE audit.leaf ENABLE ALWAYS TRIGGER no_truncate;
ALTER TABLE audit.node ENABLE ALWAYS TRIGGER no_truncate;
ALTER TABLE audit.checkpoint ENABLE ALWAYS TRIGGER no_truncate;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit.log
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.log
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.log_state
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE FUNCTION audit.refuse_shrinking() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW.size < OLD.size OR NEW.scan_from < OLD.scan_from
        OR (NEW.size = OLD.size AND NEW.root <> OLD.root)
    THEN
        RAISE EXCEPTION 'the audit trail is append-only: the log only grows'
            USING ERRCODE = 'GM002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE ON audit.log_state
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_shrinking();
ALTER TABLE audit.log ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE audit.log ENABLE ALWAYS TRIGGER no_truncate;
ALTER TABLE audit.log_state ENABLE ALWAYS TRIGGER no_truncate;
ALTER TABLE audit.log_state ENABLE ALWAYS TRIGGER only_grows;

CREATE FUNCTION audit.partition_width() RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT 1048576::bigint
$$;

-- Partitions are cut ahead of need, 2^20 ids each.
CREATE FUNCTION audit.ensure_partitions() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    width constant bigint := audit.partition_width();
    last bigint := (SELECT last_value FROM audit.entry_id_seq);
    n bigint;
    made integer := 0;
BEGIN
    FOR n IN last / width .. last / width + 1 LOOP
        IF to_regclass(format('audit.entry_p%s', n)) IS NULL THEN
            -- attached, not created as a partition: that would wait for every reader of the log
            EXECUTE format('CREATE TABLE audit.entry_p%s (LIKE audit.entry INCLUDING ALL)', n);
            EXECUTE format('ALTER TABLE audit.entry ATTACH PARTITION audit.entry_p%s '
                'FOR VALUES FROM (%s) TO (%s)', n, n * width, (n + 1) * width);
            -- row triggers come with the partition, those of statements do not
            EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.entry_p%s '
                'FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change()', n);
            EXECUTE format('ALTER TABLE audit.entry_p%s ENABLE ALWAYS TRIGGER no_truncate', n);
            EXECUTE format('ALTER TABLE audit.entry_p%s ENABLE ALWAYS TRIGGER append_only', n);
            made := made + 1;
        END IF;
    END LOOP;
    RETURN made;
END $$;
SELECT audit.ensure_partitions();

-- For the rest of this transaction the planner looks into indexes. Its statistics are as old as the
-- last ANALYZE, and a log grows by the hour: it takes what is pending for a few rows that had best be
-- sorted, and reads every leaf there is to find which of them are sealed, once for each batch.
CREATE FUNCTION audit.read_by_index() RETURNS void LANGUAGE sql AS $$
    SELECT set_config(name, value, true) FROM (VALUES ('enable_seqscan', 'off'),
        ('enable_bitmapscan', 'off'), ('enable_hashjoin', 'off'), ('enable_mergejoin', 'off'),
        ('enable_sort', 'off'), ('max_parallel_workers_per_gather', '0'), ('jit', 'off')) v(name, value)
$$;

-- The act: who does what, in which role, and why, for the rest of this transaction. `act` is its
-- canonical JSON. It carries the transaction's id, so that a setting left over in a pooled
-- connection is no act. A function less in here is time in every act.
CREATE FUNCTION audit.begin_act(log_number smallint, act text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    set text;
BEGIN
    -- Reading audit.current_log locks it until the commit: audit.open_log waits for every act under
    -- way, and no later one goes to the log that was continued.
    SELECT set_config('audit.log', origin, true) || set_config('audit.log_id', log_id, true) INTO set
        FROM audit.current_log WHERE asked_for = log_number;
    IF set IS NULL THEN
        RAISE EXCEPTION 'there is no log %', log_number USING ERRCODE = 'GM001';
    END IF;
    -- Quotes inside of a JSON text are escaped: these can only be the members themselves.
    IF strpos(act, '"actor":""') > 0 OR strpos(act, '"action":""') > 0 THEN
        RAISE EXCEPTION 'the act names no actor or no action' USING ERRCODE = 'GM001';
    END IF;
    -- Assigned, not performed: an expression costs less than a query.
    set := set_config('audit.act', act, true);
    set := set_config('audit.xid', concat(pg_current_xact_id(),
        CASE WHEN strpos(act, '"reason":""') > 0 THEN '-' ELSE '+' END), true);
END $$;

-- Say no to a change that is in no act, or in one that does not say why.
CREATE FUNCTION audit.refuse(op text, record text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('audit.xid', true) = pg_current_xact_id()::text || '-' THEN
        RAISE EXCEPTION '% on % needs a reason (21 CFR 11.10(e), Annex 11 section 9)', op, record
            USING ERRCODE = 'GM003';
    END IF;
    RAISE EXCEPTION 'no act, no change: % on % needs trail.recording', op, record
        USING ERRCODE = 'GM001';
END $$;

-- A commitment to a value that may have to be erased; its opening is kept beside the log. The
-- salts of one transaction come from one random secret that only the openings reveal.
CREATE FUNCTION audit.commitment_salt(path text, record_id text, seq bigint) RETURNS bytea
LANGUAGE plpgsql AS $$
DECLARE
    secret text := current_setting('audit.salt', true);
    own text := pg_current_xact_id()::text || ' ';
BEGIN
    IF secret IS NULL OR NOT starts_with(secret, own) THEN
        secret := own || gen_random_uuid()::text || gen_random_uuid()::text;
        PERFORM set_config('audit.salt', secret, true);
    END IF;
    RETURN sha256(convert_to(secret || ' ' || path || ' ' || record_id || ' ' || seq::text, 'UTF8'));
END $$;

CREATE FUNCTION audit.commitment(path text, salt bytea, value text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    -- 'gmp-audit/commit/v1' and a NUL
    SELECT encode(sha256(E'\\x676d702d61756469742f636f6d6d69742f763100'::bytea
        || int2send(octet_length(path)::smallint) || convert_to(path, 'UTF8')
        || salt || convert_to(value, 'UTF8')), 'hex')
$$;

CREATE FUNCTION audit.entry_digest(body bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(E'\\x676d702d61756469742f656e7472792f763100'::bytea || body)
$$;

-- A planted body may be anything: what cannot be read is null here, and named by `trail verify`.
-- As jsonb: each of its members is asked for, and json is read anew every time.
CREATE FUNCTION audit.read_body(body bytea) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN convert_from(body, 'UTF8')::jsonb;
EXCEPTION WHEN data_exception THEN
    RETURN NULL;
END $$;

CREATE FUNCTION audit.read_text(body bytea) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN convert_from(body, 'UTF8');
EXCEPTION WHEN data_exception THEN
    RETURN '';
END $$;

-- Entries that the projection does not have yet: sealed a moment ago, or not sealed. 0007 replaces it.
CREATE VIEW audit.unprojected AS
    SELECT l.entry_id, p.log_id, l.idx, e.body, e.digest
    FROM audit.projected p
    CROSS JOIN LATERAL (
        SELECT entry_id, idx FROM audit.leaf
        WHERE log_id = p.log_id AND idx >= p.size AND idx < 9223372036854775807 OFFSET 0
    ) l
    CROSS JOIN LATERAL (
        SELECT body, digest FROM audit.entry WHERE entry_id = l.entry_id LIMIT 1
    ) e
    UNION ALL
    SELECT e.entry_id, s.log_id, NULL, e.body, e.digest
    FROM audit.log_state s
    CROSS JOIN LATERAL (
        SELECT n.entry_id, n.body, n.digest FROM audit.entry n
        WHERE n.entry_id > s.scan_from AND n.entry_id <= 9223372036854775807
            AND n.log_id = s.log_id
            AND (SELECT l.entry_id FROM audit.leaf l WHERE l.entry_id = n.entry_id) IS NULL
        OFFSET 0
    ) e;

-- What the application reads: the projection, and the newest entries from their bodies. It is for
-- entries that an index finds. Digest and body are null where the entry itself is gone: archived, or
-- removed by force. (A WHERE that leaves those out would cost the reading in order.)
CREATE VIEW audit.entry_view AS
    SELECT p.entry_id, p.log_id, p.idx, p.at, p.act, p.action, p.actor, p.role, p.op, p.reason,
        p.record, p.record_id, p.record_seq, p.source,
        -- subqueries, no join: only of a single table does the planner read in order and stop early
        (SELECT e.digest FROM audit.entry e WHERE e.entry_id = p.entry_id) AS digest,
        audit.read_text((SELECT e.body FROM audit.entry e WHERE e.entry_id = p.entry_id)) AS body
    FROM audit.projection p
    UNION ALL
    SELECT u.entry_id, u.log_id, u.idx, (j.b ->> 'at')::timestamptz, j.b -> 'act' ->> 'id',
        j.b -> 'act' ->> 'action', j.b -> 'act' ->> 'actor', j.b -> 'act' ->> 'role',
        j.b ->> 'op', j.b -> 'act' ->> 'reason', j.b ->> 'record', j.b ->> 'record_id',
        (j.b ->> 'record_seq')::bigint, j.b -> 'act' ->> 'source', u.digest,
        audit.read_text(u.body)
    FROM audit.unprojected u
    CROSS JOIN LATERAL (SELECT audit.read_body(u.body) AS b OFFSET 0) j  -- once for each entry
    WHERE j.b IS NOT NULL;

-- Openings are written with their entry and erased with reasons; nobody changes one.
CREATE TRIGGER unchanged BEFORE UPDATE ON audit.opening
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.opening
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
ALTER TABLE audit.opening ENABLE ALWAYS TRIGGER unchanged;
ALTER TABLE audit.opening ENABLE ALWAYS TRIGGER no_truncate;

-- What the log says about itself is not the application's to say: which values may be erased one
-- day is declared by the owner of the tables, DDL is written by audit.log_ddl. (See 0002_kinds.sql.)
CREATE FUNCTION audit.refuse_kind() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.kind = 'redactable' AND NOT pg_has_role(current_user, 'gmp_owner', 'USAGE')
        OR NEW.kind = 'ddl' AND current_user <> 'gmp_trail'
    THEN
        RAISE EXCEPTION 'a log event of kind % is not written by %', NEW.kind, current_user
            USING ERRCODE = 'GM002';
    END IF;
    RETURN NEW;
END $$;

-- The openings of one value of a record, in all its versions, with the leaves of their entries.
CREATE FUNCTION audit.openings_of(of_record text, of_record_id text, of_path text)
RETURNS TABLE (entry_id bigint, idx bigint, salt bytea, value text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT o.entry_id, v.idx, o.salt, o.value
    FROM audit.entry_view v JOIN audit.opening o ON o.entry_id = v.entry_id
    WHERE v.record = of_record AND v.record_id = of_record_id AND o.path = of_path
    ORDER BY o.entry_id
$$;

-- The openings of some entries: what verification and evidence bundles read.
CREATE FUNCTION audit.openings_of_entries(ids bigint[])
RETURNS TABLE (entry_id bigint, path text, salt bytea, value text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT o.entry_id, o.path, o.salt, o.value FROM audit.opening o
    WHERE o.entry_id = ANY(ids) ORDER BY o.entry_id, o.path
$$;

-- Erase one opening. The log itself must say so in this very transaction: which leaf, which value,
-- on what legal basis and by which two persons; and it must have said, before the entry, that this
-- value may be erased. Anybody else's deletion is a MISSING_OPENING to every verifier.
CREATE FUNCTION audit.erase_opening(of_entry bigint, of_path text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    paths json := (
        SELECT v.document::json -> 'paths' FROM public.trail_logevent v
        JOIN audit.entry_view e ON e.record = 'trail_logevent' AND e.record_id = v.id::text
        WHERE v.kind = 'redactable' AND e.entry_id < of_entry
        ORDER BY e.entry_id DESC LIMIT 1);
BEGIN
    IF NOT EXISTS (SELECT FROM json_array_elements_text(paths) one WHERE one = of_path) THEN
        RAISE EXCEPTION 'the log did not declare % erasable before entry %', of_path, of_entry
            USING ERRCODE = 'GM002';
    END IF;
    -- An entry of this transaction is not sealed: it is beyond scan_from.
    IF NOT EXISTS (
        SELECT FROM audit.leaf l
        JOIN audit.log_state s ON s.log_id = l.log_id
        JOIN audit.entry e ON e.log_id = l.log_id AND e.entry_id > s.scan_from
            AND e.xid = pg_current_xact_id()
        JOIN public.trail_logevent v ON v.audit_head = e.digest AND v.kind = 'redaction'
        WHERE l.entry_id = of_entry
            AND v.document::json ->> 'index' = l.idx::text
            AND v.document::json ->> 'path' = of_path
            AND btrim(v.document::json ->> 'legal_basis') <> ''
            AND json_array_length(v.document::json -> 'persons') = 2
            AND btrim(v.document::json -> 'persons' ->> 0) <> ''
            AND btrim(v.document::json -> 'persons' ->> 1) <> ''
            AND v.document::json -> 'persons' ->> 0 <> v.document::json -> 'persons' ->> 1
    ) THEN
        RAISE EXCEPTION 'no redaction of % in entry % was recorded in this transaction',
            of_path, of_entry USING ERRCODE = 'GM002';
    END IF;
    DELETE FROM audit.opening o WHERE o.entry_id = of_entry AND o.path = of_path;
    RETURN FOUND;
END $$;

-- Say whether an object belongs to the trail: the schema audit, a controlled table or what hangs
-- on one. GRANT, REVOKE and ALTER DEFAULT PRIVILEGES name no object: they count always.
CREATE FUNCTION audit.is_controlled(relation oid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = relation AND tgname = 'zz_capture')
        OR EXISTS (SELECT FROM pg_class WHERE oid = relation
            AND relnamespace = to_regnamespace('audit'))
$$;
CREATE FUNCTION audit.touches_trail(catalog oid, object oid) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN object IS NULL OR coalesce(CASE catalog
        WHEN 'pg_namespace'::regclass THEN object = to_regnamespace('audit')
        WHEN 'pg_class'::regclass THEN audit.is_controlled(object)
            OR EXISTS (SELECT FROM pg_index
                WHERE indexrelid = object AND audit.is_controlled(indrelid))
            OR EXISTS (SELECT FROM pg_inherits
                WHERE inhrelid = object AND audit.is_controlled(inhparent))
        WHEN 'pg_trigger'::regclass THEN
            (SELECT audit.is_controlled(tgrelid) FROM pg_trigger WHERE oid = object)
        WHEN 'pg_rewrite'::regclass THEN
            (SELECT audit.is_controlled(ev_class) FROM pg_rewrite WHERE oid = object)
        WHEN 'pg_policy'::regclass THEN
            (SELECT audit.is_controlled(polrelid) FROM pg_policy WHERE oid = object)
        WHEN 'pg_proc'::regclass THEN EXISTS (SELECT FROM pg_proc
                WHERE oid = object AND pronamespace = to_regnamespace('audit'))
            OR EXISTS (SELECT FROM pg_trigger
                WHERE tgfoid = object AND audit.is_controlled(tgrelid))
        END, false);
END $$;

-- Write one DDL command as a log event, in an act of its own: outside of any act and inside of one.
CREATE FUNCTION audit.record_ddl(tag text, kind text, object text) RETURNS void
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

-- What the event triggers call (roles.watch_ddl makes them: that takes a superuser).
CREATE FUNCTION audit.log_ddl() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    one record;
BEGIN
    IF to_regclass('public.trail_logevent') IS NULL THEN
        IF EXISTS (SELECT FROM audit.entry) THEN
            RAISE EXCEPTION '% is refused: it takes the log events away', TG_TAG
                USING ERRCODE = 'GM002';
        END IF;
        RETURN;
    END IF;
    IF TG_EVENT = 'ddl_command_end' THEN
        FOR one IN
            SELECT DISTINCT command_tag, coalesce(object_type, '') AS kind,
                coalesce(object_identity, '') AS object
            FROM pg_event_trigger_ddl_commands()
            WHERE schema_name IS DISTINCT FROM 'pg_temp' AND (schema_name = 'audit'
                OR audit.touches_trail(classid, objid)) IS TRUE
        LOOP
            PERFORM audit.record_ddl(one.command_tag, one.kind, one.object);
        END LOOP;
        RETURN;
    END IF;
    -- What is dropped is not in the catalogues any more: a controlled table is one whose capture
    -- trigger goes with it. Of a table that goes, its parts need no entry of their own.
    FOR one IN
        WITH dropped AS (
            SELECT object_type AS kind, object_identity AS object, schema_name, original,
                address_names[1:2] AS name, object_type = 'trigger'
                    AND address_names[3] = 'zz_capture' AS is_capture,
                (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE n.nspname = address_names[1] AND c.relname = address_names[2]) AS relation
            FROM pg_event_trigger_dropped_objects() WHERE NOT is_temporary)
        SELECT DISTINCT kind, object FROM dropped
        WHERE (schema_name = 'audit' OR kind = 'schema' AND object = 'audit'
            OR name IN (SELECT name FROM dropped WHERE is_capture)
            OR kind IN ('trigger', 'rule', 'policy') AND audit.is_controlled(relation)
            OR kind = 'table column' AND TG_TAG <> 'ALTER TABLE'
                AND audit.is_controlled(relation))
        AND (original OR relation IS NOT NULL OR kind IN ('table', 'schema', 'function'))
    LOOP
        PERFORM audit.record_ddl(TG_TAG, one.kind, one.object);
    END LOOP;
END $$;

-- A log begins: for a tenant and site, above the others, or in the place of one that lost a part.
CREATE FUNCTION audit.open_log(name text, chain bytea, continues smallint, above boolean)
RETURNS smallint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    number smallint;
BEGIN
    LOCK TABLE audit.current_log IN ACCESS EXCLUSIVE MODE;  -- see audit.begin_act
    IF EXISTS (SELECT FROM audit.entry e JOIN audit.log_state s USING (log_id)
        WHERE e.log_id = continues AND e.entry_id > s.scan_from
        AND NOT EXISTS (SELECT FROM audit.leaf l WHERE l.entry_id = e.entry_id))
    THEN
        RAISE EXCEPTION 'log % has unsealed entries', continues USING ERRCODE = 'GM004';
    END IF;
    number := (SELECT coalesce(max(log_id), 0) + 1 FROM audit.log);
    INSERT INTO audit.log (log_id, origin, follows, is_parent)
        VALUES (number, name, continues, above);
    INSERT INTO audit.log_state (log_id, size, root, chain, range)
        VALUES (number, 0, sha256(''), chain, '{}');
    INSERT INTO audit.projected VALUES (number, 0);
    INSERT INTO audit.current_log VALUES (number, number, to_json(name));
    UPDATE audit.current_log SET log_id = number, origin = to_json(name)
        WHERE log_id = continues::text;
    RETURN number;
END $$;

-- Spans of leaves that an archive file holds, as the log itself says.
CREATE FUNCTION audit.archived() RETURNS TABLE (log_id smallint, first bigint, past bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT l.log_id, (d ->> 'start')::bigint, (d ->> 'end')::bigint
    FROM public.trail_logevent v CROSS JOIN LATERAL (SELECT v.document::json AS d) j
    JOIN audit.log l ON l.origin = d ->> 'origin' WHERE v.kind = 'archive';
END $$;

-- Drop the entries of one partition, all of them in archive files. Their leaves stay, and so does
-- every proof. The event that names two persons must be written in the same transaction.
CREATE FUNCTION audit.detach(partition bigint, older_than timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    width constant bigint := audit.partition_width();
    name constant text := format('audit.entry_p%s', partition);
    found bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_inherits
        WHERE inhparent = 'audit.entry'::regclass AND inhrelid = to_regclass(name))
    THEN
        RAISE EXCEPTION 'there is no partition %', partition USING ERRCODE = 'GM004';
    END IF;
    EXECUTE format('LOCK TABLE ONLY audit.entry, %s IN ACCESS EXCLUSIVE MODE', name);
    IF NOT EXISTS (SELECT FROM public.trail_logevent v
        CROSS JOIN LATERAL (SELECT v.document::json AS d) j
        WHERE v.kind = 'detach' AND v.xmin = pg_current_xact_id()::xid
        AND d ->> 'partition' = partition::text
        AND (SELECT count(DISTINCT lower(p ->> 'name')) = 2 AND count(*) = 2
            AND bool_and(btrim(p ->> 'name') <> '' AND length(btrim(p ->> 'reason')) >= 8)
            FROM json_array_elements(d -> 'persons') p))
    THEN
        RAISE EXCEPTION 'two persons, each with a reason, must be named in the log'
            USING ERRCODE = 'GM004';
    END IF;
    IF EXISTS (SELECT FROM audit.held()) THEN
        RAISE EXCEPTION 'a legal hold is in force: %', (SELECT string_agg(h, ', ') FROM audit.held() h)
            USING ERRCODE = 'GM004';
    END IF;
    IF EXISTS (SELECT FROM audit.log_state WHERE scan_from < (partition + 1) * width - 1) THEN
        RAISE EXCEPTION 'entries can still be written to partition %', partition
            USING ERRCODE = 'GM004';
    END IF;
    EXECUTE format('SELECT count(*) FROM %s e WHERE NOT EXISTS (SELECT FROM audit.leaf l '
        'JOIN audit.archived() a ON a.log_id = l.log_id AND l.idx >= a.first AND l.idx < a.past '
        'JOIN audit.projected p ON p.log_id = l.log_id AND l.idx < p.size '
        -- an entry is older than the checkpoint that covers its span
        'JOIN LATERAL (SELECT min(c.signed_at) AS at FROM audit.checkpoint c '
        'WHERE c.log_id = a.log_id AND c.size >= a.past) c ON c.at < $1 '
        'WHERE l.entry_id = e.entry_id AND l.log_id = e.log_id)', name)
        INTO found USING older_than;
    IF found > 0 THEN
        RAISE EXCEPTION '% entries of partition % are not archived, or too young', found, partition
            USING ERRCODE = 'GM004';
    END IF;
    EXECUTE format('SELECT count(*) FROM %s', name) INTO found;
    EXECUTE format('ALTER TABLE audit.entry DETACH PARTITION %s', name);
    EXECUTE format('DROP TABLE %s', name);
    RETURN found;
END $$;

-- Legal holds in force: named as often as they were not released.
CREATE FUNCTION audit.held() RETURNS SETOF text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT document::json ->> 'hold' FROM public.trail_logevent
    WHERE kind IN ('hold', 'release-hold')
    GROUP BY 1 HAVING sum(CASE kind WHEN 'hold' THEN 1 ELSE -1 END) > 0;
END $$;

-- Trees with another hash over the same bodies, as far as they have grown.
CREATE TABLE audit.rehash (
    log_id smallint NOT NULL REFERENCES audit.log,
    algorithm text NOT NULL,
    origin text NOT NULL UNIQUE,
    size bigint NOT NULL,
    range bytea[] NOT NULL,
    PRIMARY KEY (log_id, algorithm)
);
CREATE FUNCTION audit.refuse_shorter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW.size < OLD.size OR NEW.origin <> OLD.origin
        OR NEW.log_id <> OLD.log_id OR NEW.algorithm <> OLD.algorithm
        OR (NEW.size = OLD.size AND NEW.range <> OLD.range)
    THEN
        RAISE EXCEPTION 'the audit trail is append-only: a tree only grows'
            USING ERRCODE = 'GM002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE ON audit.rehash
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_shorter();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.rehash
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
ALTER TABLE audit.rehash ENABLE ALWAYS TRIGGER only_grows;
ALTER TABLE audit.rehash ENABLE ALWAYS TRIGGER no_truncate;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA audit FROM PUBLIC;
GRANT USAGE ON SCHEMA audit TO gmp_app, gmp_owner, gmp_sequencer, gmp_signer;
GRANT EXECUTE ON FUNCTION audit.begin_act, audit.read_body, audit.read_text,
    audit.entry_digest, audit.commitment TO gmp_app, gmp_owner, gmp_sequencer;
GRANT SELECT ON audit.log, audit.entry, audit.leaf, audit.node, audit.log_state, audit.checkpoint,
    audit.projection, audit.projected, audit.head, audit.seal_leaf, audit.unprojected,
    audit.entry_view, audit.entry_id_seq, audit.current_log TO gmp_app, gmp_owner, gmp_sequencer;
-- Personal data: read through functions, which the application guards by a duty.
GRANT EXECUTE ON FUNCTION audit.openings_of, audit.openings_of_entries, audit.erase_opening TO gmp_app;
GRANT EXECUTE ON FUNCTION audit.refuse_kind TO gmp_owner;  -- who makes the trigger
GRANT INSERT ON audit.leaf, audit.node, audit.projection, audit.head, audit.seal_leaf
    TO gmp_sequencer;
GRANT DELETE ON audit.projection, audit.head, audit.seal_leaf TO gmp_sequencer;
GRANT UPDATE ON audit.log_state, audit.projected TO gmp_sequencer;
GRANT EXECUTE ON FUNCTION audit.ensure_partitions, audit.read_by_index TO gmp_sequencer;
-- Who migrates may also open logs, archive and detach; the rules are in the functions.
GRANT EXECUTE ON FUNCTION audit.open_log, audit.detach, audit.held, audit.archived,
    audit.partition_width TO gmp_owner;
GRANT EXECUTE ON FUNCTION audit.held, audit.archived, audit.partition_width TO gmp_app;
GRANT SELECT ON audit.rehash TO gmp_app, gmp_owner, gmp_sequencer;
GRANT INSERT, UPDATE ON audit.rehash TO gmp_sequencer;
-- No lock on log_state, no sealing: whoever takes the signer's login can only add checkpoints.
GRANT SELECT ON audit.log, audit.leaf, audit.node, audit.log_state, audit.checkpoint TO gmp_signer;
GRANT INSERT ON audit.checkpoint TO gmp_signer;

-- What others said about our checkpoints: cosignatures of witnesses, tokens of a time authority.

CREATE TABLE audit.cosignature (
    log_id smallint NOT NULL,
    size bigint NOT NULL,
    witness text NOT NULL,  -- name of its key, a plus sign and the key ID: both identify a key
    line text NOT NULL,  -- the signature line of the note, verified before it came here
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (log_id, size, witness),
    FOREIGN KEY (log_id, size) REFERENCES audit.checkpoint
);
CREATE INDEX cosignature_received ON audit.cosignature (log_id, received_at);
CREATE INDEX cosignature_witness ON audit.cosignature (log_id, witness, size);

CREATE TABLE audit.timestamp (
    log_id smallint NOT NULL,
    size bigint NOT NULL,
    tsr bytea NOT NULL,  -- the whole answer (RFC 3161 2.4.2), verified before it came here
    gen_time timestamptz NOT NULL,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (log_id, size),
    FOREIGN KEY (log_id, size) REFERENCES audit.checkpoint
);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit.cosignature
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit.timestamp
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.cosignature
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.timestamp
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
ALTER TABLE audit.cosignature ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE audit.cosignature ENABLE ALWAYS TRIGGER no_truncate;
ALTER TABLE audit.timestamp ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE audit.timestamp ENABLE ALWAYS TRIGGER no_truncate;

GRANT SELECT ON audit.cosignature, audit.timestamp
    TO gmp_app, gmp_owner, gmp_sequencer, gmp_signer;
GRANT INSERT ON audit.cosignature, audit.timestamp TO gmp_signer;
