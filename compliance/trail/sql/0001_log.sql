-- The log: entries as they are written, leaves as they are sealed, checkpoints as they are signed.
-- Runs as gmp_trail, which owns all of it and cannot sign in. Design: docs/trail.md

CREATE SEQUENCE audit.entry_id_seq CACHE 1;  -- a cached range would break the order across sessions

CREATE TABLE audit.log (
    log_id smallint PRIMARY KEY,
    origin text NOT NULL UNIQUE
);

CREATE TABLE audit.entry (
    log_id smallint NOT NULL DEFAULT 1,  -- no foreign key: every writer would lock the log's row
    entry_id bigint NOT NULL,
    xid xid8 NOT NULL,
    -- raised after a restore or logical migration, where xid8 starts anew
    cluster_epoch integer NOT NULL DEFAULT 1,
    body bytea NOT NULL,
    digest bytea NOT NULL,
    -- 'gmp-audit/entry/v1' and a NUL: the domain tag of every entry digest
    CHECK (digest = sha256('\x676d702d61756469742f656e7472792f763100'::bytea || body)),
    PRIMARY KEY (log_id, entry_id)
) PARTITION BY RANGE (entry_id);

CREATE TABLE audit.leaf (
    log_id smallint NOT NULL,
    idx bigint NOT NULL,
    entry_id bigint NOT NULL,
    leaf_hash bytea NOT NULL,
    previous bytea NOT NULL,  -- chain head before this leaf: part of what the leaf hash covers
    PRIMARY KEY (log_id, idx),
    UNIQUE (log_id, entry_id)
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
    entry_id bigint NOT NULL,
    at timestamptz NOT NULL,
    act text NOT NULL,
    action text NOT NULL,
    actor text NOT NULL,
    role text NOT NULL,
    op text NOT NULL,
    reason text NOT NULL,
    record text NOT NULL,
    record_id text NOT NULL,
    record_seq bigint NOT NULL,
    source text NOT NULL,
    PRIMARY KEY (log_id, entry_id)
);
CREATE INDEX projection_record ON audit.projection (record_id, record, record_seq);
CREATE INDEX projection_actor ON audit.projection (actor, entry_id);
CREATE INDEX projection_action ON audit.projection (action, entry_id);
CREATE INDEX projection_role ON audit.projection (role, entry_id);
CREATE INDEX projection_table ON audit.projection (record, entry_id);
CREATE INDEX projection_act ON audit.projection (act);
CREATE INDEX projection_at ON audit.projection USING brin (at);

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

-- Partitions are cut ahead of need, 2^24 ids each.
CREATE FUNCTION audit.ensure_partitions() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    width constant bigint := 16777216;
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

-- The act: who does what, in which role, and why, for the rest of this transaction.
-- It carries the transaction's id, so that a setting left over in a pooled connection is no act.
CREATE FUNCTION audit.begin_act(
    act text, action text, actor text, actor_id text, role text, reason text, source text,
    acted_at text
) RETURNS void LANGUAGE sql AS $$
    SELECT set_config('audit.xid', pg_current_xact_id()::text, true),
        set_config('audit.act', act, true),
        set_config('audit.action', action, true),
        set_config('audit.actor', actor, true),
        set_config('audit.actor_id', actor_id, true),
        set_config('audit.role', role, true),
        set_config('audit.reason', reason, true),
        set_config('audit.source', source, true),
        set_config('audit.acted_at', acted_at, true);
$$;

CREATE FUNCTION audit.end_act() RETURNS void LANGUAGE sql AS $$
    SELECT set_config('audit.xid', '', true);
$$;

CREATE FUNCTION audit.require_act(op text, record text) RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF coalesce(current_setting('audit.xid', true), '') = ''
        OR current_setting('audit.xid', true) <> pg_current_xact_id_if_assigned()::text
    THEN
        RAISE EXCEPTION 'no act, no change: % on % needs trail.recording', op, record
            USING ERRCODE = 'GM001';
    END IF;
    IF current_setting('audit.actor') = '' OR current_setting('audit.action') = '' THEN
        RAISE EXCEPTION 'the act on % names no actor or no action', record
            USING ERRCODE = 'GM001';
    END IF;
    IF op <> 'INSERT' AND current_setting('audit.reason') = '' THEN
        RAISE EXCEPTION '% on % needs a reason (21 CFR 11.10(e), Annex 11 section 9)', op, record
            USING ERRCODE = 'GM003';
    END IF;
END $$;

-- One entry: canonical JSON (profile JCS-GMP/1), keys in order, around the parts a capture gives.
CREATE FUNCTION audit.body(
    after text, new_part text, old_part text, op text, prev bytea,
    record text, record_id text, record_seq bigint, origin text
) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT convert_to(
        '{"act":' || to_json(current_setting('audit.act'))::text
        || ',"acted_at":' || to_json(current_setting('audit.acted_at'))::text
        || ',"action":' || to_json(current_setting('audit.action'))::text
        || ',"actor":' || to_json(current_setting('audit.actor'))::text
        || ',"actor_id":' || to_json(current_setting('audit.actor_id'))::text
        || ',"after":' || coalesce('"' || after || '"', 'null')
        || ',"at":"' || to_char(statement_timestamp() AT TIME ZONE 'UTC',
                                'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        || '","log":' || to_json(origin)::text
        || ',"new":' || new_part
        || ',"old":' || old_part
        || ',"op":"' || op
        || '","prev":' || coalesce('"' || encode(prev, 'hex') || '"', 'null')
        || ',"reason":' || to_json(current_setting('audit.reason'))::text
        || ',"record":' || to_json(record)::text
        || ',"record_id":' || to_json(record_id)::text
        || ',"record_seq":' || record_seq::text
        || ',"role":' || to_json(current_setting('audit.role'))::text
        || ',"source":' || to_json(current_setting('audit.source'))::text
        || ',"v":1}', 'UTF8')
$$;

CREATE FUNCTION audit.entry_digest(body bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256('\x676d702d61756469742f656e7472792f763100'::bytea || body)
$$;

CREATE FUNCTION audit.append(body bytea, digest bytea) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    -- first: a session can hold a sequence value without an xid, invisible to every snapshot
    x xid8 := pg_current_xact_id();
BEGIN
    INSERT INTO audit.entry (entry_id, xid, body, digest)
    VALUES (nextval('audit.entry_id_seq'), x, body, digest);
END $$;

-- What the application reads. Sealed entries come from the projection, fresh ones from the body.
CREATE VIEW audit.entry_view AS
    SELECT p.entry_id, l.idx, p.at, p.act, p.action, p.actor, p.role, p.op, p.reason,
        p.record, p.record_id, p.record_seq, p.source, e.digest, convert_from(e.body, 'UTF8') AS body
    FROM audit.projection p
    JOIN audit.entry e USING (log_id, entry_id)
    JOIN audit.leaf l USING (log_id, entry_id)
    UNION ALL
    SELECT e.entry_id, NULL, (j.b ->> 'at')::timestamptz, j.b ->> 'act', j.b ->> 'action',
        j.b ->> 'actor', j.b ->> 'role', j.b ->> 'op', j.b ->> 'reason', j.b ->> 'record',
        j.b ->> 'record_id', (j.b ->> 'record_seq')::bigint, j.b ->> 'source', e.digest,
        convert_from(e.body, 'UTF8')
    FROM audit.log_state s
    JOIN audit.entry e ON e.log_id = s.log_id AND e.entry_id > s.scan_from
    CROSS JOIN LATERAL (SELECT convert_from(e.body, 'UTF8')::json AS b) j
    WHERE NOT EXISTS (
        SELECT FROM audit.leaf l WHERE l.log_id = e.log_id AND l.entry_id = e.entry_id);

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA audit FROM PUBLIC;
GRANT USAGE ON SCHEMA audit TO gmp_app, gmp_owner, gmp_sequencer, gmp_signer;
GRANT EXECUTE ON FUNCTION audit.begin_act, audit.end_act TO gmp_app, gmp_owner, gmp_sequencer;
GRANT SELECT ON audit.log, audit.entry, audit.leaf, audit.node, audit.log_state, audit.checkpoint,
    audit.projection, audit.entry_view, audit.entry_id_seq TO gmp_app, gmp_owner, gmp_sequencer;
GRANT INSERT ON audit.leaf, audit.node, audit.projection TO gmp_sequencer;
GRANT DELETE ON audit.projection TO gmp_sequencer;
GRANT UPDATE ON audit.log_state TO gmp_sequencer;
GRANT EXECUTE ON FUNCTION audit.ensure_partitions TO gmp_sequencer;
-- No lock on log_state, no sealing: whoever takes the signer's login can only add checkpoints.
GRANT SELECT ON audit.log, audit.leaf, audit.node, audit.log_state, audit.checkpoint TO gmp_signer;
GRANT INSERT ON audit.checkpoint TO gmp_signer;
