-- Which role writes which kind of log event. The heads of records are sealed by the sequencer, which
-- computes them: from the application a seal would be nothing but its word that the entries of a
-- record are all of them. What was erasable, let go or recovered is the owner's to say, DDL is the
-- database's.
CREATE OR REPLACE FUNCTION audit.refuse_kind() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.kind IN ('redactable', 'detach', 'recovery')
            AND NOT pg_has_role(current_user, 'gmp_owner', 'USAGE')
        OR NEW.kind = 'ddl' AND current_user <> 'gmp_trail'
        OR NEW.kind = 'seal' AND current_user <> 'gmp_sequencer'
    THEN
        RAISE EXCEPTION 'a log event of kind % is not written by %', NEW.kind, current_user
            USING ERRCODE = 'GM002';
    END IF;
    RETURN NEW;
END $$;
