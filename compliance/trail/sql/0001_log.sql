-- The log: entries as they are written, leaves as they are sealed, checkpoints as they are signed.
-- Runs as gmp_trail, which owns all of it and cannot sign in. Design: docs/trail.md

CREATE SEQUENCE audit.entry_id_seq CACHE 1;  -- a cached range would break the order across sessions

CREATE TABLE audit.log (  -- one for each tenant and site, and one above them
    log_id smallint PRIMARY KEY,
    origin text NOT NULL UNIQUE
);

CREATE TABLE audit.entry (
    entry_id bigint NOT NULL PRIMARY KEY,
    xid xid8 NOT NULL,
    log_id smallint NOT NULL,  -- no foreign key: every writer would lock the log's row
    -- raised after a restore or logical migration, where xid8 starts anew
    cluster_epoch smallint NOT NULL DEFAULT 1,
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

-- Partitions are cut ahead of need, 2^20 ids each.
CREATE FUNCTION audit.ensure_partitions() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    width constant bigint := 1048576;
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

-- The act: who does what, in which role, and why, for the rest of this transaction. `act` is its
-- canonical JSON. It carries the transaction's id, so that a setting left over in a pooled
-- connection is no act.
CREATE FUNCTION audit.begin_act(log_number smallint, act text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    name text := (SELECT origin FROM audit.log WHERE log_id = log_number);
    set text;
BEGIN
    IF name IS NULL THEN
        RAISE EXCEPTION 'there is no log %', log_number USING ERRCODE = 'GM001';
    END IF;
    -- Quotes inside of a JSON text are escaped: these can only be the members themselves.
    IF strpos(act, '"actor":""') > 0 OR strpos(act, '"action":""') > 0 THEN
        RAISE EXCEPTION 'the act names no actor or no action' USING ERRCODE = 'GM001';
    END IF;
    -- Assigned, not performed: four expressions cost less than one query.
    set := set_config('audit.act', act, true);
    set := set_config('audit.log', to_json(name)::text, true);
    set := set_config('audit.log_id', log_number::text, true);
    set := set_config('audit.xid', pg_current_xact_id()::text
        || CASE WHEN strpos(act, '"reason":""') > 0 THEN '-' ELSE '+' END, true);
END $$;

CREATE FUNCTION audit.end_act() RETURNS void LANGUAGE sql AS $$
    SELECT set_config('audit.xid', '', true);
$$;

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
    SELECT encode(sha256('\x676d702d61756469742f636f6d6d69742f763100'::bytea
        || int2send(octet_length(path)::smallint) || convert_to(path, 'UTF8')
        || salt || convert_to(value, 'UTF8')), 'hex')
$$;

CREATE FUNCTION audit.entry_digest(body bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256('\x676d702d61756469742f656e7472792f763100'::bytea || body)
$$;

-- A planted body may be anything: what cannot be read is null here, and named by `trail verify`.
CREATE FUNCTION audit.read_body(body bytea) RETURNS json LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN convert_from(body, 'UTF8')::json;
EXCEPTION WHEN data_exception THEN
    RETURN NULL;
END $$;

CREATE FUNCTION audit.read_text(body bytea) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN convert_from(body, 'UTF8');
EXCEPTION WHEN data_exception THEN
    RETURN '';
END $$;

-- Entries that the projection does not have yet: sealed a moment ago, or not sealed.
-- The planner cannot know how few they are; its guess, a third, reads all of the log. So: OFFSET 0
-- and LIMIT 1 keep it to the nested loops that are written here, an upper end beside each lower one
-- makes its guess small, and a scalar subquery is an index probe where NOT EXISTS may hash all leaves.
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

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA audit FROM PUBLIC;
GRANT USAGE ON SCHEMA audit TO gmp_app, gmp_owner, gmp_sequencer, gmp_signer;
GRANT EXECUTE ON FUNCTION audit.begin_act, audit.end_act, audit.read_body, audit.read_text,
    audit.entry_digest, audit.commitment TO gmp_app, gmp_owner, gmp_sequencer;
GRANT SELECT ON audit.log, audit.entry, audit.leaf, audit.node, audit.log_state, audit.checkpoint,
    audit.projection, audit.projected, audit.head, audit.seal_leaf, audit.opening, audit.unprojected, audit.entry_view,
    audit.entry_id_seq TO gmp_app, gmp_owner, gmp_sequencer;
GRANT INSERT ON audit.leaf, audit.node, audit.projection, audit.head, audit.seal_leaf
    TO gmp_sequencer;
GRANT DELETE ON audit.projection, audit.head, audit.seal_leaf TO gmp_sequencer;
GRANT UPDATE ON audit.log_state, audit.projected TO gmp_sequencer;
GRANT EXECUTE ON FUNCTION audit.ensure_partitions TO gmp_sequencer;
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
