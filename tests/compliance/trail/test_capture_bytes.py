"""The database writes canonical bytes that say exactly what it stores, for every type."""

import json
import uuid
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.trail import entry_form
from compliance.trail.models import Entry
from tests import trail_log
from tests.trail_app.models import Everything

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))
VALUES = st.fixed_dictionaries(
    {
        "flag": st.none() | st.booleans(),
        "small": st.none() | st.integers(-(2**15), 2**15 - 1),
        "whole": st.none() | st.integers(-(2**31), 2**31 - 1),
        "big": st.none() | st.integers(-(2**63), 2**63 - 1),
        "exact": st.none() | st.decimals(-(10**19), 10**19, allow_nan=False, places=10),
        "text": st.none() | text,
        "word": st.none() | text,
        "address": st.none() | st.ip_addresses().map(str),
        "on": st.none() | st.dates(),
        "clock": st.none() | st.times(),
        "at": st.none() | moments,
        "lasting": st.none() | st.timedeltas(timedelta(days=-99999), timedelta(days=99999)),
        "raw": st.none() | st.binary(max_size=60),
        "document": st.none() | st.dictionaries(st.sampled_from(["a", "b.c", "Z-9"]), text),
    }
)


def expected(name: str, value: Any) -> Any:
    """Return what an entry must say of a value: an exact text, whatever the type."""
    match value:
        case int() if abs(value) >= 2**53:  # canonical JSON has no such number
            return str(value)
        case None | bool() | int():
            return value
        case Decimal():
            return f"{value:.10f}"
        case datetime():
            return f"{value.year:04}{value.strftime('-%m-%dT%H:%M:%S.')}{value.microsecond:06}Z"
        case date():
            return value.isoformat()
        case time():
            return value.strftime("%H:%M:%S.") + f"{value.microsecond:06}"
        case timedelta():
            return f"{Decimal(value // timedelta(microseconds=1)).scaleb(-6):.6f}"
        case bytes():
            return value.hex()
        case dict():
            return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        case _:
            return str(value)


@pytest.mark.django_db
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(values=VALUES)
def test_an_entry_says_exactly_what_was_stored(values: dict[str, Any]) -> None:
    key = uuid.uuid4()  # not drawn: one transaction holds all examples
    with trail_log.act():
        Everything.objects.create(id=key, **values)
    stored = Everything.objects.get(pk=key)

    entry = Entry.objects.of_record("trail_app_everything", key).get()

    members = entry_form.parse(entry.body.encode())  # canonical, and the form of an entry
    said = members["new"]
    for name, value in values.items():
        if name != "address":
            assert said[name] == expected(name, value), name
    assert said["id"] == str(key)
    assert said["address"] == stored.address  # PostgreSQL writes an IPv6 address its own way


@pytest.mark.django_db
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(before=VALUES, after=VALUES)
def test_a_change_says_exactly_what_differs(before: dict[str, Any], after: dict[str, Any]) -> None:
    key = uuid.uuid4()
    after = {**after, "address": before["address"]}
    with trail_log.act():
        Everything.objects.create(id=key, **before)
        Everything(id=key, **after).save(force_update=True)

    found = list(Entry.objects.of_record("trail_app_everything", key))

    differing = {
        name: expected(name, after[name])
        for name in after
        if expected(name, before[name]) != expected(name, after[name])
    }
    if differing:
        members = entry_form.parse(found[1].body.encode())
        assert members["new"] == differing
        assert members["old"] == {name: expected(name, before[name]) for name in differing}
    assert len(found) == 1 + bool(differing)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("column", "stored", "said"),
    [
        ("exact", "12.50", "12.5000000000"),
        ("at", "'infinity'", "infinity"),
        ("at", "'-infinity'", "-infinity"),
        ("on", "'infinity'", "infinity"),
        ("at", "'2026-03-29 02:30:00.000001+02'", "2026-03-29T00:30:00.000001Z"),
        ("text", "E'\\u2028 \\u0001 \\\\ \" / \\u007f'", '\u2028 \x01 \\ " / \x7f'),
        ("text", "E'e\\u0301'", "e\u0301"),
    ],
)
def test_values_that_only_sql_can_write_are_exact_too(column: str, stored: str, said: str) -> None:
    key = uuid.uuid4()
    with trail_log.act(), connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO trail_app_everything (id, "{column}") VALUES (%s, {stored})', [key]
        )

    entry = Entry.objects.of_record("trail_app_everything", key).get()

    assert entry_form.parse(entry.body.encode())["new"][column] == said
