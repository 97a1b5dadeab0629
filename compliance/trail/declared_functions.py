"""Describe a function the same way, as SQL declares it and as the catalogue has it."""

import re

from django.db.backends.utils import CursorWrapper


def present(cursor: CursorWrapper, schema: str) -> dict[str, list[tuple[object, ...]]]:
    """Return source, `attributes` and owner of all functions of a schema, by name.

    More than one of a name is a finding: their arguments decide which is called.
    """
    cursor.execute(
        "SELECT proname, prosrc, lanname, provolatile::text, prosecdef, proconfig, proisstrict, "
        "pg_get_userbyid(proowner) FROM pg_proc p JOIN pg_language l ON l.oid = prolang "
        "WHERE pronamespace = to_regnamespace(%s)",
        [schema],
    )
    found: dict[str, list[tuple[object, ...]]] = {}
    for name, source, *rest in cursor.fetchall():
        found.setdefault(name, []).append((source.strip(), *rest))
    return found


def attributes(header: str) -> tuple[object, ...]:
    """Return language, volatility, whose rights, settings and strictness, as pg_proc has them."""
    language = re.search(r"LANGUAGE (\w+)", header)
    volatility = "i" if "IMMUTABLE" in header else "s" if "STABLE" in header else "v"
    settings = re.findall(r"SET (\w+) = (.*?)\s*$", header, re.MULTILINE)
    return (
        language and language[1], volatility, "SECURITY DEFINER" in header,
        [f"{name}={value}" for name, value in settings] or None, False,
    )  # fmt: skip
