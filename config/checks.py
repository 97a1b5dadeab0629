"""What must be true of a deployment; `manage.py check --deploy` says what is not."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connection
from django.db.utils import Error as DatabaseError

from compliance.trail import enforcement, keys

HINT = "run `manage.py migrate`; if it is still there, somebody has altered the database"

Check = Callable[..., list[CheckMessage]]


def asks_database(check: Check) -> Check:
    """Let a check that needs the database say that it cannot ask it."""

    @wraps(check)
    def guarded(**options: Any) -> list[CheckMessage]:
        try:
            return check(**options)
        except DatabaseError as error:
            hint = "run `manage.py migrate` first, or see why the database does not answer"
            return [Error(f"the database cannot be asked: {error}", hint=hint, id="gmp.E006")]

    return guarded


@register(Tags.security, deploy=True)
def time_is_utc(**_: Any) -> list[CheckMessage]:
    if settings.TIME_ZONE == "UTC" and settings.USE_TZ:
        return []
    return [Error("times are stored in UTC: set TIME_ZONE='UTC' and USE_TZ", id="gmp.E001")]


@register(Tags.security, deploy=True)
@asks_database
def trail_is_enforced(**_: Any) -> list[CheckMessage]:
    """Every controlled table has its capture, ENABLE ALWAYS, and nobody has rights on the log."""
    with connection.cursor() as cursor:
        found = enforcement.problems(cursor)
    return [Error(problem, hint=HINT, id="gmp.E002") for problem in found]


@register(Tags.security, deploy=True)
def checkpoint_key_is_there(**_: Any) -> list[CheckMessage]:
    """Whoever verifies needs the public keys; the host with the private ones must open them."""
    try:
        for verifier in keys.current():
            if keys.is_here(verifier):
                keys.signer_of(verifier)
    except keys.KeyUnusable as error:
        return [Error(str(error), id="gmp.E003")]
    return []


@register(Tags.security, deploy=True)
@asks_database
def application_owns_nothing(**_: Any) -> list[CheckMessage]:
    """The application's role owns no table, and its login could not become a stronger one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname IN ('public', 'audit') AND pg_get_userbyid(c.relowner) = current_user"
        )
        (owned,) = cursor.fetchone()
        cursor.execute(
            "SELECT session_user::text, rolsuper OR rolcreaterole "
            "OR pg_has_role(session_user, 'gmp_trail', 'MEMBER') "
            "OR pg_has_role(session_user, 'gmp_owner', 'MEMBER') "
            "FROM pg_roles WHERE rolname = session_user"
        )
        login, is_stronger = cursor.fetchone()
    found: list[CheckMessage] = []
    if owned:
        found.append(Error(f"the application's role owns {owned} tables", id="gmp.E004"))
    if is_stronger:
        found.append(
            checks.Warning(
                f"the application signs in as {login}, which could become the trail's owner",
                hint="give each role a login of its own: docs/decisions/001-database-roles.md",
                id="gmp.W001",
            )
        )
    return found


@register(Tags.security, deploy=True)
@asks_database
def server_keeps_what_it_promised(**_: Any) -> list[CheckMessage]:
    """A commit that is acknowledged must survive a power cut."""
    found: list[CheckMessage] = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', "
            "'synchronous_commit', 'data_checksums', 'TimeZone')"
        )
        values = dict(cursor.fetchall())
    for name in ("fsync", "full_page_writes"):
        if values[name] != "on":
            found.append(Error(f"PostgreSQL runs with {name}={values[name]}", id="gmp.E005"))
    if values["synchronous_commit"] == "off":
        found.append(Error("PostgreSQL runs with synchronous_commit=off", id="gmp.E005"))
    if values["data_checksums"] != "on":
        found.append(checks.Warning("PostgreSQL runs without data checksums", id="gmp.W002"))
    if values["TimeZone"] != "UTC":
        found.append(Error(f"the session's time zone is {values['TimeZone']}", id="gmp.E001"))
    return found


@register(Tags.security, deploy=True)
def second_factor_is_compulsory(**_: Any) -> list[CheckMessage]:
    """Whoever administers or signs has a second factor (Annex 11 draft 2025, 11)."""
    if settings.SECOND_FACTOR_COMPULSORY:
        return []
    return [
        checks.Warning(
            "people who administer or sign may sign in with a password alone",
            hint="set GMP_SECOND_FACTOR=1; each person enrols a factor at the next sign-in",
            id="gmp.W010",
        )
    ]


@register(Tags.security, deploy=True)
def security_keys_fit_the_site(**_: Any) -> list[CheckMessage]:
    """Browsers give a security key's answer to the site's own domain only."""
    hosts = [host for host in settings.ALLOWED_HOSTS if host not in {"127.0.0.1", "[::1]"}]
    domain = settings.SITE_DOMAIN
    if any(host.lstrip(".") == domain or host.endswith(f".{domain}") for host in hosts):
        return []
    return [
        checks.Warning(
            f"no allowed host is {domain} or below it: security keys will not answer",
            hint="set GMP_SITE_DOMAIN to the domain of the site's address",
            id="gmp.W011",
        )
    ]
