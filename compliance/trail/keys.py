"""Keep the key that signs the trail's checkpoints in a folder that only its owner reads."""

import os
import secrets
import stat
from pathlib import Path

from django.conf import settings

from compliance.trail.tlog.keys import KeyInvalid, KeyPair, Verifier

PRIVATE, PUBLIC = "trail-ed25519.key", "trail-ed25519.pub"


class KeyUnusable(Exception):
    """The trail's key is missing, readable by others, or not one; says what to do."""


def ensure() -> Verifier:
    """Return the public key, after making the pair when there is none (a demo's way)."""
    private, public = _folder() / PRIVATE, _folder() / PUBLIC
    if not private.exists():
        _folder().mkdir(parents=True, exist_ok=True, mode=0o700)
        _put(private, KeyPair.generate(_name()).skey, mode=0o600)
    verifier = signer().verifier
    if not public.exists():
        _put(public, verifier.vkey, mode=0o644)
    return verifier


def signer() -> KeyPair:
    """Return the private key, or raise `KeyUnusable`."""
    path = _folder() / PRIVATE
    try:
        mode = path.stat().st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeyUnusable(
                f"{path} can be read by others (mode {stat.S_IMODE(mode):o}): "
                f"run `chmod 600 {path}`, and think about who may have copied it"
            )
        pair = KeyPair.parse(path.read_text().strip())
    except FileNotFoundError as error:
        raise KeyUnusable(f"there is no {path}: run `manage.py trail keys`") from error
    except KeyInvalid as error:
        raise KeyUnusable(f"{path}: {error}") from error
    if pair.name != _name():
        raise KeyUnusable(
            f"{path} signs as {pair.name}, this log is {_name()}: "
            "set GMP_LOG_ORIGIN or GMP_KEYS_DIR"
        )
    return pair


def verifier() -> Verifier:
    """Return the public key, or raise `KeyUnusable`; needs no private one."""
    path = _folder() / PUBLIC
    try:
        return Verifier.parse(path.read_text().strip())
    except FileNotFoundError as error:
        raise KeyUnusable(f"there is no {path}: run `manage.py trail keys`") from error
    except KeyInvalid as error:
        raise KeyUnusable(f"{path}: {error}") from error


def _folder() -> Path:
    return Path(settings.KEYS_DIR)


def _name() -> str:
    return str(settings.LOG_ORIGIN)


def _put(path: Path, text: str, *, mode: int) -> None:
    """Write a whole file at once; whoever comes second keeps the first one's."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(fresh)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
