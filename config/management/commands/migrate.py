"""Migrate as the owner, then bring the trail's capture up to date."""

from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management import CommandError
from django.core.management.commands import migrate
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from compliance.trail import capture, keys, roles, whitelist
from compliance.trail.models import LogEvent
from config import jobs
from config import settings as product

EARLIER = (
    "this database is of an earlier build ({what}), which cannot be migrated: keep it with its "
    "build for reading, and begin a new one with another GMP_VAR_DIR or DATABASE_URL"
)

# With one of these not everything is migrated.
_NOT_ALL = ("app_label", "plan", "check_unapplied", "fake", "fake_initial", "prune")


class Command(migrate.Command):
    help = "Make roles and database where missing, migrate as their owner, install the capture."

    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database="owner")

    def handle(self, *args: Any, **options: Any) -> None:
        options["database"] = "owner"
        owner = connections["owner"]
        roles.provision(str(owner.settings_dict["NAME"]), login=product.EMBEDDED_POSTGRES)
        with owner.cursor() as cursor:
            cursor.execute(
                # The catalogue itself: in a new database nobody may look into the schema yet.
                "SELECT bool_or(relname = 'log') AND NOT bool_or(relname = 'projected') "
                "FROM pg_class WHERE relnamespace = (SELECT oid FROM pg_namespace "
                "WHERE nspname = 'audit')"
            )
            if cursor.fetchone() == (True,):
                raise CommandError(EARLIER.format(what="a log of entries of form 1"))
        loader = MigrationLoader(owner)
        gone = set(loader.applied_migrations) - set(loader.disk_migrations)
        names = sorted(f"{app}.{name}" for app, name in gone if app in loader.migrated_apps)
        if names:
            raise CommandError(EARLIER.format(what=f"{', '.join(names[:3])} applied"))
        if not loader.applied_migrations and not any(map(options.get, _NOT_ALL)):
            self._libraries_first(owner, options["verbosity"])
        super().handle(*args, **options)
        with owner.cursor() as cursor:
            cursor.execute("SELECT to_regclass('audit.log') IS NOT NULL")
            if cursor.fetchone() != (True,):
                return
        with transaction.atomic(using="owner"):
            # First what the log says about itself: redactable values are declared before any is
            # committed to.
            renewed = capture.install(owner, only=LogEvent._meta.db_table)
            whitelist.declare(at=timezone.now())
            renewed += capture.install(owner)
        roles.watch_ddl(str(owner.settings_dict["NAME"]))  # last: what was made is no news
        if renewed and options["verbosity"] > 0:
            self.stdout.write(f"  Capture renewed on {len(renewed)} controlled tables")
        keys.ensure()  # a trial's way; a deployment brings its own key
        if options["app_label"] is None:
            jobs.install(at=timezone.now())

    def _libraries_first(self, owner: BaseDatabaseWrapper, verbosity: int) -> None:
        """Make the tables of libraries in a new database while it has few others.

        With each of their many steps Django renders every model related to the one that it alters:
        behind ours, that is nearly all of them, and half of the time of a new database.
        """
        self.verbosity = verbosity
        executor = MigrationExecutor(owner, self.migration_progress_callback)  # type: ignore[arg-type]
        executor.migrate(
            [
                leaf
                for leaf in executor.loader.graph.leaf_nodes()
                if "site-packages" in Path(apps.get_app_config(leaf[0]).path).parts
            ]
        )
