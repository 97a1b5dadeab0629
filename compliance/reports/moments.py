"""Write moments the way every document shows them: date, time and zone."""

from datetime import datetime, timedelta


def written(moment: datetime) -> str:
    """Write a moment with its zone (21 CFR 11.50(a)(2)); raise ValueError when it has none."""
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError(f"{moment.isoformat()} has no time zone")
    text = moment.strftime("%Y-%m-%d %H:%M:%S")
    if offset == timedelta(0):
        return f"{text} UTC"
    sign, rest = ("+", offset) if offset > timedelta(0) else ("-", -offset)
    minutes = int(rest.total_seconds()) // 60
    shown = f"UTC{sign}{minutes // 60:02d}:{minutes % 60:02d}"
    name = moment.tzname() or ""
    return f"{text} {shown}" if name in ("", shown) else f"{text} {name} ({shown})"
