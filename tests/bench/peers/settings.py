"""What the settings of all peers have in common: a plain Django project on the same server."""

import json
import os

SECRET_KEY = "only measured"
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": json.loads(os.environ["GMP_BENCH_PEER"])}
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes"]
MIGRATION_MODULES = {
    f"with_{name}": "tests.bench.peers.no_migrations"
    for name in ("auditlog", "simple_history", "pghistory", "easy_audit")
}
