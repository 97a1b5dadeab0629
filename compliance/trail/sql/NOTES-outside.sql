-- What others said about our checkpoints: cosignatures of witnesses, tokens of a time authority.
-- The same text stands at the end of 0001_log.sql; needs the role gmp_signer.

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

GRANT USAGE ON SCHEMA audit TO gmp_signer;
GRANT SELECT ON audit.log, audit.leaf, audit.node, audit.log_state, audit.checkpoint TO gmp_signer;
GRANT SELECT ON audit.cosignature, audit.timestamp
    TO gmp_app, gmp_owner, gmp_sequencer, gmp_signer;
GRANT INSERT ON audit.cosignature, audit.timestamp TO gmp_signer;
