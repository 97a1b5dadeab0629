"""Give jobs to as many processes as there are cores."""

import os
import pickle
import queue
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

from compliance.trail.verifying.work import Job, Plan, Result
from compliance.trail.verifying.worker import Worker

_ROOT = Path(__file__).parents[3]


class WorkerFailed(RuntimeError):
    """A process of the verification ended before its work did; nothing can be said of the trail."""


class Pool:
    """Processes that work on jobs; none of them means this process does it itself.

    Not multiprocessing: it would run the main module again in each child, and refuses to work
    within daemons, as Celery's workers are.
    """

    def __init__(self, plan: Plan, processes: int) -> None:
        self._own = Worker(plan) if processes < 2 else None
        self._children = [_start(plan) for _ in range(processes)] if self._own is None else []

    def results(self, jobs: Iterable[Job]) -> Iterator[Result]:
        """Yield the result of each job, in the order of the jobs."""
        if self._own is not None:
            yield from map(self._own.do, jobs)
            return
        todo = _numbered(jobs)
        count = todo.qsize()
        done = queue.Queue[tuple[int, Result] | BaseException]()
        threads = [Thread(target=_feed, args=(c, todo, done), daemon=True) for c in self._children]
        for thread in threads:
            thread.start()
        waiting: dict[int, Result] = {}
        for number in range(count):
            while number not in waiting:
                found = done.get()
                if isinstance(found, BaseException):
                    raise WorkerFailed(str(found)) from found
                waiting[found[0]] = found[1]
            yield waiting.pop(number)

    def close(self) -> None:
        if self._own is not None:
            self._own.close()
        for child in self._children:
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    with suppress(OSError):  # what was not sent yet cannot be any more
                        pipe.close()


@contextmanager
def opened(plan: Plan, processes: int) -> Iterator[Pool]:
    """Start the processes, and end them whatever happens."""
    pool = Pool(plan, processes)
    try:
        yield pool
    finally:
        pool.close()


def _start(plan: Plan) -> "subprocess.Popen[bytes]":
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    child = subprocess.Popen(
        [sys.executable, "-m", "compliance.trail.verifying.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
    _send(child, plan)
    return child


def _send(child: "subprocess.Popen[bytes]", what: Plan | Job) -> None:
    if child.stdin is not None:  # it always is: a pipe was asked for
        pickle.dump(what, child.stdin)
        child.stdin.flush()


def _numbered(jobs: Iterable[Job]) -> "queue.Queue[tuple[int, Job]]":
    numbered: queue.Queue[tuple[int, Job]] = queue.Queue()
    for job in enumerate(jobs):
        numbered.put(job)
    return numbered


def _feed(
    child: "subprocess.Popen[bytes]",
    todo: "queue.Queue[tuple[int, Job]]",
    done: "queue.Queue[tuple[int, Result] | BaseException]",
) -> None:
    try:
        while child.stdout is not None:
            number, job = todo.get_nowait()
            _send(child, job)
            done.put((number, pickle.load(child.stdout)))  # noqa: S301 -- from our own child
    except queue.Empty:
        return
    except BaseException as error:
        done.put(error)
