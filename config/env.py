"""Read typed values from the environment; a bad one fails at start with its name."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ImproperlyConfigured

_T = TypeVar("_T")
# Every setting that was read, as people may see it: what the installation runs with is on record.
READ: dict[str, str] = {}
SET = "(set, not shown)"


def _note(name: str, value: str) -> str:
    """Keep what was read, without the user and password that a URL may carry."""
    READ[name] = re.sub(r"://[^/@\s]*@", "://(not shown)@", value)
    return value


def text(name: str, default: str) -> str:
    return _note(name, os.environ.get(name) or default)


def flag(name: str, *, default: bool) -> bool:
    found = _flag(name, default)
    _note(name, "1" if found else "0")
    return found


def _flag(name: str, default: bool) -> bool:
    raw = os.environ.get(name)
    if raw is None or raw == "":
        return default
    if raw.lower() in {"1", "true", "yes", "on"}:
        return True
    if raw.lower() in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} must be 1 or 0, not {raw!r}")


def number(name: str, default: int) -> int:
    raw = os.environ.get(name) or str(default)
    try:
        found = int(raw)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {raw!r}") from error
    _note(name, str(found))
    return found


def words(name: str, default: tuple[str, ...], *, are_secret: bool = False) -> list[str]:
    """Return a comma-separated list."""
    raw = os.environ.get(name)
    found = [word.strip() for word in raw.split(",") if word.strip()] if raw else list(default)
    _note(name, SET if are_secret and found else ", ".join(found))
    return found


def zone(name: str, default: str) -> str:
    """Return the name of a zone of the IANA time zone database."""
    raw = text(name, default)
    try:
        ZoneInfo(raw)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ImproperlyConfigured(f"{name}: there is no time zone {raw!r}") from error
    return raw


def parsed(name: str, default: str, parse: Callable[[str], _T]) -> _T:
    """Return what a text means to its reader, which raises `ValueError` where it means nothing."""
    try:
        return parse(text(name, default))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}") from error


def folder(name: str, default: Path) -> Path:
    return Path(text(name, str(default))).expanduser().absolute()


def secret(name: str) -> str | None:
    """Return a secret, or the content of the file that NAME_FILE names; None when neither is set."""
    READ.pop(name, None)
    if value := os.environ.get(name):
        READ[name] = SET
        return value
    if path := os.environ.get(f"{name}_FILE"):
        READ[name] = SET
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE names {path}: {error.strerror}") from error
    return None


def database(name: str) -> dict[str, object] | None:
    """Translate a postgresql:// URL into Django's settings; None when NAME is unset."""
    raw = secret(name)
    if not raw:
        return None
    url = urlsplit(raw)
    if url.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(
            f"{name} must start with postgresql:// (the trail is built on PostgreSQL), "
            f"not {url.scheme!r}://"
        )
    try:
        port = url.port
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} has a port that is no number") from error
    query = dict(parse_qsl(url.query))
    return {
        "ENGINE": "config.postgres",
        "NAME": unquote(url.path.lstrip("/")) or "postgres",
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": query.pop("host", None) or unquote(url.hostname or ""),
        "PORT": str(port or ""),
        "OPTIONS": dict(query),
    }
