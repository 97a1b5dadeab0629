"""Keep a server running exactly as long as some process uses it.

Every user of a service holds a shared flock on `run-<service>.users` for its life; a process that
is killed loses it by itself. Starting, and stopping by the last one, happen under an exclusive
flock on `run-<service>.lock`, so that neither can meet the other half-way.

A forked child keeps its parent's lease (one open file description) and stops nothing at its end;
it takes a lease of its own when it asks for the service itself.
"""

import atexit
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

LAST_USER_TRIES = 5  # a fork in another thread holds a copy of the lock until its exec
LAST_USER_PAUSE_S = 0.02


class Service(Protocol):
    """A server that can be started and stopped, and says where it keeps its files."""

    @property
    def name(self) -> str: ...
    @property
    def var(self) -> Path: ...
    def is_alive(self) -> bool:
        """Look cheaply, without talking to it."""

    def answers(self) -> bool:
        """Talk to it."""

    def start(self) -> None: ...
    def stop(self) -> None: ...


Key = tuple[str, Path]

_mutex = threading.RLock()
_held: dict[Key, tuple[Service, int]] = {}
_inherited: dict[Key, int] = {}


def hold(service: Service, *, in_doubt: bool = False) -> None:
    """Make sure that a service runs, and keep it until this process ends."""
    key = (service.name, service.var)
    with _mutex:
        if key in _held and not in_doubt and service.is_alive():
            return
        service.var.mkdir(parents=True, exist_ok=True)
        with _starting(service):
            if key not in _held:
                _held[key] = (service, _share(service))
                if (inherited := _inherited.pop(key, None)) is not None:
                    os.close(inherited)
            if not service.answers():
                service.start()


def release(service: Service) -> None:
    """Give up a service; stop it when no other process uses it."""
    key = (service.name, service.var)
    with _mutex:
        if key not in _held:
            return
        with _starting(service):
            _, descriptor = _held.pop(key)
            # Closed, not unlocked: a forked child that lives on still holds it.
            os.close(descriptor)
            if _is_unused(service):
                service.stop()


def release_all() -> None:
    """Give up all services of this process, the last one first."""
    for service, _ in reversed(list(_held.values())):
        release(service)


@contextmanager
def _starting(service: Service) -> Iterator[None]:
    descriptor = _open(service, "lock")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        # Unlocked, not only closed: a copy in a process forked meanwhile must not keep it.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _share(service: Service) -> int:
    descriptor = _open(service, "users")
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def _is_unused(service: Service) -> bool:
    descriptor = _open(service, "users")
    try:
        for attempt in range(LAST_USER_TRIES):
            if attempt:
                time.sleep(LAST_USER_PAUSE_S)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            return True
        return False
    finally:
        os.close(descriptor)


def _open(service: Service, suffix: str) -> int:
    # Read-only suffices for flock, so root and the folder's owner can share one file.
    path = service.var / f"run-{service.name}.{suffix}"
    return os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)


def _after_fork_in_child() -> None:
    global _mutex  # noqa: PLW0603 -- a lock cannot be renewed in place
    _mutex = threading.RLock()  # a thread of the parent may have held it
    _inherited.update({key: descriptor for key, (_, descriptor) in _held.items()})
    _held.clear()


os.register_at_fork(after_in_child=_after_fork_in_child)
atexit.register(release_all)
