"""Databases for the tests: one to roll back in, and fresh ones to commit and to attack in."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.apps import AppConfig, apps
from django.conf import settings as product
from django.core.management import call_command
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from hypothesis import HealthCheck, settings
from psycopg import sql

from tests.api_client import ApiClient
from tests.requirements.recorder import Recorder

ROOT = Path(__file__).resolve().parents[1]


def _add_models_of_tests() -> None:
    """Install the models that only the tests have; the product's settings know nothing of them."""
    config = AppConfig.create("tests.trail_app")
    config.apps = apps
    apps.app_configs[config.label] = config
    config.import_models()
    apps.clear_cache()


_add_models_of_tests()
# A slow hash is for real passwords; hundreds of people of the tests would each take half a second.
product.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# A slow machine is no fault of what is tested.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--requirements-record",
        type=Path,
        help="write which requirement each test showed to a file",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Recorder(config.getoption("--requirements-record")))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let every test with a database write refusals too, which have a connection of their own."""
    for item in items:
        marker = item.get_closest_marker("django_db")
        if marker and "databases" not in marker.kwargs:
            item.add_marker(
                pytest.mark.django_db(
                    *marker.args, databases=["default", "outside"], **marker.kwargs
                ),
                append=False,
            )


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of other people's data and vectors beside the checkout."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"{folder} is needed here")
        pytest.skip(f"{folder} is not on this machine")
    return folder


@pytest.fixture
def client() -> ApiClient:
    """Return a client that keeps the contract of the API by itself."""
    return ApiClient()


@pytest.fixture(scope="session", autouse=True)
def _folders_of_tests(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the tests away from the keys and files of a real installation."""
    folder = tmp_path_factory.mktemp("product")
    product.KEYS_DIR = folder / "keys"
    product.PUBLISHED_DIR = folder / "published"
    product.REPORTS_DIR = folder / "reports"
    product.ATTACHMENTS_DIR = folder / "attachments"
    product.ARCHIVES_DIR = folder / "archives"


# --- Databases


@contextmanager
def administrator(database: str) -> Iterator[psycopg.Connection[Any]]:
    """Connect as the owner's own user, outside any role; a superuser on the usual set-ups."""
    own = connections["owner"]
    options = {
        key: value for key, value in own.settings_dict["OPTIONS"].items() if key != "options"
    }
    other: BaseDatabaseWrapper = type(own)(
        {**own.settings_dict, "NAME": database, "OPTIONS": options}, "owner"
    )
    try:
        other.ensure_connection()
        yield other.connection
    finally:
        other.close()


@contextmanager
def pointed_at(database: str) -> Iterator[None]:
    """Let every alias connect to another database, in this process and all its threads."""
    before = {alias: connections[alias].settings_dict["NAME"] for alias in connections}
    for alias in connections:
        connections[alias].close()
        connections[alias].settings_dict["NAME"] = database
    try:
        yield
    finally:
        for alias in connections:
            connections[alias].close()
            connections[alias].settings_dict["NAME"] = before[alias]


def _drop(database: str) -> None:
    with administrator("postgres") as postgres:
        postgres.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
        )


def _copy(template: str, database: str) -> None:
    with administrator("postgres") as postgres:
        postgres.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(database), sql.Identifier(template)
            )
        )


@pytest.fixture(scope="session")
def template_database(request: pytest.FixtureRequest, django_db_blocker: Any) -> Iterator[str]:
    """Migrate an empty database with the product's own command; all others are copies of it."""
    reuse = request.config.getvalue("reuse_db")
    name = f"test_{connections['default'].settings_dict['NAME']}_template"
    with django_db_blocker.unblock():
        if not reuse:
            _drop(name)
        with pointed_at(name):
            call_command("migrate", verbosity=0, interactive=False, run_syncdb=True)
    yield name
    if not reuse:
        with django_db_blocker.unblock():
            _drop(name)


@pytest.fixture(scope="session")
def django_db_setup(template_database: str, django_db_blocker: Any) -> Iterator[None]:
    """Give the `db` fixture a migrated database, which the tests see as the application does."""
    name = template_database.removesuffix("_template")
    with django_db_blocker.unblock():
        _drop(name)
        _copy(template_database, name)
    with pointed_at(name):
        yield
    with django_db_blocker.unblock():
        _drop(name)


@dataclass(frozen=True)
class FreshLog:
    """A database of one test, with folders for its keys and its published checkpoints."""

    database: str
    keys: Path
    published: Path


@pytest.fixture
def fresh_log(
    template_database: str, django_db_blocker: Any, settings: Any, tmp_path: Path
) -> Iterator[FreshLog]:
    """Give a test a database of its own to commit in, alter and break; all aliases point there."""
    name = f"{template_database}_{uuid.uuid4().hex[:8]}"
    fresh = FreshLog(name, tmp_path / "keys", tmp_path / "published")
    settings.KEYS_DIR, settings.PUBLISHED_DIR = fresh.keys, fresh.published
    with django_db_blocker.unblock():
        _copy(template_database, name)
        try:
            with pointed_at(name):
                yield fresh
        finally:
            _drop(name)


@pytest.fixture
def as_superuser(fresh_log: FreshLog) -> Iterator[psycopg.Connection[Any]]:
    """Connect to the fresh database as an administrator who may do everything."""
    with administrator(fresh_log.database) as connection:
        if connection.execute("SHOW is_superuser").fetchone() != ("on",):
            pytest.skip("the owner's user is no superuser here")
        yield connection
