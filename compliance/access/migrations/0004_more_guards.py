"""Hold accounts, sessions, alarms, reviews and devices in the database; compose the access log."""

from django.db import migrations

CREATE = """
-- A name, once given, is that of one person for ever (21 CFR 11.100(a)).
CREATE FUNCTION public.access_identity_fixed() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.username <> OLD.username OR NEW.created_at <> OLD.created_at THEN
        RAISE EXCEPTION 'the name of % is never changed, and never given to another', OLD.username
            USING ERRCODE = 'GM002';
    END IF;
    RETURN NEW;
END $$;

-- A password that another person chose has to be changed by its owner (21 CFR 11.200(a)(3)).
CREATE FUNCTION public.access_password_own() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    actor text := nullif(current_setting('audit.act', true), '')::json ->> 'actor_id';
BEGIN
    IF actor NOT LIKE 'user:%' OR actor = 'user:' || NEW.id OR NEW.must_change_password THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' THEN
        RAISE EXCEPTION 'the first password of % must be changed by its owner', NEW.username
            USING ERRCODE = 'GM007';
    END IF;
    IF NEW.password <> OLD.password OR OLD.must_change_password THEN
        RAISE EXCEPTION 'a password of % that another set must be changed by its owner',
            NEW.username USING ERRCODE = 'GM007';
    END IF;
    RETURN NEW;
END $$;

-- Whoever administers the system decides nothing of quality (MHRA 2018, 6.16).
CREATE FUNCTION public.access_no_administrator() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM public.access_roleassignment held
        WHERE held.ended_at IS NULL AND held.role = 'system-administrator'
        AND held.user_id::text IN (SELECT to_jsonb(NEW) ->> one FROM unnest(TG_ARGV) one)
    ) THEN
        RAISE EXCEPTION 'segregation of duties: an administrator reviews no access'
            USING ERRCODE = 'GM004';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION public.access_lines_decided() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.state = 'closed' AND EXISTS (
        SELECT FROM public.access_accessreviewline line
        WHERE line.review_id = NEW.id AND line.outcome = ''
    ) THEN
        RAISE EXCEPTION '% has accounts that nobody decided on', NEW.number USING ERRCODE = 'GM002';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION public.access_not_by_the_concerned() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    actor text := nullif(current_setting('audit.act', true), '')::json ->> 'actor_id';
BEGIN
    IF actor IN (NEW.about_id, NEW.caused_by_id)
        OR 'user:' || NEW.acknowledged_by_id IN (NEW.about_id, NEW.caused_by_id)
    THEN
        RAISE EXCEPTION 'segregation of duties: nobody acknowledges an alarm about themselves'
            USING ERRCODE = 'GM006';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION public.access_retired_for_good() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.name <> OLD.name OR NEW.kind <> OLD.kind OR NEW.enrolled_at <> OLD.enrolled_at THEN
        RAISE EXCEPTION 'the identity of % stays as it was enrolled', OLD.name
            USING ERRCODE = 'GM002';
    END IF;
    IF (NEW.is_active AND NOT OLD.is_active)
        OR (OLD.qualification = 'retired' AND NEW.qualification <> 'retired')
    THEN
        RAISE EXCEPTION '% was shut out for good; enrol another device', OLD.name
            USING ERRCODE = 'GM002';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER identity_fixed BEFORE UPDATE ON public.access_user
    FOR EACH ROW EXECUTE FUNCTION public.access_identity_fixed();
CREATE TRIGGER password_own BEFORE INSERT OR UPDATE ON public.access_user
    FOR EACH ROW EXECUTE FUNCTION public.access_password_own();
ALTER TABLE public.access_user ENABLE ALWAYS TRIGGER identity_fixed,
    ENABLE ALWAYS TRIGGER password_own;

CREATE TRIGGER keep_as_recorded BEFORE UPDATE ON public.access_roleassignment
    FOR EACH ROW EXECUTE FUNCTION public.access_keep_as_recorded('ended_at');
CREATE TRIGGER not_by_oneself BEFORE INSERT OR UPDATE ON public.access_roleassignment
    FOR EACH ROW EXECUTE FUNCTION public.access_not_by_oneself('user_id');
ALTER TABLE public.access_roleassignment ENABLE ALWAYS TRIGGER keep_as_recorded,
    ENABLE ALWAYS TRIGGER not_by_oneself;

CREATE TRIGGER keep_as_recorded BEFORE UPDATE ON public.access_personsession
    FOR EACH ROW EXECUTE FUNCTION public.access_keep_as_recorded('ended_at', 'ended_why');
ALTER TABLE public.access_personsession ENABLE ALWAYS TRIGGER keep_as_recorded;

CREATE TRIGGER keep_as_recorded BEFORE UPDATE ON public.access_securityalarm
    FOR EACH ROW EXECUTE FUNCTION public.access_keep_as_recorded(
        'acknowledged_by_id', 'acknowledged_role', 'acknowledged_at', 'comment');
CREATE TRIGGER not_by_the_concerned BEFORE UPDATE ON public.access_securityalarm
    FOR EACH ROW EXECUTE FUNCTION public.access_not_by_the_concerned();
ALTER TABLE public.access_securityalarm ENABLE ALWAYS TRIGGER keep_as_recorded,
    ENABLE ALWAYS TRIGGER not_by_the_concerned;

CREATE TRIGGER keep_as_recorded BEFORE UPDATE ON public.access_accessreview
    FOR EACH ROW EXECUTE FUNCTION public.access_keep_as_recorded(
        '*state', 'conclusion', 'closed_by_id', 'closed_at');
CREATE TRIGGER lines_decided BEFORE UPDATE ON public.access_accessreview
    FOR EACH ROW EXECUTE FUNCTION public.access_lines_decided();
CREATE TRIGGER no_administrator BEFORE INSERT OR UPDATE ON public.access_accessreview
    FOR EACH ROW EXECUTE FUNCTION public.access_no_administrator('reviewer_id', 'closed_by_id');
ALTER TABLE public.access_accessreview ENABLE ALWAYS TRIGGER keep_as_recorded,
    ENABLE ALWAYS TRIGGER lines_decided, ENABLE ALWAYS TRIGGER no_administrator;

CREATE TRIGGER keep_as_recorded BEFORE UPDATE ON public.access_accessreviewline
    FOR EACH ROW EXECUTE FUNCTION public.access_keep_as_recorded(
        'outcome', 'reason', 'decided_by_id', 'decided_at');
CREATE TRIGGER no_administrator BEFORE INSERT OR UPDATE ON public.access_accessreviewline
    FOR EACH ROW EXECUTE FUNCTION public.access_no_administrator('decided_by_id');
CREATE TRIGGER not_by_oneself BEFORE UPDATE ON public.access_accessreviewline
    FOR EACH ROW EXECUTE FUNCTION public.access_not_by_oneself('person_id');
ALTER TABLE public.access_accessreviewline ENABLE ALWAYS TRIGGER keep_as_recorded,
    ENABLE ALWAYS TRIGGER no_administrator, ENABLE ALWAYS TRIGGER not_by_oneself;

CREATE TRIGGER retired_for_good BEFORE UPDATE ON public.access_device
    FOR EACH ROW EXECUTE FUNCTION public.access_retired_for_good();
ALTER TABLE public.access_device ENABLE ALWAYS TRIGGER retired_for_good;

CREATE VIEW public.access_log AS
    SELECT 'sign-in:' || id AS id, attempted_at AS at, outcome AS kind, username,
        'for a ' || purpose AS detail, address
    FROM public.access_signin
UNION ALL
    SELECT 'session:' || s.id || ':opened', s.opened_at, 'session-opened', u.username, s.agent,
        s.address
    FROM public.access_personsession s JOIN public.access_user u ON u.id = s.person_id
UNION ALL
    SELECT 'session:' || s.id || ':ended', s.ended_at, 'session-ended', u.username, s.ended_why,
        s.address
    FROM public.access_personsession s JOIN public.access_user u ON u.id = s.person_id
    WHERE s.ended_at IS NOT NULL
UNION ALL
    SELECT 'person:' || id, created_at, 'person-created', username, full_name, ''
    FROM public.access_user
UNION ALL
    SELECT 'password:' || c.id, c.changed_at,
        CASE WHEN c.is_own THEN 'password-own' ELSE 'password-set' END, u.username,
        'by ' || c.set_by, ''
    FROM public.access_passwordchange c JOIN public.access_user u ON u.id = c.person_id
UNION ALL
    SELECT 'role:' || r.id || ':given', r.granted_at, 'role-given', u.username, r.role, ''
    FROM public.access_roleassignment r JOIN public.access_user u ON u.id = r.user_id
UNION ALL
    SELECT 'role:' || r.id || ':ended', r.ended_at, 'role-ended', u.username, r.role, ''
    FROM public.access_roleassignment r JOIN public.access_user u ON u.id = r.user_id
    WHERE r.ended_at IS NOT NULL
UNION ALL
    SELECT 'proof:' || p.id, p.recorded_at, 'identity-proven', u.username,
        p.method || ', by ' || p.proven_by_name, ''
    FROM public.access_identityproof p JOIN public.access_user u ON u.id = p.person_id
UNION ALL
    SELECT 'proof:' || p.id || ':withdrawn', p.withdrawn_at, 'identity-withdrawn', u.username,
        p.method, ''
    FROM public.access_identityproof p JOIN public.access_user u ON u.id = p.person_id
    WHERE p.withdrawn_at IS NOT NULL
UNION ALL
    SELECT 'alarm:' || id, raised_at, 'alarm', about, text, address
    FROM public.access_securityalarm
UNION ALL
    SELECT 'alarm:' || a.id || ':acknowledged', a.acknowledged_at, 'alarm-acknowledged', a.about,
        'by ' || u.username || ': ' || a.comment, ''
    FROM public.access_securityalarm a JOIN public.access_user u ON u.id = a.acknowledged_by_id;
"""
DROP = """
DROP VIEW public.access_log;
DROP TRIGGER retired_for_good ON public.access_device;
DROP TRIGGER not_by_oneself ON public.access_accessreviewline;
DROP TRIGGER no_administrator ON public.access_accessreviewline;
DROP TRIGGER keep_as_recorded ON public.access_accessreviewline;
DROP TRIGGER no_administrator ON public.access_accessreview;
DROP TRIGGER lines_decided ON public.access_accessreview;
DROP TRIGGER keep_as_recorded ON public.access_accessreview;
DROP TRIGGER not_by_the_concerned ON public.access_securityalarm;
DROP TRIGGER keep_as_recorded ON public.access_securityalarm;
DROP TRIGGER keep_as_recorded ON public.access_personsession;
DROP TRIGGER not_by_oneself ON public.access_roleassignment;
DROP TRIGGER keep_as_recorded ON public.access_roleassignment;
DROP TRIGGER password_own ON public.access_user;
DROP TRIGGER identity_fixed ON public.access_user;
DROP FUNCTION public.access_retired_for_good();
DROP FUNCTION public.access_not_by_the_concerned();
DROP FUNCTION public.access_lines_decided();
DROP FUNCTION public.access_no_administrator();
DROP FUNCTION public.access_password_own();
DROP FUNCTION public.access_identity_fixed();
"""


class Migration(migrations.Migration):
    dependencies = [("access", "0003_guards")]
    operations = [migrations.RunSQL(CREATE, DROP)]
