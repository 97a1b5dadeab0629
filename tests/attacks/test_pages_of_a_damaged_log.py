"""One entry that cannot be read hides no other, and no page of the trail ends with an error."""

from typing import Any

import psycopg
import pytest
from django.test import Client

from compliance.access.duties import Role
from compliance.trail import versions
from compliance.trail.entry_text import EntryUnreadable
from compliance.trail.models import Entry
from compliance.trail.versions import At
from tests import factories, trail_log
from tests.attacks import colluding

Superuser = psycopg.Connection[Any]
ONE = "entry_id = (SELECT max(entry_id) - 3 FROM audit.projection)"
SHOWN, TOLD = "unreadable", "cannot be shown"
PLANTED = {
    "no JSON": (f"UPDATE audit.entry SET body = '\\x00ff' WHERE {ONE}", SHOWN),
    "a list": (f"UPDATE audit.entry SET body = '[1]' WHERE {ONE}", SHOWN),
    "nothing in it": (f"UPDATE audit.entry SET body = '{{}}' WHERE {ONE}", SHOWN),
    "values that are none": (
        f'UPDATE audit.entry SET body = \'{{"op":"insert","new":[],"old":{{}}}}\' WHERE {ONE}',
        SHOWN,
    ),
    "a time without end": (f"UPDATE audit.projection SET at = 'infinity' WHERE {ONE}", TOLD),
    "no place of the search": ("DELETE FROM audit.projected", TOLD),
    "no leaves": ("DELETE FROM audit.leaf", ""),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_damaged_log_is_shown_as_far_as_it_can_be(
    fresh_log: Any, as_superuser: Superuser, planted: str
) -> None:
    auditor = factories.person(Role.AUDITOR)
    trail_log.written()
    statement, said = PLANTED[planted]
    [(entry,)] = as_superuser.execute(
        f"SELECT entry_id FROM audit.projection WHERE {ONE}"
    ).fetchall()
    with colluding.silenced(as_superuser) as silent:
        silent.execute(statement)
    client = Client(raise_request_exception=False)
    client.force_login(auditor)

    listed, page = (
        client.get(address)
        for address in ("/admin/trail/entry/", f"/admin/trail/entry/{entry}/change/")
    )
    lines = client.get("/api/v1/entries")

    for shown in (listed, page):
        assert shown.status_code == 200 or TOLD in shown.content.decode()
    assert said in listed.content.decode()
    if said == SHOWN:
        assert listed.content.decode().count(SHOWN) == 1
        assert (page.status_code, lines.status_code) == (200, 200)
        of = Entry.objects.get(pk=entry)
        with pytest.raises(EntryUnreadable, match="trail verify"):
            versions.version(Entry.objects.of_record(of.record, of.record_id), At())
