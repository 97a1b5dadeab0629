"""Another client reads the log over HTTP and computes the same root, from the specification only.

Nothing here but keys of the note is taken from the product: paths, tiles, tree and bundles are
written anew after C2SP tlog-tiles and RFC 6962 section 2.1.
"""

import base64
import gzip
import json
from hashlib import sha256
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from compliance.access.duties import Role
from compliance.trail import checkpoints, keys, sequencer
from compliance.trail.tlog import note
from tests import factories, trail_log

PREFIX = "/log/1/"


@pytest.fixture
def public(settings: Any) -> Client:
    settings.LOG_PUBLIC = True
    return Client()


def get(client: Client, path: str) -> bytes:
    answer = client.get(PREFIX + path)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.content


def numbered(n: int) -> str:
    text = f"{n % 1000:03}"
    while n >= 1000:
        n //= 1000
        text = f"x{n % 1000:03}/{text}"
    return text


def mth(hashes: list[bytes]) -> bytes:
    """MTH of RFC 6962 2.1 over leaf hashes, as the definition is written: recursively."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return sha256(b"\x01" + mth(hashes[:k]) + mth(hashes[k:])).digest()


def tile_paths(size: int, level: str) -> list[str]:
    full, rest = divmod(size, 256)
    paths = [f"tile/{level}/{numbered(n)}" for n in range(full)]
    return [*paths, *([f"tile/{level}/{numbered(full)}.p/{rest}"] if rest else [])]


def bundle(data: bytes) -> list[bytes]:
    found = []
    while data:
        length = int.from_bytes(data[:2], "big")
        found.append(data[2 : 2 + length])
        assert len(found[-1]) == length
        data = data[2 + length :]
    return found


def test_another_client_computes_the_signed_root(written_log: int, public: Client) -> None:
    text = note.open(get(public, "checkpoint"), [keys.verifier(size=1)]).text
    origin, size, root = text.splitlines()
    assert int(size) == written_log > 256

    hashes = b"".join(get(public, path) for path in tile_paths(written_log, "0"))
    leaves = [hashes[at : at + 32] for at in range(0, len(hashes), 32)]
    entries = [
        one for path in tile_paths(written_log, "entries") for one in bundle(get(public, path))
    ]
    level_1 = b"".join(get(public, path) for path in tile_paths(written_log // 256, "1"))

    assert mth(leaves) == base64.b64decode(root)
    assert [sha256(b"\x00" + one).digest() for one in entries] == leaves
    assert [json.loads(one)["i"] for one in entries] == list(range(written_log))
    assert {json.loads(one)["log"] for one in entries} == {origin}
    assert level_1 == mth(leaves[:256])


def test_tiles_are_kept_for_ever_and_checkpoints_not(written_log: int, public: Client) -> None:
    tile, entries, checkpoint = (
        public.get(PREFIX + path) for path in ("tile/0/000", "tile/entries/000", "checkpoint")
    )

    for answer in (tile, entries):
        assert answer["Content-Type"] == "application/octet-stream"
        assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert len(tile.content) == 8192
    assert checkpoint["Content-Type"] == "text/plain; charset=utf-8"
    assert checkpoint["Cache-Control"] == "no-cache"


def test_bundles_are_compressed_for_who_asks(written_log: int, public: Client) -> None:
    plain = get(public, "tile/entries/000")
    packed = public.get(PREFIX + "tile/entries/000", headers={"Accept-Encoding": "gzip"})

    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain


def test_what_no_checkpoint_covers_is_not_there(written_log: int, public: Client) -> None:
    trail_log.vessels(10, "late")
    while sequencer.seal().count:
        pass
    width = written_log - 256
    hidden = [
        f"tile/0/001.p/{width + 1}",
        f"tile/entries/001.p/{width + 1}",
        "tile/0/001",
        "tile/0/002.p/1",
        "tile/1/000",
        "tile/2/000.p/1",
        "tile/63/000.p/1",
    ]

    statuses = {path: public.get(PREFIX + path).status_code for path in hidden}
    checkpoints.sign(timezone.now())

    assert set(statuses.values()) == {404}, statuses
    assert public.get(PREFIX + hidden[0]).status_code == 200
    answer = public.get(PREFIX + "tile/0/002.p/1")
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    ["tile/0/0", "tile/00/000", "tile/0/x000/000", "tile/0/000.p/0", "tile/64/000", "tile/x"],
)
def test_a_second_spelling_is_404(written_log: int, public: Client, path: str) -> None:
    assert public.get(PREFIX + path).status_code == 404


def test_a_log_that_is_not_there_and_one_with_nothing_signed_are_404(
    written_log: int, public: Client
) -> None:
    assert public.get("/log/2/checkpoint").status_code == 404
    assert public.get("/log/99999/tile/0/000").status_code == 404


def test_nobody_writes(written_log: int, public: Client) -> None:
    assert public.post(PREFIX + "checkpoint").status_code == 405
    assert public.delete(PREFIX + "tile/0/000").status_code == 405


def test_a_log_that_is_not_public_is_for_people_who_may_see_entries(written_log: int) -> None:
    client = Client()
    anonymous = [client.get(PREFIX + path) for path in ("checkpoint", "tile/0/000")]

    client.force_login(factories.person())
    nobody = client.get(PREFIX + "tile/entries/000")
    client.force_login(factories.person(Role.QUALITY_ASSURANCE))
    quality = client.get(PREFIX + "tile/entries/000")

    assert [one.status_code for one in anonymous] == [403, 403]
    assert nobody.status_code == 403
    assert quality.status_code == 200
    assert quality["Cache-Control"] == "private, max-age=31536000, immutable"
    assert "Cookie" in quality["Vary"]


def test_an_altered_entry_is_never_served(
    written_log: int, public: Client, as_superuser: Any
) -> None:
    as_superuser.execute("SET session_replication_role = replica")
    as_superuser.execute("ALTER TABLE audit.leaf DISABLE TRIGGER append_only")
    as_superuser.execute("UPDATE audit.leaf SET previous = sha256('') WHERE idx = 5")
    as_superuser.commit()
    public.raise_request_exception = False

    assert public.get(PREFIX + "tile/entries/000").status_code == 500
    assert public.get(PREFIX + "tile/0/000").status_code == 200  # the signed hashes are intact
