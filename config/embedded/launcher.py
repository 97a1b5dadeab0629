"""Become the process that is asked for: another user, bound to a parent, then exec.

Run by path as a script of its own (`python -I -S launcher.py … -- command`), never imported by
the product: what it does to its process must not happen in a threaded one (no preexec_fn).

PostgreSQL refuses to run as root, and another user often cannot reach a checkout (/root is 0700).
Opening parent folders to everybody would be wrong, so the server keeps one capability instead:
to read through them. See capabilities(7), "Ambient capability set".
"""

import argparse
import ctypes
import os
import signal
import sys
from typing import NoReturn

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_SET_SECUREBITS = 28
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
SECBIT_NO_SETUID_FIXUP = 1 << 2
SECBIT_KEEP_CAPS = 1 << 4
CAPABILITY_VERSION_3 = 0x20080522
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
CANNOT_RUN = 126


class Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class Data(ctypes.Structure):
    _fields_ = [
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    ]


def prctl(option: int, *values: int) -> bool:
    padded = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]]
    return bool(_libc().prctl(option, *padded) == 0)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def set_capabilities(*, effective: int, permitted: int, inheritable: int) -> bool:
    """Set the three sets (all our bits are below 32); false when the process may not have them."""
    data = (Data * 2)(Data(effective, permitted, inheritable), Data(0, 0, 0))
    return bool(_libc().capset(ctypes.byref(Header(CAPABILITY_VERSION_3, 0)), data) == 0)


def permitted_capabilities() -> int:
    data = (Data * 2)()
    _libc().capget(ctypes.byref(Header(CAPABILITY_VERSION_3, 0)), data)
    return int(data[0].permitted)


def unreachable(paths: list[str]) -> str | None:
    """Return the first path that this process cannot use as it is now."""
    for path in paths:
        try:
            os.close(os.open(path, os.O_RDONLY))
        except OSError:
            return path
        if not os.access(path, os.X_OK, effective_ids=os.access in os.supports_effective_ids):
            return path
    return None


def become(uid: int, gid: int, reach: list[str]) -> str | None:
    """Change to a user with as little as it takes to reach the paths; return one that it cannot."""
    linux = sys.platform == "linux"
    if linux:
        prctl(PR_SET_KEEPCAPS, 1)
        # access(2) ignores the capabilities of a plain user unless this is set, and PostgreSQL
        # finds its own program with access(2).
        prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP | SECBIT_KEEP_CAPS)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if not linux:
        return unreachable(reach)
    usable = permitted_capabilities() & (1 << CAP_DAC_READ_SEARCH | 1 << CAP_DAC_OVERRIDE)
    missing: str | None = None
    for kept in (None, CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE):
        bits = 0 if kept is None else 1 << kept
        if not set_capabilities(effective=bits, permitted=usable, inheritable=0):
            continue
        missing = unreachable(reach)
        if missing is None:
            set_capabilities(effective=bits, permitted=bits, inheritable=bits)
            if kept is not None:
                prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, kept)
            return None
    return missing


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--uid", type=int)
    parser.add_argument("--gid", type=int)
    parser.add_argument("--reach", action="append", default=[])
    parser.add_argument("--parent", type=int, help="end when this process ends")
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    if arguments.uid is not None:
        missing = become(arguments.uid, arguments.gid, arguments.reach)
        if missing is not None:
            refuse(f"user {arguments.uid} cannot reach {missing}")
    if arguments.parent is not None and sys.platform == "linux":
        # After the change of user, which clears it.
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != arguments.parent:  # it ended before we could ask
            sys.exit(CANNOT_RUN)
    try:
        os.execv(arguments.command[0], arguments.command)  # noqa: S606 -- the purpose of this file
    except OSError as error:
        refuse(f"cannot run {arguments.command[0]}: {error.strerror}")


def refuse(reason: str) -> NoReturn:
    sys.stderr.write(f"{reason}\n")
    sys.exit(CANNOT_RUN)


if __name__ == "__main__":
    main()
