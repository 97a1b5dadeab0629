"""Find the password of the key files; a trial makes one beside them."""

import contextlib
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from compliance.trail import durable
from compliance.trail.keyring import encrypted
from compliance.trail.keyring.failure import KeyUnusable

TRIAL = "password"


@dataclass(frozen=True, slots=True, repr=False)
class Password:
    """The password of the key files, and how hard each guess of it must be made."""

    text: str
    n: int


def find(folder: Path, *, given: str | None) -> Password:
    """Return the given password, else the one of a trial, or raise `KeyUnusable`."""
    if given:
        return Password(given, encrypted.N_PASSWORD)
    path = folder / TRIAL
    try:
        demand_private(path)
        return Password(path.read_text().strip(), encrypted.N_RANDOM)
    except FileNotFoundError as error:
        raise KeyUnusable(
            "the trail's keys are locked: set GMP_KEY_PASSWORD or GMP_KEY_PASSWORD_FILE"
        ) from error


def find_or_make(folder: Path, *, given: str | None) -> Password:
    """Return the password; without one, make that of a trial beside the keys."""
    if not given and not (folder / TRIAL).exists():
        with contextlib.suppress(FileExistsError):  # whoever comes second takes the first one's
            durable.create(folder / TRIAL, secrets.token_hex(32) + "\n", mode=0o600)
    return find(folder, given=given)


def demand_private(path: Path) -> None:
    """Raise `KeyUnusable` when others than the owner can read a file."""
    mode = path.stat().st_mode
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyUnusable(
            f"{path} can be read by others (mode {stat.S_IMODE(mode):o}): "
            f"run `chmod 600 {path}`, and think about who may have copied it"
        )
