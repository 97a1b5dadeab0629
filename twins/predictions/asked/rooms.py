"""Work that is asked of alerts, by people and by the sweep: requested once, claimed, given up on.

Explanations and advice are such rooms. Each says what is its own; what a request goes through until a
worker has it is here, and `running` takes it on from there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from importlib import import_module
from typing import Any, Generic, TypeVar

from django.db.models import Q, QuerySet

from compliance.access.authority import Principal
from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.recording import Actor, System
from twins.hub import versions
from twins.predictions import leases
from twins.predictions.asked.models import REQUESTED, Asked
from twins.predictions.models import Alert, Prediction, PredictionState
from twins.predictions.replays import Replay

A = TypeVar("A", bound=Asked)
# What its workers died of so often is not tried again by itself: it may be what kills them.
MOST_ATTEMPTS = 6


@dataclass(frozen=True)
class Acts:
    """What the trail calls each step."""

    requested: StrEnum
    claimed: StrEnum
    given: StrEnum
    failed: StrEnum


@dataclass(frozen=True)
class Refusals:
    """The room's own refusals: one is there already, why a run came to nothing, nothing to repeat."""

    current: type[Refused]
    workers_died: type[Refused]
    claim_lost: type[Refused]
    too_slow: type[Refused]
    broken: type[Refused]
    not_replayable: type[Refused]


@dataclass(frozen=True)
class Room(Generic[A]):
    """One kind of work: its name, its records, and what of them is called otherwise elsewhere.

    `seen` is what a prediction has that is asked about, `failed` the state of what came to nothing.
    """

    name: str
    model: type[A]
    worker: System
    acts: Acts
    refusals: Refusals
    seen: str
    failed: str
    runs: str  # the module whose `replay` repeats one; it may compile a model

    # --- Requests

    def by_person(
        self, alert: Alert, prediction: Prediction, *, seed: int, actor: Principal, at: datetime
    ) -> A:
        """Request the work for a person; raise the room's `current` when somebody has already."""
        row, is_new = self._requested(alert, prediction, seed=seed, actor=actor, at=at)
        if not is_new:
            raise self.refusals.current(
                f"{row} is of the newest {self.seen}, as of {row.prediction.as_of:%Y-%m-%d %H:%M} "
                f"UTC, and was asked for by {row.requested_by}: wait for it, or for the next prediction"
            )
        return row

    def for_alert(self, alert: Alert, prediction: Prediction, *, seed: int, at: datetime) -> A:
        """Request the work for a new alert; the same one when somebody has asked already."""
        return self._requested(alert, prediction, seed=seed, actor=self.worker, at=at)[0]

    def first(self, alert: Alert) -> A | None:
        """Return what was asked of an alert first."""
        return self._rows.filter(alert=alert).order_by("pk").first()

    def _requested(
        self, alert: Alert, prediction: Prediction, *, seed: int, actor: Actor, at: datetime
    ) -> tuple[A, bool]:
        with recording.recording(
            self.acts.requested,
            actor=actor,
            at=at,
            reason=f"alert {alert.pk}, {self.seen} as of {prediction.as_of:%Y-%m-%d %H:%M} UTC",
        ):
            # Two who ask at once: the unique constraint decides who was first. What failed may be
            # asked for again.
            return self._rows.exclude(state=self.failed).get_or_create(
                alert=alert,
                prediction=prediction,
                defaults={
                    "state": REQUESTED,
                    "requested_by": actor.trail_identity().name,
                    "requested_at": at,
                    "seed": seed,
                    "is_trial": prediction.is_trial,
                },
            )

    # --- Claims

    def claim(self, row: A, *, at: datetime) -> bool:
        """Take the run of a request, or of one whose worker died; False when somebody else has it."""
        with recording.recording(
            self.acts.claimed, actor=self.worker, at=at, reason=f"run of {row}"
        ):
            return leases.take(row, at=at, free=(REQUESTED,), also={"attempts": row.attempts + 1})

    def left_behind(self, *, at: datetime) -> list[A]:
        """Return what was asked for and lost, or claimed by a worker that died."""
        # A request that nobody has claimed for as long as a lease lasts was lost, or waits its turn.
        lost = Q(state=REQUESTED, requested_at__lt=at - leases.STALE_AFTER)
        return list(
            self._rows.filter(lost | leases.ran_out(at=at), attempts__lt=MOST_ATTEMPTS)
            .defer("input", "output")
            .order_by("pk")
        )

    def give_up(self, *, at: datetime) -> int:
        """End what its workers died of too often; return how many."""
        given_up = 0
        dead = self._rows.filter(leases.ran_out(at=at), attempts__gte=MOST_ATTEMPTS)
        for pk in dead.order_by("pk").values_list("pk", flat=True):
            problem = f"Its worker died {MOST_ATTEMPTS} times: it may need too much time or memory."
            with recording.recording(
                self.acts.failed, actor=self.worker, at=at, reason="its workers died too often"
            ):
                given_up += dead.filter(pk=pk).update(
                    state=self.failed, refusal=self.refusals.workers_died.code, problem=problem,
                    finished_at=at,
                )  # fmt: skip
        return given_up

    # --- What was answered

    def ended(self) -> QuerySet[A]:
        """Return the runs that ended with an answer."""
        rows = self._rows.exclude(output="")
        return rows.select_related("prediction__model_version").order_by("pk")

    def replay(self, row: A) -> Replay:
        """Repeat a run in this process, and compare it with its record."""
        again: Callable[[Any], Replay] = import_module(self.runs).replay
        return again(row)

    @property
    def _rows(self) -> QuerySet[A]:
        return self.model._default_manager.all()


_rooms: dict[str, Room[Any]] = {}


def register(room: Room[Any]) -> None:
    """Add a room, so that `manage.py replay` repeats its runs; called in AppConfig.ready."""
    if room.name in _rooms:
        raise ValueError(f"a room named {room.name!r} is registered already")
    _rooms[room.name] = room


def all_of_them() -> tuple[Room[Any], ...]:
    """Return the rooms by name."""
    return tuple(_rooms[name] for name in sorted(_rooms))


def newest(alert: Alert, among: QuerySet[Prediction]) -> Prediction | None:
    """Return the newest finished prediction since an alert whose version is installed here."""
    made = among.filter(
        batch=alert.batch_id, state=PredictionState.DONE, as_of__gte=alert.prediction.as_of
    ).select_related("model_version")
    found = made.defer("input", "output").order_by("-as_of", "-pk")
    return next((one for one in found if versions.is_installed(one.model_version)), None)
