-- Legal holds in force. A release names the event of the hold that it ends; one of an earlier version
-- ends one hold of its name that was in force before it. So none can be written in advance, and what
-- cannot be read neither holds nor releases: `trail verify` names it.
CREATE OR REPLACE FUNCTION audit.held() RETURNS SETOF text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY WITH said AS (
        SELECT v.id, v.kind = 'hold' AS holds, d ->> 'hold' AS name,
            CASE v.kind WHEN 'release-hold' THEN d ->> 'event' END AS event
        FROM public.trail_logevent v
        CROSS JOIN LATERAL (SELECT audit.read_body(convert_to(v.document, 'UTF8')) AS d OFFSET 0) j
        WHERE v.kind IN ('hold', 'release-hold') AND jsonb_typeof(d -> 'hold') = 'string'
            AND d ->> 'hold' <> ''),
    level AS (
        SELECT s.name, s.id, sum(CASE WHEN s.holds THEN 1 ELSE -1 END)
            OVER (PARTITION BY s.name ORDER BY s.id) AS level
        FROM said s WHERE s.event IS NULL AND NOT EXISTS (SELECT FROM said r
            WHERE s.holds AND r.event = s.id::text AND r.name = s.name AND r.id > s.id))
    SELECT l.name FROM level l GROUP BY l.name
    HAVING (array_agg(l.level ORDER BY l.id DESC))[1] > least(0, min(l.level));
END $$;
