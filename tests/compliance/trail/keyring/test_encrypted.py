"""A private key in a file opens with its password and not otherwise."""

import json
from pathlib import Path
from typing import Any

import pytest

from compliance.trail import keys as own
from compliance.trail.keyring import encrypted, password
from compliance.trail.keyring.failure import KeyUnusable
from compliance.trail.tlog import keys
from compliance.trail.tlog.keys import KeyPair

PAIR = KeyPair("plant.example/log", keys.ED25519, bytes(range(32)))
OTHER = KeyPair("plant.example/log", keys.ML_DSA_44, bytes(range(32)))
FAST = encrypted.N_RANDOM


@pytest.fixture
def folder(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("GMP_KEY_PASSWORD", raising=False)
    monkeypatch.delenv("GMP_KEY_PASSWORD_FILE", raising=False)
    settings.KEYS_DIR = tmp_path / "keys"
    return tmp_path / "keys"


@pytest.mark.parametrize("pair", [PAIR, OTHER])
def test_a_locked_key_opens_with_its_password(pair: KeyPair) -> None:
    text = encrypted.lock(pair, password="pässword", n=FAST)

    assert encrypted.unlock(text, password="pässword") == pair
    assert pair.seed.hex() not in text
    assert pair.skey not in text
    assert encrypted.lock(pair, password="pässword", n=FAST) != text


def test_a_given_password_is_stretched_hard() -> None:
    assert json.loads(encrypted.lock(PAIR, password="x"))["n"] == 2**17


@pytest.mark.parametrize("wrong", ["", "passwor", "password "])
def test_a_wrong_password_is_refused(wrong: str) -> None:
    text = encrypted.lock(PAIR, password="password", n=FAST)

    with pytest.raises(KeyUnusable, match="password is wrong"):
        encrypted.unlock(text, password=wrong)


def test_every_flipped_bit_is_noticed() -> None:
    text = encrypted.lock(PAIR, password="password", n=FAST).encode()

    for position in range(len(text)):
        altered = bytearray(text)
        altered[position] ^= 1
        if b'"n":' in text[max(0, position - 10) : position + 1]:
            continue  # another cost is another file, and slow to refuse: see the next test
        with pytest.raises(KeyUnusable):
            encrypted.unlock(altered.decode(errors="replace"), password="password")


@pytest.mark.parametrize("n", [0, 1, 2**13, 2**14 + 1, 2**15, 2**21, 2**40, "16384", True, None])
def test_another_cost_is_refused_and_an_absurd_one_before_it_is_paid(n: object) -> None:
    members = json.loads(encrypted.lock(PAIR, password="password", n=FAST)) | {"n": n}

    with pytest.raises(KeyUnusable):
        encrypted.unlock(
            json.dumps(members, sort_keys=True, separators=(",", ":")), password="password"
        )


def test_a_file_cannot_take_the_place_of_another() -> None:
    one = json.loads(encrypted.lock(PAIR, password="password", n=FAST))
    for change in ({"vkey": OTHER.verifier.vkey}, {"vkey": 1}, {"more": 1}, {"v": 2}):
        text = json.dumps(one | change, sort_keys=True, separators=(",", ":"))
        with pytest.raises(KeyUnusable):
            encrypted.unlock(text, password="password")


@pytest.mark.parametrize("text", ["", "{}", "[]", PAIR.skey])
def test_another_text_is_no_locked_key(text: str) -> None:
    with pytest.raises(KeyUnusable, match="no encrypted key"):
        encrypted.unlock(text, password="password")


# --- The folder of keys


def test_a_trial_needs_nothing_and_keeps_all_of_it_private(folder: Path) -> None:
    made = own.ensure()

    assert [one.verifier.algorithm for one in made.records] == [keys.ED25519, keys.ML_DSA_44]
    assert own.ensure() == made
    assert folder.stat().st_mode & 0o777 == 0o700
    for path in folder.iterdir():
        expected = 0o644 if path.name == own.PUBLIC else 0o600
        assert path.stat().st_mode & 0o777 == expected, path.name
        assert "PRIVATE+KEY" not in path.read_text()
    for record in made.records:
        assert own.signer_of(record.verifier).verifier == record.verifier


def test_a_given_password_leaves_none_beside_the_keys(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("correct horse\n")
    monkeypatch.setenv("GMP_KEY_PASSWORD_FILE", str(tmp_path / "secret"))
    first = own.ensure().records[0].verifier

    assert not (folder / password.TRIAL).exists()
    assert own.signer_of(first).verifier == first
    monkeypatch.delenv("GMP_KEY_PASSWORD_FILE")
    with pytest.raises(KeyUnusable, match="GMP_KEY_PASSWORD"):
        own.signer_of(first)
    monkeypatch.setenv("GMP_KEY_PASSWORD", "wrong horse")
    with pytest.raises(KeyUnusable, match=r"\.key: the password is wrong"):
        own.signer_of(first)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o666])
def test_a_key_or_password_that_others_can_read_is_not_used(folder: Path, mode: int) -> None:
    first = own.ensure().records[0].verifier
    secret = [path for path in folder.iterdir() if path.name != own.PUBLIC]

    assert len(secret) == 3
    for path in secret:
        if path.suffix == ".key" and "ml-dsa" in path.name:
            continue
        path.chmod(mode)
        with pytest.raises(KeyUnusable, match="chmod 600"):
            own.signer_of(first)
        path.chmod(0o600)


def test_a_key_file_under_the_name_of_another_is_refused(folder: Path) -> None:
    first, second = (one.verifier for one in own.ensure().records)
    one, two = (next(folder.glob(f"*{key.key_id.hex()}.key")) for key in (first, second))
    one.write_text(two.read_text())

    with pytest.raises(KeyUnusable, match="another key than its name"):
        own.signer_of(first)


def test_keys_of_another_log_are_not_used(folder: Path, settings: Any) -> None:
    own.ensure()
    settings.LOG_ORIGIN = "plant.example/other"

    with pytest.raises(KeyUnusable, match="GMP_LOG_ORIGIN"):
        own.history()


@pytest.mark.parametrize(
    "text", ["", "{}", '{"documents":[1],"origin":"x","pinned":[],"v":1}', "[]", "\xff"]
)
def test_a_register_of_another_form_is_refused(folder: Path, text: str) -> None:
    own.ensure()
    (folder / own.PUBLIC).write_text(text, encoding="latin-1")

    with pytest.raises(KeyUnusable):
        own.history()
