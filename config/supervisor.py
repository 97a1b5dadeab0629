"""Keep children and embedded services running until told to stop."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from config.children import Child, Running, Say
from config.embedded import lease
from config.embedded.failure import EmbeddedServiceFailed

TICK_S = 0.05
SERVICES_EVERY_S = 0.5
Pids = dict[str, int]


class GaveUp(RuntimeError):
    """Something under supervision died too often, or was not ready in time."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How often a thing may die, and how long it waits, twice as long each time, to start again."""

    deaths: int = 5
    within_s: float = 60.0
    first_pause_s: float = 0.5
    longest_pause_s: float = 10.0


@dataclass(kw_only=True)
class Record:
    """When something died, and how long to wait before it is started again."""

    patience: Patience
    deaths: list[float] = field(default_factory=list)
    pause_s: float = 0.0

    def died(self, now: float) -> bool:
        """Note a death; say whether it was one too many."""
        recent = [death for death in self.deaths if now - death < self.patience.within_s]
        pause_s = self.patience.first_pause_s * 2 ** len(recent)
        self.pause_s = min(pause_s, self.patience.longest_pause_s)
        self.deaths = [*recent, now]
        return len(self.deaths) >= self.patience.deaths

    def may_start(self, now: float) -> bool:
        return not self.deaths or now >= self.deaths[-1] + self.pause_s


class Supervisor:
    """Run children in their order, restart what dies, stop them in the opposite order.

    `start` returns at once, `wait_ready` when `ready` says yes, `wait` at the end. `stop` may be
    called from any thread or signal handler; called again with `at_once`, it kills. Services keep
    their lease until this process gives it up or ends.
    """

    def __init__(
        self,
        *,
        children: Sequence[Child],
        services: Sequence[lease.Service] = (),
        ready: Callable[[], bool] = lambda: True,
        say: Say = lambda name, line: None,
        changed: Callable[[Pids], None] = lambda pids: None,
        patience: Patience = Patience(),
    ) -> None:
        self._children = children
        self._services = services
        self._ready = ready
        self._say = say
        self._changed = changed
        self._patience = patience
        names = [
            *(child.name for child in children),
            *(service.name for service in services),
        ]
        self._records = {name: Record(patience=patience) for name in names}
        self._running: dict[str, Running] = {}
        self._failure: BaseException | None = None
        # Plain booleans: a signal handler must not wait for the lock of an Event.
        self._is_stopping = False
        self._is_at_once = False
        self._is_up = False
        self._has_services = False
        # One thread makes all children, as they are bound to the life of the one that made them.
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    @property
    def pids(self) -> Pids:
        """Return the process ids of what runs, by name."""
        return {name: running.pid for name, running in list(self._running.items())}

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive() and not self._is_stopping

    def start(self) -> None:
        self._thread.start()

    def wait_ready(self, *, at_most_s: float) -> None:
        """Wait until everything is up or is stopped; raise GaveUp when it failed."""
        deadline = time.monotonic() + at_most_s
        while not self._is_stopping and self._thread.is_alive():
            if self._is_up and self._ready():
                return
            if time.monotonic() > deadline:
                self._failure = GaveUp(f"not ready after {at_most_s:.0f} s; see the output above")
                break
            time.sleep(TICK_S)
        if self._failure is not None:
            self.stop()
            self.wait()

    def stop(self, *, at_once: bool = False) -> None:
        """Begin to stop; `wait` says when it is done."""
        self._is_at_once = self._is_at_once or at_once
        self._is_stopping = True

    def wait(self) -> None:
        """Wait until all is stopped; raise GaveUp when that was not asked for."""
        self._thread.join()
        if isinstance(self._failure, GaveUp):
            raise self._failure
        if self._failure is not None:
            raise GaveUp("the supervisor itself failed") from self._failure

    def _run(self) -> None:
        try:
            self._loop()
        except BaseException as error:  # raised again by wait()
            self._failure = error
        finally:
            self._is_stopping = True
            for child in reversed(self._children):
                if running := self._running.get(child.name):
                    running.stop(cut_short=lambda: self._is_at_once)

    def _loop(self) -> None:
        services_at = time.monotonic()
        while not self._is_stopping:
            now = time.monotonic()
            if now >= services_at:
                self._keep_services(now)
                services_at = now + SERVICES_EVERY_S
            for child in self._children:
                self._keep(child, now)
            self._is_up = len(self._running) == len(self._children)
            time.sleep(TICK_S)

    def _keep_services(self, now: float) -> None:
        for service in self._services:
            if self._has_services and not service.is_alive():
                self._say(service.name, "died; starting it again")
                if self._records[service.name].died(now):
                    raise GaveUp(f"{service.name} died too often; see its log")
            try:
                lease.hold(service)
            except EmbeddedServiceFailed as error:
                raise GaveUp(str(error)) from error
        self._has_services = True

    def _keep(self, child: Child, now: float) -> None:
        running = self._running.get(child.name)
        if running is None:
            if self._records[child.name].may_start(now):
                self._running[child.name] = Running(child, say=self._say)
                self._changed(self.pids)
        elif (code := running.exit_code()) is not None:
            running.clear()
            del self._running[child.name]
            self._changed(self.pids)
            self._mourn(running, code, now)

    def _mourn(self, running: Running, code: int, now: float) -> None:
        name = running.child.name
        record = self._records[name]
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        if record.died(now):
            said = "\n".join(f"  {line}" for line in running.last_lines)
            raise GaveUp(
                f"{name} {how}, and that {len(record.deaths)} times within "
                f"{self._patience.within_s:.0f} s. "
                f"Its last lines:\n{said}"
            )
        self._say(name, f"{how}; starting it again in {record.pause_s:g} s")
