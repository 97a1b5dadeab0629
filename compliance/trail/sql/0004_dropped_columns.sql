-- What the event triggers call: as before, and each column that is dropped is told by name. All its
-- values go with it, and `ALTER TABLE` alone does not say so: `trail verify` names the column of which
-- no entry tells.
CREATE OR REPLACE FUNCTION audit.log_ddl() RETURNS event_trigger
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
            OR kind = 'table column' AND audit.is_controlled(relation))
        AND (original OR relation IS NOT NULL OR kind IN ('table', 'schema', 'function'))
    LOOP
        PERFORM audit.record_ddl(TG_TAG,
            CASE one.kind WHEN 'table column' THEN 'dropped column' ELSE one.kind END, one.object);
    END LOOP;
END $$;
