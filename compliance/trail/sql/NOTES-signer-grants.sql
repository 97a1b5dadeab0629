-- For 0001_log.sql. The role gmp_signer is made by roles.provision, before migrations run.
-- The sequencer loses INSERT on audit.checkpoint; nobody else gets it.
GRANT USAGE ON SCHEMA audit TO gmp_signer;
GRANT SELECT ON audit.log, audit.leaf, audit.node, audit.log_state, audit.checkpoint TO gmp_signer;
GRANT INSERT ON audit.checkpoint TO gmp_signer;
REVOKE INSERT ON audit.checkpoint FROM gmp_sequencer;
-- roles.provision also grants USAGE on schema public to gmp_signer (Django looks there for nothing).
