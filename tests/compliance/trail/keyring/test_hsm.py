"""An Ed25519 key in a real PKCS#11 token signs the trail and cannot be read out."""

import os
import secrets
import subprocess
from pathlib import Path
from typing import Any

import pytest

from compliance.trail import keys as own
from compliance.trail.keyring import hsm
from compliance.trail.keyring.failure import KeyUnusable
from compliance.trail.keyring.hsm import Token
from compliance.trail.tlog import keys, note
from compliance.trail.tlog.checkpoint import Checkpoint
from compliance.trail.tlog.keys import KeyPair

NAME = "plant.example/log"
TEXT = Checkpoint(origin=NAME, size=7, root=bytes(32)).text()
MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)


def missing(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"{reason} is needed here")
    pytest.skip(f"{reason} is not on this machine")


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the SoftHSM library; all its tokens of this run are in one folder of their own."""
    try:
        import pkcs11  # noqa: F401
    except ImportError:
        missing("python-pkcs11")
    found = next((one for one in MODULES if Path(one).exists()), None)
    if found is None:
        missing("SoftHSM2 (apt-get install softhsm2)")
    # Read once, when the library is loaded: it stays loaded until the process ends.
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "softhsm2.conf").write_text(
        f"directories.tokendir = {folder}\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    for label in ("gmp", "second"):
        subprocess.run(
            f"softhsm2-util --init-token --free --label {label} --so-pin 12345678 --pin 87654321",
            shell=True,
            check=True,
            capture_output=True,
        )
    return str(found)


@pytest.fixture
def token(module: str) -> Token:
    return Token(module=module, label="gmp", pin="87654321", key_label=secrets.token_hex(4))


def test_a_key_of_the_token_signs_what_a_note_needs(token: Token) -> None:
    key = hsm.generate(token, name=NAME)
    shield = KeyPair(NAME, keys.ML_DSA_44, bytes(32))

    text = note.sign(TEXT, [key, shield], at=1_700_000_000)

    assert len(note.open(text, [key.verifier, shield.verifier]).verified) == 2


def test_the_key_is_found_by_its_public_half_among_others(token: Token) -> None:
    made = [hsm.generate(token, name=NAME) for _ in range(3)]

    for key in made:
        again = hsm.find(token, key.verifier)
        key.verifier.verify(TEXT, again.sign(TEXT))


def test_the_private_key_cannot_be_read_out(token: Token) -> None:
    import pkcs11

    key = hsm.generate(token, name=NAME)

    attribute = pkcs11.Attribute
    private: Any = key._private
    assert private[attribute.SENSITIVE] is True
    assert private[attribute.EXTRACTABLE] is False
    assert private[attribute.NEVER_EXTRACTABLE] is True
    with pytest.raises(pkcs11.PKCS11Error):
        private[attribute.VALUE]


def test_a_key_that_is_not_in_the_token_is_named(token: Token) -> None:
    stranger = KeyPair(NAME, keys.ED25519, bytes(32)).verifier

    with pytest.raises(KeyUnusable, match=stranger.key_id.hex()):
        hsm.find(token, stranger)


def test_a_wrong_pin_token_or_library_says_so(module: str) -> None:
    for wrong in (
        Token(module=module, label="second", pin="00000000"),
        Token(module=module, label="none", pin="87654321"),
        Token(module="/nonexistent.so", label="gmp", pin="87654321"),
    ):
        with pytest.raises(KeyUnusable, match=r"PKCS#11 token: ."):
            hsm.generate(wrong, name=NAME)
        assert wrong.pin not in repr(wrong)


def test_a_log_signs_with_ed25519_in_the_token_and_ml_dsa_in_a_file(
    token: Token, settings: Any, tmp_path: Path
) -> None:
    settings.KEYS_DIR = tmp_path / "keys"
    settings.PKCS11_MODULE, settings.PKCS11_TOKEN = token.module, token.label
    settings.PKCS11_KEY, settings.PKCS11_PIN = token.key_label, lambda: token.pin

    history = own.ensure()

    files = {path.name.rsplit("-", 1)[0] for path in settings.KEYS_DIR.glob("*.key")}
    assert files == {"trail-ml-dsa-44"}
    checkpoint = Checkpoint(origin=settings.LOG_ORIGIN, size=7, root=bytes(32)).text()
    signers = [own.signer_of(record.verifier) for record in history.records]
    assert history.open(note.sign(checkpoint, signers, at=1)).size == 7


def test_a_token_without_a_pin_is_refused(token: Token, settings: Any) -> None:
    settings.PKCS11_MODULE, settings.PKCS11_PIN = token.module, lambda: None

    with pytest.raises(KeyUnusable, match="GMP_PKCS11_PIN"):
        own.make(keys.ED25519)
