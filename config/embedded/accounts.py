"""Decide which user a server runs as: never root, and always the owner of its data."""

import os
import pwd
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from config.embedded.failure import EmbeddedServiceFailed

LAUNCHER = Path(__file__).with_name("launcher.py")
ROOT = 0


@dataclass(frozen=True, kw_only=True)
class Account:
    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        """Say whether this process has to change its user to run as this account."""
        return self.uid != os.geteuid()

    def command(self, command: Sequence[str], *, reach: Sequence[Path] = ()) -> list[str]:
        """Return the command line that runs a command as this account."""
        if not self.is_other:
            return list(command)
        paths = [word for path in reach for word in ("--reach", str(path))]
        identity = ["--uid", str(self.uid), "--gid", str(self.gid)]
        return [
            *(sys.executable, "-I", "-S", str(LAUNCHER)),
            *(*identity, *paths, "--", *command),
        ]

    def give(self, path: Path) -> None:
        """Make a file or folder of ours this account's."""
        if self.is_other:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def mine() -> Account:
    return Account(uid=os.geteuid(), gid=os.getegid())


def for_data(data: Path, *, may_be_root: bool = False) -> Account:
    """Return the account of a data folder; raise when this process cannot act for it."""
    owner = _owner(data)
    if os.geteuid() != ROOT:
        if owner is not None and owner.uid != os.geteuid():
            raise EmbeddedServiceFailed(
                f"{data} belongs to {_name(owner.uid)}, and this process runs as "
                f"{_name(os.geteuid())}: run as {_name(owner.uid)} or root, choose another folder "
                "with GMP_VAR_DIR, or set DATABASE_URL and CELERY_BROKER_URL"
            )
        return mine()
    if owner is not None and owner.uid != ROOT:
        return owner
    return mine() if may_be_root else _unprivileged()


def _owner(path: Path) -> Account | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return Account(uid=status.st_uid, gid=status.st_gid)


def _unprivileged() -> Account:
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(uid=entry.pw_uid, gid=entry.pw_gid)
    raise EmbeddedServiceFailed(
        "PostgreSQL does not run as root, and there is no user named postgres or nobody here: "
        "run as a normal user, or set DATABASE_URL"
    )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
