"""Know the working hours of a site by role: what is done outside of them is looked at in a review."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

DEFAULT = "1-5 05:00-21:00"
_FORM = re.compile(
    r"(?:(?P<roles>[a-z-]+(?:, ?[a-z-]+)*): ?)?(?P<first>[1-7])-(?P<last>[1-7]) "
    r"(?P<start>\d\d:\d\d)-(?P<end>\d\d:\d\d)"
)
_DAY = 24 * 60


class NotHours(ValueError):
    """The text is not of the form of working hours."""


@dataclass(frozen=True)
class Shift:
    """Days of the week (1 is Monday) with the minutes between which is worked; over midnight when
    the end is not after the start."""

    first: int
    last: int
    start: int
    end: int

    def covers(self, local: datetime) -> bool:
        minute = local.hour * 60 + local.minute
        if self.start < self.end:
            return self._has(local) and self.start <= minute < self.end
        began = local if minute >= self.start else local - timedelta(days=1)
        return self._has(began) and (minute >= self.start or minute < self.end)

    def _has(self, day: datetime) -> bool:
        return self.first <= day.isoweekday() <= self.last


@dataclass(frozen=True)
class WorkingHours:
    """The shifts of each role; of roles without any of their own, and of no role, the general ones."""

    text: str
    shifts: Mapping[str, Sequence[Shift]]

    def cover(self, moment: datetime, *, roles: Sequence[str], zone: str) -> bool:
        """Say whether a moment is within the hours of every one of the roles.

        Of every one: whoever holds a second role does not work at night by the hours of that one.
        """
        local = moment.astimezone(ZoneInfo(zone))
        return all(
            any(shift.covers(local) for shift in self.shifts.get(role, self.shifts[""]))
            for role in roles or [""]
        )


def parse(text: str) -> WorkingHours:
    """Read `1-5 05:00-21:00; operator, supervisor: 1-7 00:00-24:00`; raise `NotHours`.

    Several of one role add up. One without roles is for everybody who has none of their own.
    """
    shifts: dict[str, list[Shift]] = {}
    for part in text.split(";"):
        found = _FORM.fullmatch(part.strip())
        if found is None:
            raise NotHours(f"“{part.strip()}” is not written like “{DEFAULT}”")
        shift = Shift(
            int(found["first"]), int(found["last"]),
            _minute(found["start"]) % _DAY, _minute(found["end"]),
        )  # fmt: skip
        if shift.first > shift.last:
            raise NotHours(f"“{part.strip()}”: days go from the first to the last of a week")
        for role in (found["roles"] or "").split(","):
            shifts.setdefault(role.strip(), []).append(shift)
    if "" not in shifts:
        raise NotHours(f"say the hours of everybody else too, such as “{DEFAULT}”")
    return WorkingHours(text, shifts)


def _minute(text: str) -> int:
    if text == "24:00":
        return _DAY
    try:
        at = time.fromisoformat(text)
    except ValueError as error:
        raise NotHours(f"“{text}” is no time of day") from error
    return at.hour * 60 + at.minute
