-- Entries that the projection does not have yet: sealed a moment ago, or not sealed.
-- Numbers stand where the view had columns: of the partitions of audit.entry the planner then takes
-- into account the last ones only, however many there are. The marks are read in the snapshot of
-- whoever asks, as the function is STABLE: no entry is both here and in the projection, or in none.
-- The planner cannot know how few leaves there are; its guess, a third, reads all of the log. So:
-- OFFSET 0 and LIMIT 1 keep it to the nested loops that are written here, an upper end beside each
-- lower one makes its guess small, and a scalar subquery is an index probe where NOT EXISTS may hash
-- all leaves.
CREATE FUNCTION audit.unprojected_entries()
RETURNS TABLE (entry_id bigint, log_id smallint, idx bigint, body bytea, digest bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 20 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    last constant bigint := 9223372036854775807;
    first_sealed constant bigint := (
        SELECT min(l.entry_id) FROM audit.projected p CROSS JOIN LATERAL (
            SELECT f.entry_id FROM audit.leaf f
            WHERE f.log_id = p.log_id AND f.idx >= p.size AND f.idx < last OFFSET 0) l);
    sealed_below constant bigint := (SELECT min(s.scan_from) FROM audit.log_state s);
BEGIN
    IF first_sealed IS NOT NULL THEN
        RETURN QUERY EXECUTE format(
            'SELECT l.entry_id, p.log_id, l.idx, e.body, e.digest
            FROM audit.projected p
            CROSS JOIN LATERAL (
                SELECT f.entry_id, f.idx FROM audit.leaf f
                WHERE f.log_id = p.log_id AND f.idx >= p.size AND f.idx < %2$s OFFSET 0) l
            CROSS JOIN LATERAL (
                SELECT o.body, o.digest FROM audit.entry o
                WHERE o.entry_id = l.entry_id AND o.entry_id >= %1$s AND o.entry_id <= %2$s
                LIMIT 1) e', first_sealed, last);
    END IF;
    RETURN QUERY EXECUTE format(
        'SELECT e.entry_id, s.log_id, NULL::bigint, e.body, e.digest
        FROM audit.log_state s
        CROSS JOIN LATERAL (
            SELECT n.entry_id, n.body, n.digest FROM audit.entry n
            WHERE n.entry_id > s.scan_from AND n.entry_id > %1$s AND n.entry_id <= %2$s
                AND n.log_id = s.log_id
                AND (SELECT l.entry_id FROM audit.leaf l WHERE l.entry_id = n.entry_id) IS NULL
            OFFSET 0) e', sealed_below, last);
END $$;
REVOKE ALL ON FUNCTION audit.unprojected_entries FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.unprojected_entries TO gmp_app, gmp_owner, gmp_sequencer;

CREATE OR REPLACE VIEW audit.unprojected AS
    SELECT u.entry_id, u.log_id, u.idx, u.body, u.digest FROM audit.unprojected_entries() u;
