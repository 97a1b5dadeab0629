"""Write transactions of every kind until enough are committed, whatever dies meanwhile.

Started as a process: `python -m tests.hammer.writing FOLDER NUMBER THREADS COUNT`. Every transaction
whose COMMIT was answered is a line in FOLDER/acknowledged-NUMBER.txt.
"""

import random
import sys
import threading
import time
from enum import StrEnum
from pathlib import Path
from typing import TextIO

from tests.hammer import installation


class Action(StrEnum):
    HAMMERED = "test.hammered"


class GivenUp(Exception):
    """Raised inside of a transaction to have it rolled back."""


def main(folder: Path, number: int, threads: int, count: int) -> int:
    installation.set_up(folder, create=False)
    lock = threading.Lock()
    left = [count]
    failures: list[BaseException] = []
    with (folder / f"acknowledged-{number}.txt").open("a") as file:
        running = [
            threading.Thread(target=_write, args=(number * 100 + n, left, lock, file, failures))
            for n in range(threads)
        ]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
    for failure in failures:
        print(f"writer {number}: {failure!r}", file=sys.stderr)
    return 1 if failures else 0


def _write(
    number: int, left: list[int], lock: threading.Lock, file: TextIO, failures: list[BaseException]
) -> None:
    from django.db import DatabaseError, InterfaceError, connection
    from psycopg import IsolationLevel

    from config.embedded.failure import EmbeddedServiceFailed

    levels = [IsolationLevel.READ_COMMITTED, IsolationLevel.REPEATABLE_READ]
    levels += [IsolationLevel.SERIALIZABLE, None]
    dice, turn = random.Random(number), 0
    while not failures:
        with lock:
            if left[0] <= 0:
                return
        turn += 1
        name = f"{number}-{turn}"
        try:
            connection.isolation_level = dice.choice(levels)
            _transaction(name, dice)
        except GivenUp:
            continue
        except (DatabaseError, InterfaceError, EmbeddedServiceFailed) as error:
            # Serialization failures, deadlocks, servers that died, at their start too: try again.
            if "no act" in str(error) or "needs a reason" in str(error):
                failures.append(error)
            connection.close()
            time.sleep(dice.random() * 0.2)
            continue
        except BaseException as error:
            failures.append(error)
            return
        with lock:
            left[0] -= 1
            file.write(name + "\n")
            file.flush()
    connection.close()


def _transaction(name: str, dice: random.Random) -> None:
    from django.utils import timezone

    from compliance.trail import recording
    from compliance.trail.recording import System
    from tests.trail_app.models import Kept, Tag, Vessel

    kind = dice.random()
    with recording.recording(
        Action.HAMMERED, actor=System("hammer"), at=timezone.now(), reason="hammered in a test"
    ):
        vessel = Vessel.objects.create(name=name)
        if kind < 0.3:
            Kept.objects.filter(pk=dice.randrange(1, 9)).update(text=name)
        if kind < 0.5:
            _savepoint(name, dice)
        if 0.5 < kind < 0.6:
            Vessel.objects.bulk_create([Vessel(name=f"{name}/{n}") for n in range(3)])
        if 0.6 < kind < 0.7:
            tag, _ = Tag.objects.get_or_create(name=f"tag {dice.randrange(4)}")
            vessel.tags.add(tag)
        if 0.7 < kind < 0.75:
            vessel.volume_l = 5
            vessel.save()
        if 0.75 < kind < 0.8:
            Vessel.objects.filter(name__startswith=f"{name}/").delete()
        if kind > 0.95:
            raise GivenUp


def _savepoint(name: str, dice: random.Random) -> None:
    from django.db import transaction

    from tests.trail_app.models import Vessel

    try:
        with transaction.atomic():
            Vessel.objects.create(name=f"{name}:inner")
            if dice.random() < 0.5:
                raise GivenUp
    except GivenUp:
        pass


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *map(int, sys.argv[2:5])))
