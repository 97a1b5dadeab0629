"""django-easy-audit as its documentation installs it."""

from tests.bench.peers.settings import *  # noqa: F403
from tests.bench.peers.settings import INSTALLED_APPS

INSTALLED_APPS = [
    *INSTALLED_APPS,
    "django.contrib.sessions",  # its settings import the model of sessions
    "easyaudit",
    "tests.bench.peers.with_easy_audit",
]
DJANGO_EASY_AUDIT_REGISTERED_CLASSES = [
    f"with_easy_audit.{model}" for model in ("Audited", "Linked", "Part")
]
