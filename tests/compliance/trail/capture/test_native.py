"""Captures as machine code write what the same captures write as SQL, byte for byte."""

import hashlib
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from django.db import connections, transaction
from hypothesis import HealthCheck, given, settings
from psycopg import sql

from compliance.trail import capture, verification
from compliance.trail.models import Entry
from config.embedded import native
from tests import trail_log
from tests.compliance.trail.test_capture_bytes import VALUES
from tests.trail_app.models import Kept, Tag, Vessel

TAG = b"gmp-audit/entry/v1\0"
ACT = (
    '{"acted_at":"2026-03-02T12:00:00.000000Z","action":"test.tried","actor":"é \\"q\\"",'
    '"actor_id":"a","id":"11111111-1111-4111-8111-111111111111","reason":"tried in a test",'
    '"role":"r","source":"s"}'
)
WITHOUT_REASON = ACT.replace("tried in a test", "")
BOTH = (True, False)
_INTERPRETED = (
    "SELECT coalesce(sum(calls), 0)::int FROM pg_stat_xact_user_functions "
    "WHERE funcname LIKE 'capture_%'"
)


class Written(NamedTuple):
    """What one run of some statements left behind."""

    bodies: list[dict[str, Any]]
    texts: list[str]
    rows: list[Any]
    refused: str
    unled: int  # rows whose head is of no entry
    interpreted: int  # calls of capture functions that PL/pgSQL ran


def _written(
    server: psycopg.Connection[Any],
    *statements: Any,
    as_code: bool,
    table: str = "trail_app_everything",
    act: str = ACT,
) -> Written:
    """Run statements in one act, return their entries and the table's rows, and take all back."""
    refused = ""
    with server.transaction(force_rollback=True):
        server.execute(
            "SELECT set_config('gmp_capture.native', %s, true), "
            "set_config('track_functions', 'all', true)",
            [str(as_code)],
        )
        (calls,) = server.execute(_INTERPRETED).fetchone() or (0,)
        first = server.execute("SELECT last_value FROM audit.entry_id_seq").fetchone()
        if act:
            server.execute("SELECT audit.begin_act(1::smallint, %s)", [act])
        for statement, *parameters in statements:
            try:
                with server.transaction():
                    server.execute(statement, *parameters)
            except psycopg.Error as error:
                refused = f"{error.sqlstate} {error.diag.message_primary}"
        assert first
        found = server.execute(
            "SELECT body, digest, xid::text = pg_current_xact_id()::text, log_id FROM audit.entry "
            "WHERE entry_id > %s ORDER BY entry_id",
            first,
        ).fetchall()
        rows = server.execute(
            sql.SQL("SELECT to_jsonb(t) - 'audit_head', audit_head FROM {} t ORDER BY 1").format(
                sql.Identifier(table)
            )
        ).fetchall()
        (calls_then,) = server.execute(_INTERPRETED).fetchone() or (0,)
    texts = [body.decode() for body, *_ in found]
    assert all(hashlib.sha256(TAG + body).digest() == digest for body, digest, *_ in found)
    assert all((same, log) == (True, 1) for *_, same, log in found)
    heads = {digest for _, digest, *_ in found}
    unled = sum(bytes(head) not in heads for _, head in rows)
    return Written(
        [json.loads(one) for one in texts], texts, [row for row, _ in rows], refused, unled,
        calls_then - calls,
    )  # fmt: skip


def _same(server: psycopg.Connection[Any], *statements: Any, **options: Any) -> Written:
    """Demand that machine code and SQL leave the same behind; return it."""
    code, plain = (_written(server, *statements, as_code=one, **options) for one in BOTH)
    assert code.refused == plain.refused
    assert code.rows == plain.rows
    assert code.unled == plain.unled
    assert code.interpreted < plain.interpreted or not code.bodies
    assert [_timeless(one) for one in code.texts] == [_timeless(one) for one in plain.texts]
    return code


def _timeless(text: str) -> str:
    """Blank the time of an entry, and the digest of the one before, which has a time too."""
    body = json.loads(text)
    text = text.replace(f'"at":"{body["at"]}","log"', '"at":"","log"')
    return text.replace(f'"prev":"{body["prev"]}"', '"prev":""') if body["prev"] else text


def _insert(table: str, values: dict[str, Any]) -> tuple[sql.Composed, list[Any]]:
    return (
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join(sql.Placeholder() * len(values)),
        ),
        [_stored(one) for one in values.values()],
    )


def _update(table: str, values: dict[str, Any]) -> tuple[sql.Composed, list[Any]]:
    pairs = [sql.SQL("{} = %s").format(sql.Identifier(name)) for name in values]
    return (
        sql.SQL("UPDATE {} SET {}").format(sql.Identifier(table), sql.SQL(", ").join(pairs)),
        [_stored(one) for one in values.values()],
    )


def _stored(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict) else value


def test_whatever_is_stored_the_bytes_are_those_of_the_sql(server: Any) -> None:
    @settings(
        max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(first=VALUES, then=VALUES)
    def tried(first: dict[str, Any], then: dict[str, Any]) -> None:
        key = {"id": str(uuid.UUID(int=7))}
        found = _same(
            server,
            _insert("trail_app_everything", key | first),
            _update("trail_app_everything", then),
            _update("trail_app_everything", then),  # changes nothing
        )
        assert not found.refused and not found.unled and not found.interpreted
        assert len(found.bodies) in {1, 2}

    tried()


EDGES = [
    ("on", "'infinity'", "'-infinity'"), ("on", "'0044-03-15 BC'", "'5874897-12-31'"),
    ("on", "'4713-01-01 BC'", "'12026-01-01'"), ("on", "'0001-01-01'", "'9999-12-31'"),
    ("at", "'infinity'", "'-infinity'"),
    ("at", "'4713-01-01 00:00 BC'", "'294276-12-31 23:59:59.999999'"),
    ("at", "'0001-12-31 23:59:59.999999 BC'", "'12026-01-01'"),
    ("at", "'1999-12-31 23:59:59.999999+00'", "'2000-01-01 00:00+00'"),
    ("clock", "'24:00:00'", "'00:00:00.000001'"),
    ("lasting", "'-178000000 years'", "'1 mon -3 days 04:05:06.789'"),
    ("lasting", "'24:00:00'", "'1 day'"),
    ("address", "'10.1.2.3/8'", "'10.1.2.3/9'"), ("address", "'::ffff:1.2.3.4'", "'2001:db8::1/64'"),
    ("exact", "'NaN'", "0"), ("exact", "-0.0000000001", "99999999999999999999"),
    ("big", "9007199254740991", "9007199254740992"),
    ("big", "-9223372036854775808", "-9007199254740992"), ("small", "-32768", "32767"),
    ("text", "''", "repeat(E'\\\\ \" \\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\\u2028', 3)"),
    ("text", "repeat('Ω€𝄞\"', 60000)", "repeat('x', 3000000)"),
    ("word", "E'\\u00e9'", "E'e\\u0301'"), ("flag", "true", "false"),
    ("raw", "''", "decode(repeat('00ff', 50000), 'hex')"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "first", "then"), EDGES)
def test_the_edges_of_each_type(server: Any, column: str, first: str, then: str) -> None:
    key = "'00000000-0000-0000-0000-000000000007'"
    found = _same(
        server,
        (f'INSERT INTO trail_app_everything (id, "{column}") VALUES ({key}, {first})',),
        (f'UPDATE trail_app_everything SET "{column}" = {then}',),
        (f'UPDATE trail_app_everything SET "{column}" = NULL, whole = 1',),
        (f'UPDATE trail_app_everything SET "{column}" = {first}',),
    )

    assert not found.refused and not found.interpreted
    assert len(found.bodies) == 4 - (then == "'1 day'")  # which equals 24 hours


def test_a_column_by_digest_and_one_that_is_ignored(server: Any) -> None:
    found = _same(
        server,
        *[_insert("trail_app_vessel", {"id": n, "name": f"V{n}", "volume_l": n, "seen": n, "secret": s})
          for n, s in enumerate(["", "s3cret", "é" * 50])],
        ("UPDATE trail_app_vessel SET seen = 9",),
        ("UPDATE trail_app_vessel SET secret = name, volume_l = 1.50",),
        table="trail_app_vessel",
    )  # fmt: skip

    assert len(found.bodies) == 6 and not found.interpreted
    assert found.bodies[1]["new"]["secret"] == "sha256:" + hashlib.sha256(b"s3cret").hexdigest()
    assert all("seen" not in one["new"] for one in found.bodies)


TAGS = "INSERT INTO trail_app_tag (id, name) SELECT n, 'T' || n FROM generate_series(1, 50) n"
WAYS = {
    "nothing on conflict": (
        TAGS, "INSERT INTO trail_app_tag (id, name) VALUES (1, 'T1'), (90, 'new') "
        "ON CONFLICT DO NOTHING",
    ),
    "update on conflict": (
        TAGS, "INSERT INTO trail_app_tag AS t (id, name) VALUES (1, 'T1'), (90, 'new') "
        "ON CONFLICT (id) DO UPDATE SET name = t.name || '!'",
    ),
    "merge": (
        TAGS, "MERGE INTO trail_app_tag t USING (VALUES (1, 'a'), (91, 'b')) v (id, name) "
        "ON t.id = v.id WHEN MATCHED THEN UPDATE SET name = v.name "
        "WHEN NOT MATCHED THEN INSERT (id, name) VALUES (v.id, v.name)",
    ),
    "two of them in one statement": (
        TAGS, "WITH made AS (INSERT INTO trail_app_kept (id, text) VALUES (1, 'k') RETURNING id), "
        "moved AS (UPDATE trail_app_tag SET name = name || 'x' WHERE id < 9 RETURNING id) "
        "INSERT INTO trail_app_tag (id, name) SELECT 100 + id, 'from ' || id FROM moved",
    ),
    "written by what is read": (
        TAGS, "WITH moved AS (UPDATE trail_app_tag SET name = name || 'x' RETURNING id) "
        "SELECT * FROM moved",
    ),
    "deleted and changed": (
        TAGS, "DELETE FROM trail_app_tag WHERE id < 5", "UPDATE trail_app_tag SET name = name || id",
    ),
    "a key that changes": (TAGS, "UPDATE trail_app_tag SET id = id + 1000"),
    "never deleted": (
        "INSERT INTO trail_app_kept (id, text) VALUES (1, 'k')", "DELETE FROM trail_app_kept",
    ),
    "never altered": (
        "INSERT INTO trail_app_stamp (id, text) VALUES (1, 'k')",
        "UPDATE trail_app_stamp SET text = 'l'",
    ),
    "emptied": (TAGS, "TRUNCATE trail_app_tag CASCADE"),
    "half, then an error": (
        TAGS, "UPDATE trail_app_tag SET name = CASE WHEN id < 40 THEN name || 'x' ELSE 'T1x' END",
    ),
    "heads that a statement writes": (
        TAGS, "UPDATE trail_app_tag SET audit_seq = 77, audit_head = 'forged'",
        "UPDATE trail_app_tag SET name = name || '!', audit_seq = 77, audit_head = 'forged' "
        "WHERE id = 3",
        "INSERT INTO trail_app_tag (id, name, audit_seq, audit_head) "
        "VALUES (70, 'born old', 9, 'forged')",
    ),
    "in a loop with blocks that fail": (TAGS, """
        DO $$ BEGIN FOR n IN 1..20 LOOP BEGIN
            UPDATE trail_app_tag SET name = name || '~' WHERE id = n;
            INSERT INTO trail_app_tag (id, name) VALUES (200 + n, 'L' || n);
            IF n % 3 = 0 THEN RAISE EXCEPTION 'this block is undone'; END IF;
        EXCEPTION WHEN raise_exception THEN NULL; END; END LOOP; END $$""",
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_writing(server: Any, way: str) -> None:
    found = _same(server, *[(one,) for one in WAYS[way]], table="trail_app_tag")

    if way.startswith(("never", "emptied", "a key", "half")):
        assert found.refused
    else:
        assert not found.refused and not found.unled
        assert len(found.bodies) > 1
        assert bool(found.interpreted) == way.startswith("deleted")


@pytest.mark.parametrize(("act", "refused"), [("", "no act"), (WITHOUT_REASON, "needs a reason")])
def test_what_is_refused_is_refused_in_the_same_words(server: Any, act: str, refused: str) -> None:
    made = ("INSERT INTO trail_app_tag (id, name) VALUES (1, 'x')",)
    changed = ("UPDATE trail_app_tag SET name = 'y'",)
    found = _same(server, made, changed, act=act, table="trail_app_tag")
    assert refused in found.refused
    assert bool(found.bodies) == bool(act)  # what is new needs no reason

    with server.transaction(force_rollback=True):
        server.execute("SELECT audit.begin_act(1::smallint, %s)", [ACT])
        server.execute(*made)
        server.execute("SELECT set_config('audit.xid', %s, true)", ["" if not act else "1-"])
        with pytest.raises(psycopg.Error, match="no act, no change"):
            server.execute(*changed)


def test_a_function_that_was_altered_runs_as_it_was_altered(server: Any) -> None:
    (source,) = server.execute(
        "SELECT pg_get_functiondef('audit.capture_trail_app_tag()'::regprocedure)"
    ).fetchone()
    assert "-- native/1 trail_app_tag id updated id:int8 name:varchar" in source
    altered = source.replace("NEW.audit_seq := 1;", "NEW.audit_seq := 1; NEW.name := 'led astray';")
    assert altered != source

    for text, names in ((source, ["a"]), (altered, ["led astray"]), (source, ["a"])):
        with server.transaction(force_rollback=True):
            server.execute(text)
            server.execute("SELECT audit.begin_act(1::smallint, %s)", [ACT])
            server.execute("INSERT INTO trail_app_tag (id, name) VALUES (1, 'a')")
            found = server.execute("SELECT name FROM trail_app_tag").fetchall()
            assert [name for (name,) in found] == names


def _indexed(server: Any) -> None:
    server.execute("CREATE INDEX ON audit.entry (xid)")


def _with_trigger(server: Any) -> None:
    server.execute(
        "CREATE FUNCTION audit.lose() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN IF convert_from(NEW.body, ''UTF8'') LIKE ''%T7\"%'' THEN RETURN NULL; END IF; "
        "RETURN NEW; END';"
        "CREATE TRIGGER lose BEFORE INSERT ON audit.entry FOR EACH ROW EXECUTE FUNCTION audit.lose()"
    )


def _with_rule(server: Any) -> None:
    server.execute("CREATE RULE lost AS ON INSERT TO audit.entry DO INSTEAD NOTHING")


def _without_partition(server: Any) -> None:
    server.execute("SELECT setval('audit.entry_id_seq', 900000000000)")


@pytest.mark.parametrize(
    ("altered", "entries"),
    [(_indexed, 50), (_with_trigger, 49), (_without_partition, 0), (_with_rule, 0)],
)
def test_a_log_that_is_not_as_it_is_made_is_left_to_sql(
    server: Any, altered: Callable[[Any], None], entries: int
) -> None:
    with server.transaction(force_rollback=True):
        altered(server)
        found = _same(server, (TAGS,), table="trail_app_tag")
        if altered is _without_partition:
            assert "no partition of relation" in found.refused
        assert len(found.bodies) == entries
        assert found.unled == len(found.rows) - entries


def test_nobody_writes_entries_by_a_function_of_his_own(server: Any) -> None:
    (source,) = server.execute(
        "SELECT prosrc FROM pg_proc WHERE oid = 'audit.capture_trail_app_tag()'::regprocedure"
    ).fetchone()
    with server.transaction(force_rollback=True):
        server.execute("CREATE ROLE intruder IN ROLE gmp_app")
        server.execute("GRANT CREATE ON SCHEMA public TO intruder")
        server.execute("SET LOCAL ROLE intruder")
        server.execute("SELECT audit.begin_act(1::smallint, %s)", [ACT])
        server.execute(
            "CREATE TABLE public.own "
            "(id bigint, name varchar, audit_seq bigint DEFAULT 1, audit_head bytea DEFAULT '')"
        )
        server.execute(
            "CREATE FUNCTION public.own() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER "
            f"AS $capture${source}$capture$"
        )
        server.execute(
            "CREATE TRIGGER zz_capture BEFORE INSERT OR UPDATE ON public.own "
            "FOR EACH ROW EXECUTE FUNCTION public.own()"
        )
        server.execute("INSERT INTO public.own VALUES (1, 'a')")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            server.execute("UPDATE public.own SET name = 'forged'")


def test_a_function_that_is_renewed_while_it_runs(server: Any) -> None:
    (source,) = server.execute(
        "SELECT pg_get_functiondef('audit.capture_trail_app_tag()'::regprocedure)"
    ).fetchone()
    with server.transaction(force_rollback=True):
        server.execute(
            "CREATE FUNCTION pg_temp.renewed(n bigint) RETURNS text LANGUAGE plpgsql AS $f$ BEGIN "
            "IF n % 10 = 0 THEN EXECUTE $q$" + source + "$q$; "
            "INSERT INTO trail_app_tag (id, name) VALUES (1000 + n, 'inner' || n); END IF; "
            "RETURN 'outer' || n; END $f$"
        )
        changed = "UPDATE trail_app_tag SET name = pg_temp.renewed(id) WHERE id <= 50"
        code, plain = (
            _written(server, (TAGS,), (changed,), as_code=one, table="trail_app_tag")
            for one in BOTH
        )

    ours = [one for one in code.bodies if one["record"] == "trail_app_tag"]
    assert len(ours) == 105
    assert not code.refused
    assert code.rows == plain.rows


def test_one_statement_goes_over_the_edge_of_a_partition(server: Any) -> None:
    with server.transaction(force_rollback=True):
        width, last = server.execute(
            "SELECT audit.partition_width(), last_value FROM audit.entry_id_seq"
        ).fetchone()
        server.execute(
            "SELECT setval('audit.entry_id_seq', %s)", [(last // width + 1) * width - 20]
        )
        found = _same(
            server, (TAGS,), ("UPDATE trail_app_tag SET name = name || 'x'",), table="trail_app_tag"
        )
        assert len(found.bodies) == 100


def test_a_column_that_is_added_is_captured_once_the_capture_is_renewed(server: Any) -> None:
    with trail_log.act():
        Kept.objects.bulk_create([Kept(pk=1, text="a"), Kept(pk=2, text="b")])
    changed = ("UPDATE trail_app_kept SET text = text || 'c', extra = 'd' WHERE id = 1",)
    with server.transaction():
        server.execute("SELECT audit.begin_act(1::smallint, %s)", [ACT])
        server.execute("UPDATE trail_app_kept SET text = 'x' WHERE id = 2")  # the function is known
    server.execute(
        "ALTER TABLE trail_app_kept ADD gone text, ADD extra text DEFAULT 'by default', "
        "ADD twice text GENERATED ALWAYS AS (text || text) STORED"
    )
    server.execute("ALTER TABLE trail_app_kept DROP gone")
    before = _same(server, changed, table="trail_app_kept")
    with transaction.atomic(using="owner"):
        assert capture.install(connections["owner"], only="trail_app_kept") == ["trail_app_kept"]

    after = _same(
        server, changed, ("INSERT INTO trail_app_kept (id, text) VALUES (3, 'e')",),
        table="trail_app_kept",
    )  # fmt: skip

    assert [one["new"].keys() for one in before.bodies] == [{"text"}]
    assert [one["new"].keys() for one in after.bodies] == [
        {"text", "extra"},
        {"id", "text", "extra"},
    ]
    assert after.bodies[0]["old"] == {"extra": "by default", "text": "a"}


def test_what_the_application_writes_is_verified(server: Any, fresh_log: Any) -> None:
    trail_log.written()
    with trail_log.act():
        kept = Kept.objects.create(text="a")
        Kept.objects.filter(pk=kept.pk).update(text="b" * 10_000)
        Tag.objects.bulk_create(Tag(name=f"T{n}") for n in range(500))
        Vessel.objects.filter(name__startswith="A").update(volume_l=3)
    trail_log.seal_and_sign()

    assert verification.verify().faults == ()
    assert Entry.objects.filter(record="trail_app_tag").count() == 500


@pytest.mark.parametrize("compiler", [None, "#!/bin/sh\necho stdio.h: not found >&2; exit 1"])
def test_without_a_compiler_captures_run_as_sql(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, compiler: str | None
) -> None:
    monkeypatch.setattr(native.sys, "prefix", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    if compiler:
        (tmp_path / "cc").write_text(compiler)
        (tmp_path / "cc").chmod(0o755)

    said = native.build()

    assert "captures run as SQL, with the same entries" in said
    assert ("stdio.h: not found" in said) == bool(compiler)
    assert not native.library().exists()
    assert not list(tmp_path.glob("lib/gmp-native/*"))
