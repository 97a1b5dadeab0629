"""Read a moment as a source writes it: ISO 8601, with its zone."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_FORM = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?P<zone>Z|[+-]\d{2}:\d{2})?", re.ASCII
)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


class NotAMoment(ValueError):
    """The text names no moment, or more than one."""


def parse(text: str) -> datetime:
    """Return the moment of e.g. `2026-03-29T02:30:00.5+02:00`, or raise `NotAMoment`."""
    found = _FORM.fullmatch(text)
    if found is None or text[10] == " ":
        raise NotAMoment(f"“{text[:40]}” is not of the form 2026-03-29T02:30:00+02:00")
    if found["zone"] is None:
        raise NotAMoment(f"“{text}” names no zone: end with Z or an offset such as +02:00")
    return _checked(_read(text))


def parse_local(text: str, *, zone: str) -> datetime:
    """Return the moment that a clock of the zone showed, or raise `NotAMoment`.

    In the hour that a clock skips there is no moment, and in the one it repeats there are two.
    """
    found = _FORM.fullmatch(text)
    if found is None or found["zone"] is not None:
        raise NotAMoment(f"“{text[:40]}” is not of the form 2026-03-29T02:30:00, without a zone")
    try:
        place = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise NotAMoment(f"“{zone[:40]}” is no zone of the IANA time zone database") from error
    local = _read(text).replace(tzinfo=place)
    moment = local.astimezone(UTC)
    if moment.astimezone(place).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise NotAMoment(f"the clocks of {zone} never showed {text}: it is in the skipped hour")
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        raise NotAMoment(f"the clocks of {zone} showed {text} twice: write the offset")
    return _checked(moment)


def _read(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise NotAMoment(f"“{text}” is no date and time: {error}") from error


def _checked(moment: datetime) -> datetime:
    try:
        moment = moment.astimezone(UTC)
    except OverflowError as error:
        raise NotAMoment("the year is out of range") from error
    if moment < EARLIEST:
        raise NotAMoment(f"{moment.isoformat()} is before {EARLIEST.year}")
    return moment
