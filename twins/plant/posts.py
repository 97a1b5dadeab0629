"""Put what a simulated plant says into posts to the API, in the order in which it is known."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from twins.plant import batch_details
from twins.plant.batch_details import FIRST_TRAIN, Train
from twins.plant.demo_recipe import FEED_START_H, HARVEST_H
from twins.plant.messages import Event, LaboratoryResult, Message, Reading, SampleTaken

# One set of readings for each six hours of the batch: 288 lines of eight tags.
READINGS_EVERY_H = 6.0
# What a person enters in the MES, one thing after the other.
DETAIL_EVERY_H = 2 / 60
# Whom the plant names for what a person does there.
OPERATOR = "demo.operator"
# The phases of the recipe in their order, with the hours in which this plant runs them.
PHASE_HOURS = ((0.0, 1.0), (1.0, FEED_START_H), (FEED_START_H, HARVEST_H - 1.0))
LAST_PHASE_HOURS = (HARVEST_H - 1.0, HARVEST_H)
_KINDS = {
    "inoculation": "addition",
    "feed-start": "observation",
    "antifoam-addition": "addition",
    "sampling": "sampling",
    "harvest": "observation",
}
# Of what becomes known at one moment: the batch opens, the laboratory reports, the historian sends
# what it has collected until then, the batch ends.
_OPENING, _HAPPENING, _SAMPLE, _RESULT, _READINGS, _CLOSING = range(6)


@dataclass(frozen=True)
class Post:
    """One write to the API. Its key names the message, so that a repeat is the same message."""

    key: str
    path: str
    content: bytes
    media_type: str
    text: str


def issue(number: str, product: str) -> Post:
    """Return the post that issues the batch."""
    return _json(f"{number}:issue", "batches", {"number": number, "product": product}, "issue")


def of_batch(
    messages: Iterable[Message],
    *,
    number: str,
    phases: list[str],
    started_at: datetime,
    until_h: float,
    train: Train = FIRST_TRAIN,
) -> list[Post]:
    """Return all posts about an issued batch that are known by an hour, in order."""
    script = _Script(number, started_at, [*PHASE_HOURS, LAST_PHASE_HOURS], phases, train)
    found = [*script.course(), *script.recorded(), *script.said(messages)]
    # Stable: of the same moment and kind, in the order in which the plant said it.
    found.sort(key=lambda one: one[:2])
    return [post for known_h, _, post in found if known_h <= until_h]


@dataclass(frozen=True)
class _Script:
    number: str
    started_at: datetime
    hours: list[tuple[float, float]]
    phases: list[str]
    train: Train

    def course(self) -> Iterator[tuple[float, int, Post]]:
        """Yield how batch and phases start and end."""
        yield 0.0, _OPENING, self._event("batch-started", 0.0)
        for phase, (first_h, last_h) in zip(self.phases, self.hours, strict=True):
            is_last = (first_h, last_h) == LAST_PHASE_HOURS
            yield first_h, _OPENING, self._event("phase-started", first_h, phase=phase)
            ending = _CLOSING if is_last else _OPENING
            yield last_h, ending, self._event("phase-ended", last_h, phase=phase)
        yield HARVEST_H, _CLOSING, self._event("batch-ended", HARVEST_H)

    def recorded(self) -> Iterator[tuple[float, int, Post]]:
        """Yield what the MES records in each phase, one by one in its last half hour."""
        next_h = {
            phase: last_h - 0.5 for phase, (_, last_h) in zip(self.phases, self.hours, strict=True)
        }
        for one in batch_details.of_batch(self.number, train=self.train):
            at_h = next_h[one.phase]
            next_h[one.phase] += DETAIL_EVERY_H
            post = self._event(
                one.kind, at_h, phase=one.phase, name=one.name, text=one.text, details=one.details
            )
            yield at_h, _HAPPENING, post

    def said(self, messages: Iterable[Message]) -> Iterator[tuple[float, int, Post]]:
        """Yield what happened, what was analysed, and the readings in sets."""
        readings: list[Reading] = []
        for one in messages:
            match one:
                case Reading():
                    if readings and _window(readings[0].at_h) != _window(one.at_h):
                        yield readings[-1].at_h, _READINGS, self._readings(readings)
                        readings = []
                    readings.append(one)
                case Event():
                    yield one.at_h, _HAPPENING, self._happening(one)
                case SampleTaken():
                    yield one.at_h, _SAMPLE, self._sample(one)
                case LaboratoryResult():
                    yield one.reported_h, _RESULT, self._result(one)
        if readings:
            yield readings[-1].at_h, _READINGS, self._readings(readings)

    def _happening(self, one: Event) -> Post:
        return self._event(_KINDS[one.kind], one.at_h, name=one.kind, text=one.text)

    def _event(
        self, kind: str, at_h: float, *, phase: str = "", name: str = "", text: str = "",
        details: Mapping[str, str] | None = None,
    ) -> Post:  # fmt: skip
        at = self._moment(at_h)
        body = {
            "kind": kind,
            "occurred_at": at,
            "sent_at": at,
            "phase": phase,
            "text": text,
            "performed_by": OPERATOR,
            "details": dict(details or {}),
            # The plant kept its own record; the product hears of it later.
            "backfilled": True,
        }
        key = f"{self.number}:event:{name or kind}:{_hour(at_h)}"
        return self._post(key, "events", body, text or f"{kind} {phase}".strip())

    def _sample(self, one: SampleTaken) -> Post:
        body = {
            "number": f"{self.number}-{one.sample}",
            "taken_at": self._moment(one.at_h),
            "point": "Production bioreactor",
            "taken_by": OPERATOR,
        }
        return self._post(f"{self.number}:sample:{one.sample}", "samples", body, one.sample)

    def _result(self, one: LaboratoryResult) -> Post:
        body = {
            "sample": f"{self.number}-{one.sample}",
            "tag": one.tag,
            "value": one.value,
            "unit": one.unit,
            "reported_at": self._moment(one.reported_h),
            "analyst": "simulated laboratory",
        }
        key = f"{self.number}:result:{one.sample}:{one.test}"
        return self._post(key, "results", body, f"{one.sample} {one.test}")

    def _readings(self, readings: list[Reading]) -> Post:
        last_h = readings[-1].at_h
        lines = [
            json.dumps(
                {
                    "tag": one.tag,
                    "at": self._moment(one.at_h),
                    "value": one.value,
                    "unit": one.unit,
                }
            )
            for one in readings
        ]
        return Post(
            key=f"{self.number}:readings:{_hour(last_h)}",
            path=f"batches/{self.number}/readings",
            content=("\n".join(lines) + "\n").encode(),
            media_type="application/x-ndjson",
            text=f"readings until {last_h:.0f} h",
        )

    def _post(self, key: str, room: str, body: Mapping[str, Any], text: str) -> Post:
        return _json(key, f"batches/{self.number}/{room}", body, text)

    def _moment(self, at_h: float) -> str:
        return (self.started_at + timedelta(hours=at_h)).isoformat()


def _json(key: str, path: str, body: Mapping[str, Any], text: str) -> Post:
    return Post(key, path, json.dumps(body).encode(), "application/json", text)


def _window(at_h: float) -> int:
    # (0, 6], (6, 12], ...: a set ends on the hour at which a twin is asked. The first begins at 0.
    return max(-int(-at_h // READINGS_EVERY_H), 1)


def _hour(at_h: float) -> str:
    return f"{at_h:.3f}"
