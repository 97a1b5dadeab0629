"""Say what is not as the trail needs it: captures, roles, and settings of the database server."""

from django.db import connection

from compliance.trail import enforcement

_SETTINGS = {
    "fsync": ({"on"}, "a crash could lose committed entries"),
    "full_page_writes": ({"on"}, "a crash could tear pages of the log"),
    "synchronous_commit": (
        {"on", "local", "remote_write", "remote_apply"},
        "a crash could lose committed entries",
    ),
    "TimeZone": ({"UTC", "Etc/UTC"}, "times are recorded in UTC"),
    "data_checksums": ({"on"}, "a flipped bit on disk would go unnoticed until it is verified"),
}


def capture_problems() -> list[str]:
    """Return what is missing or altered in the triggers and functions of the trail."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('audit.log') IS NULL")
        if cursor.fetchone() == (True,):
            return ["there is no log in this database: run `manage.py migrate`"]
        return enforcement.problems(cursor)


def role_problems() -> list[str]:
    """Return how the application's connection could do more than the application may."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user::text, session_user::text, r.rolsuper, r.rolcreaterole, "
            "r.rolbypassrls, s.rolsuper FROM pg_roles r, pg_roles s "
            "WHERE r.rolname = current_user AND s.rolname = session_user"
        )
        user, session, is_super, makes_roles, bypasses, session_is_super = cursor.fetchone()
        if is_super or makes_roles or bypasses:
            found.append(f"{user}, the application's role, has attributes of an administrator")
        if session_is_super:
            found.append(
                f"the application signs in as {session}, a superuser: whoever takes it over can "
                "switch the trail's triggers off. Give it a login that is only a member of gmp_app"
            )
        else:
            cursor.execute(
                "SELECT rolname FROM pg_roles WHERE rolname IN ('gmp_trail', 'gmp_owner') "
                "AND pg_has_role(session_user, oid, 'MEMBER')"
            )
            found += [f"{session} may become {role}" for (role,) in cursor.fetchall()]
        cursor.execute(
            "SELECT c.oid::regclass::text FROM pg_class c "
            "WHERE c.relnamespace IN (to_regnamespace('audit'), to_regnamespace('public')) "
            "AND pg_get_userbyid(c.relowner) = current_user ORDER BY 1 LIMIT 10"
        )
        found += [f"{user} owns {table}" for (table,) in cursor.fetchall()]
        cursor.execute(
            "SELECT n FROM unnest(ARRAY['audit', 'public']) n "
            "WHERE has_schema_privilege(current_user, n, 'CREATE')"
        )
        found += [f"{user} may create things in schema {name}" for (name,) in cursor.fetchall()]
    return found


def server_problems() -> list[str]:
    """Return settings of the database server under which the trail's promises do not hold."""
    found = []
    with connection.cursor() as cursor:
        for name, (accepted, reason) in _SETTINGS.items():
            cursor.execute("SELECT current_setting(%s)", [name])
            (value,) = cursor.fetchone()
            if value not in accepted:
                found.append(f"{name} is {value}: {reason}")
    return found
