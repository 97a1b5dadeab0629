"""All settings of the product, read from the environment once."""

import contextlib
import secrets as random_secrets
from functools import partial
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from compliance.quality import working_hours
from config import env, identity_providers, queues
from config.embedded import valkey

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = env.folder("GMP_VAR_DIR", BASE_DIR / "var")
DEBUG = env.flag("GMP_DEBUG", default=False)
ALLOWED_HOSTS = env.words("GMP_ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]"))


def _secret_key() -> str:
    """Return the configured secret key, else one kept under var/ (made at the first start)."""
    if key := env.secret("GMP_SECRET_KEY"):
        return key
    path = VAR_DIR / "keys" / "secret-key"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        fresh = path.with_suffix(f".{random_secrets.token_hex(4)}")
        fresh.touch(mode=0o600)
        fresh.write_text(random_secrets.token_urlsafe(50))
        with contextlib.suppress(FileExistsError):  # whoever comes second takes the first one's
            path.hardlink_to(fresh)
        fresh.unlink()
    return path.read_text()


SECRET_KEY = _secret_key()
SECRET_KEY_FALLBACKS = env.words("GMP_SECRET_KEY_FALLBACKS", (), are_secret=True)

INSTALLED_APPS = [
    "config.apps.ProductConfig",
    "compliance.api_contract",
    "compliance.trail",
    "compliance.access",
    "compliance.signin",
    "compliance.signatures",
    "compliance.retention",
    "compliance.quality",
    "compliance.configuration",
    "compliance.inspection",
    "compliance.reports",
    "batches.assets",
    "batches.recipes",
    "batches.execution",
    "batches.laboratory",
    "batches.disposition",
    "batches.exchange",
    "twins.hub",
    "twins.predictions",
    "twins.bulk",
    "twins.advice",
    "twins.explanations",
    "twins.plant",
    "config.site.ProductAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "django_celery_beat.apps.BeatConfig",
    "csp",
    *identity_providers.APPS,
]

MIDDLEWARE = [
    "config.middleware.Correlation",  # first: what the others refuse has an id too
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.ContentPolicy",
    "config.middleware.WithoutNul",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.middleware.MessagesOfPages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.middleware.ChunksGathered",
    "compliance.access.middleware.SessionLimits",
    "compliance.signin.middleware.SecondFactorGate",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Database: one PostgreSQL, seen through the roles that separate duties (docs/decisions/001.md)

EMBEDDED_POSTGRES = env.secret("DATABASE_URL") is None
DATABASE_ROLES = {
    "default": "gmp_app",  # the application: owns nothing
    "outside": "gmp_app",  # the same role, in a connection whose commits a rollback does not undo
    "owner": "gmp_owner",  # migrations
    "sequencer": "gmp_sequencer",  # seals the trail
    "signer": "gmp_signer",  # adds checkpoints, and what others said of them
}


def _database(alias: str) -> dict[str, object]:
    role = DATABASE_ROLES[alias]
    if EMBEDDED_POSTGRES:
        found: dict[str, object] = {
            "ENGINE": "config.embedded.backend",
            "EMBEDDED_VAR": str(VAR_DIR),
            "NAME": "gmp",
            "USER": "postgres" if alias == "owner" else role,
            "OPTIONS": {},
        }
    else:
        found = env.database(f"DATABASE_{alias.upper()}_URL") or env.database("DATABASE_URL") or {}
    own: Any = found["OPTIONS"]
    # Said by the client, so that no setting of the database or the login comes first: a schema
    # before pg_catalog would answer for PostgreSQL's own functions.
    session = {"role": role, "TimeZone": "UTC", "search_path": "public", "DateStyle": "ISO"}
    session |= {"IntervalStyle": "postgres", "extra_float_digits": "1", "bytea_output": "hex"}
    session |= {"quote_all_identifiers": "off", "transform_null_equals": "off"}
    # Off, a backslash in a reason would be one of SQL: a quote of the reason ends the act's own text.
    session |= {"standard_conforming_strings": "on"}
    found["OPTIONS"] = {**own, "options": " ".join(f"-c {k}={v}" for k, v in session.items())}
    found["CONN_MAX_AGE"] = 60
    found["CONN_HEALTH_CHECKS"] = True
    return found


DATABASES = {alias: _database(alias) for alias in DATABASE_ROLES}
DATABASE_ROUTERS = ["config.routing.OneDatabase"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- The trail

# The log that this installation began with; writers follow it to the one that continues it.
LOG_ID = 1
LOG_ORIGIN = env.text("GMP_LOG_ORIGIN", "gmp-twin.local/demo/site/1")
KEYS_DIR = env.folder("GMP_KEYS_DIR", VAR_DIR / "keys")
# Read when a private key is needed, by the process that signs and by no other.
KEY_PASSWORD = partial(env.secret, "GMP_KEY_PASSWORD")
PKCS11_MODULE = env.text("GMP_PKCS11_MODULE", "")  # set: the Ed25519 key is in this token
PKCS11_TOKEN = env.text("GMP_PKCS11_TOKEN", "gmp")
PKCS11_KEY = env.text("GMP_PKCS11_KEY", "gmp-trail")
PKCS11_PIN = partial(env.secret, "GMP_PKCS11_PIN")
PUBLISHED_DIR = env.folder("GMP_PUBLISHED_DIR", VAR_DIR / "published")
ARCHIVES_DIR = env.folder("GMP_ARCHIVES_DIR", VAR_DIR / "archives")
REPORTS_DIR = env.folder("GMP_REPORTS_DIR", VAR_DIR / "reports")
ATTACHMENTS_DIR = env.folder("GMP_ATTACHMENTS_DIR", VAR_DIR / "attachments")
ATTACHMENT_MAX_BYTES = env.number("GMP_ATTACHMENT_MAX_BYTES", 32 * 1024 * 1024)
MESSAGE_MAX_BYTES = env.number("GMP_MESSAGE_MAX_BYTES", 8 * 1024 * 1024)  # of other formats
ALLOTROPY_PYTHON = env.text("GMP_ALLOTROPY_PYTHON", "")  # the Python that has allotropy
ALLOTROPY_SECONDS = env.number("GMP_ALLOTROPY_SECONDS", 60)
# Outside of the operator's reach; each is off while it is empty.
LOG_PUBLIC = env.flag("GMP_LOG_PUBLIC", default=False)  # anybody may read checkpoint and tiles
# Names of standbys (application_name) that must have flushed what is signed.
STANDBYS = env.words("GMP_STANDBYS", ())
LOG_POLICY = env.text("GMP_LOG_POLICY", "")  # C2SP tlog-policy file: witnesses with their URLs
TSA_URL = env.text("GMP_TSA_URL", "")  # RFC 3161 over HTTP
TSA_ROOTS = env.text("GMP_TSA_ROOTS", "")  # PEM file of the certificates that are trusted
TSA_NAME = env.text("GMP_TSA_NAME", "")  # common name of the one authority that may answer
EXPORT = env.text("GMP_EXPORT", "")  # a folder, or s3://bucket/prefix with object lock
EXPORT_RETENTION_DAYS = env.number("GMP_EXPORT_RETENTION_DAYS", 3650)
SITE_NAME = env.text("GMP_SITE_NAME", "Demo plant")
SITE_ZONE = env.zone("GMP_SITE_ZONE", "UTC")  # of the site's clocks; signatures show it
# By these clocks and by role; a review of the trail looks at what was done outside of them.
WORKING_HOURS = env.parsed("GMP_WORKING_HOURS", working_hours.DEFAULT, working_hours.parse)

# --- People

AUTH_USER_MODEL = "access.User"
AUTHENTICATION_BACKENDS = ["compliance.access.backends.RoleBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "admin:login"
# Annex 11 draft 2025, 11: the idle time-out is set here, for everybody, not by the user.
SESSION_IDLE_SECONDS = env.number("GMP_SESSION_IDLE_SECONDS", 15 * 60)
# However busy it is, a session ends after this time.
SESSION_LIMIT_SECONDS = env.number("GMP_SESSION_LIMIT_SECONDS", 12 * 3600)
SESSION_COOKIE_AGE = SESSION_LIMIT_SECONDS
# How long an access token of a client lasts; the database takes no more than an hour.
ACCESS_TOKEN_SECONDS = env.number("GMP_ACCESS_TOKEN_SECONDS", 15 * 60)
if not 1 <= ACCESS_TOKEN_SECONDS <= 3600:
    raise ImproperlyConfigured("GMP_ACCESS_TOKEN_SECONDS must be 1 to 3600")
# 21 CFR 11.300(b): how often quality looks at who may do what.
ACCESS_REVIEW_DAYS = env.number("GMP_ACCESS_REVIEW_DAYS", 180)
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_HTTPONLY = True

# Annex 11 draft 2025, 11: whoever administers or signs has a second factor; `check --deploy` asks.
SECOND_FACTOR_COMPULSORY = env.flag("GMP_SECOND_FACTOR", default=False)
# Sign-in at an identity provider, for people whom an administrator linked; nobody is signed up.
SOCIALACCOUNT_PROVIDERS = identity_providers.read()
SOCIALACCOUNT_ADAPTER = "compliance.signin.providers.LinkedPeopleOnly"
SOCIALACCOUNT_LOGIN_ON_GET = True  # a form may post to this site only (Content-Security-Policy)
SOCIALACCOUNT_STORE_TOKENS = False
ACCOUNT_EMAIL_VERIFICATION = "none"
# Set it when the provider itself asks everybody for a second factor.
PROVIDER_GIVES_SECOND_FACTOR = env.flag("GMP_SSO_SECOND_FACTOR", default=False)
# The domain that security keys are bound to: that of the site's address, or one above it.
SITE_DOMAIN = env.text("GMP_SITE_DOMAIN", "localhost")

# --- Transport: plain HTTP is for this machine only; a deployment sets GMP_HTTPS=1

HTTPS = env.flag("GMP_HTTPS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
CSRF_TRUSTED_ORIGINS = env.words("GMP_TRUSTED_ORIGINS", ())
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 32 * 1024 * 1024

# --- API

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "compliance.access.authentication.DeviceAuthentication",
        "compliance.access.authentication.ClientAuthentication",
        "compliance.access.authentication.PersonAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_SCHEMA_CLASS": "compliance.api_contract.openapi.Schema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["compliance.api_contract.strict_json.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.LimitOffsetPagination",
    "PAGE_SIZE": 100,
    "EXCEPTION_HANDLER": "config.problems.handler",
    "COERCE_DECIMAL_TO_STRING": True,
}
# Requests a minute of one client, by what it is: a device, a person, or nobody known (by address).
API_RATES = {
    "device": env.number("GMP_RATE_DEVICE", 30_000),
    "user": env.number("GMP_RATE_PERSON", 1_200),
    "nobody": env.number("GMP_RATE_STRANGER", 300),
}
SPECTACULAR_SETTINGS = {
    "TITLE": "GMP compliance and audit-trail twin",
    "DESCRIPTION": "What a plant's LIMS, MES and sensors post, and what people read and sign.",
    "VERSION": "1",
    "LICENSE": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
    "SERVERS": [{"url": "/", "description": "This installation"}],
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",  # so an operation's tag is the first word after it
    "OAS_VERSION": "3.1.0",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "compliance.api_contract.openapi.as_of_3_1",
        "compliance.api_contract.openapi.described_once",
    ],
    "ENUM_NAME_OVERRIDES": {
        "RoleName": "compliance.access.api.messages.ROLES",
        "FactorKind": "compliance.signin.models.FactorKind",
        "Severity": "compliance.quality.models.Severity",
        "QualityCategory": "compliance.quality.models.Category",
        "EntryOutcome": "compliance.quality.messages.reviews.OUTCOMES",
        "RootCauseCategory": "compliance.quality.models.RootCause",
        "Meaning": "compliance.signatures.models.Meaning",
        "DeviceKind": "compliance.access.models.DeviceKind",
        "BatchState": "batches.execution.models.BatchState",
        "PhaseState": "batches.execution.models.PhaseState",
        "RecipeState": "batches.recipes.models.RecipeState",
        "ParameterKind": "batches.recipes.models.ParameterKind",
        "RecipeMaterialKind": "batches.recipes.models.MaterialKind",
        "ReportState": "compliance.reports.models.ReportState",
        "InspectionState": "compliance.inspection.models.InspectionState",
        "DeviationState": "compliance.quality.models.DeviationState",
        "AlertState": "twins.predictions.models.AlertState",
        "PredictionState": "twins.predictions.models.PredictionState",
        "BulkState": "twins.bulk.models.BulkState",
        "BulkKind": "twins.bulk.models.BulkKind",
        "ProposalState": "twins.advice.models.ProposalState",
        "ExplanationState": "twins.explanations.models.ExplanationState",
    },
}

# Where messages to receivers of changes may go beside https:// and public addresses.
WEBHOOK_HTTP = env.flag("GMP_WEBHOOK_HTTP", default=False)
WEBHOOK_PRIVATE = env.flag("GMP_WEBHOOK_PRIVATE", default=False)

# --- Background work

EMBEDDED_BROKER = env.secret("CELERY_BROKER_URL") is None
CELERY_BROKER_URL = env.secret("CELERY_BROKER_URL") or valkey.url(VAR_DIR)  # `up` starts it
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_EXPIRES = None  # there are no results: beat adds no job of its own to clean up
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 600
CELERY_TASK_DEFAULT_QUEUE = queues.SCHEDULED
CELERY_TASK_ROUTES = queues.ROUTES
# One part of a bulk run: seconds it may take, and MiB of memory it may use.
BULK_PART_SECONDS = env.number("GMP_BULK_PART_SECONDS", 300)
BULK_PART_MEMORY_MB = env.number("GMP_BULK_PART_MEMORY_MB", 1024)
# So many workers of one run at least: the sweep asks for those that it lacks.
BULK_WIDTH = env.number("GMP_BULK_WIDTH", 8)
# Processes of each worker that `up` starts, of bulk work another number; 0: one a core.
WORKER_PROCESSES = env.number("GMP_WORKER_PROCESSES", 2)
BULK_PROCESSES = env.number("GMP_BULK_PROCESSES", 0)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 60,  # a killed worker's task comes back
    "queue_order_strategy": "priority",  # a worker's queues in the order of config/queues.py
}
# A page load never waits for the broker: what is not queued now, a sweep queues later.
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1}
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_TIMEZONE = "UTC"

# --- The rest

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # without `collectstatic` it stays empty
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(levelname)s %(name)s [%(correlation)s]: %(message)s"}},
    "filters": {"correlation": {"()": "compliance.api_contract.correlation.InEveryLine"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "plain",
            "filters": ["correlation"],
        }
    },
    "loggers": {"httpx": {"level": "WARNING"}},  # one line a request says nothing to a person
    "root": {"handlers": ["console"], "level": env.text("GMP_LOG_LEVEL", "INFO")},
}
