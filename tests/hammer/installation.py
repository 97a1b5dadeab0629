"""Set the product up in a folder of its own, with the models that only the tests have."""

import os
from pathlib import Path


def set_up(folder: Path, *, create: bool) -> None:
    """Point this process at an installation; with `create`, migrate it first."""
    os.environ["GMP_VAR_DIR"] = str(folder)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("GMP_LOG_LEVEL", "ERROR")

    import django

    django.setup()

    from django.apps import AppConfig, apps
    from django.core.management import call_command

    config = AppConfig.create("tests.trail_app")
    config.apps = apps
    apps.app_configs[config.label] = config
    config.import_models()
    apps.clear_cache()
    if create:
        call_command("migrate", verbosity=0, interactive=False, run_syncdb=True)
