"""Write as an inspector writes: counted, dated, singular and plural right, nothing more."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from compliance.inspection.models import Profile
from compliance.inspection.outcomes import Outcome
from compliance.inspection.rule_packs import Rule

SIMULATED = "SIMULATED - not issued by any authority"
INDICATOR = (
    "This is an indicator of possible falsification; whether it is one is for a person to judge"
)


def observation(rule: Rule, outcome: Outcome, profile: Profile) -> str:
    """Return a finding as the authority of this profile would word it."""
    sentence = rule.sentences[profile]
    facts = [fact.text for fact in outcome.facts]
    if profile is Profile.FDA:
        body = _lettered(facts)
        text = f"{sentence} Specifically,\n\n{body}"
    else:
        text = f"{sentence}, in that:\n\n" + "\n".join(f"– {fact}" for fact in facts)
    closing = [
        f"Examined: {count(outcome.examined, *rule.population)}; failing: {outcome.failing}."
    ]
    if outcome.remark:
        closing.append(outcome.remark)
    if outcome.indicator:
        closing.append(f"{outcome.indicator} {INDICATOR}.")
    return f"{text}\n\n{' '.join(closing)}"


def _lettered(facts: Sequence[str]) -> str:
    if len(facts) == 1:
        return facts[0]
    return "\n\n".join(f"{letter(at)}. {fact}" for at, fact in enumerate(facts))


def letter(index: int) -> str:
    """Return A, B, ... Z, AA, AB, ... for 0, 1, ..."""
    text = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def count(number: int, one: str, many: str = "") -> str:
    """Return `1 record`, `2 records`, `no records`."""
    if number == 0:
        return f"no {many or one + 's'}"
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def was(number: int) -> str:
    return "was" if number == 1 else "were"


def has(number: int) -> str:
    return "has" if number == 1 else "have"


def listed(items: Iterable[str], *, at_most: int = 12) -> str:
    """Return `a`, `a and b`, `a, b and c`; a longer list says how many more there are."""
    named = list(items)
    if len(named) > at_most:
        rest = len(named) - at_most
        return f"{', '.join(named[:at_most])} and {rest:,} more"
    if len(named) < 2:
        return "".join(named)
    return f"{', '.join(named[:-1])} and {named[-1]}"


def moment(at: datetime) -> str:
    """Return a moment with its zone, to the second, or finer where it has finer digits."""
    utc = at.astimezone(UTC)
    pattern = "%Y-%m-%d %H:%M:%S.%f UTC" if utc.microsecond else "%Y-%m-%d %H:%M:%S UTC"
    return utc.strftime(pattern)


def duration(span: timedelta) -> str:
    """Return the largest two units of a span, e.g. `2 days 4 hours`, `35 minutes`, `8 seconds`."""
    seconds = int(abs(span).total_seconds())
    parts: list[tuple[int, str]] = []
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        number, seconds = divmod(seconds, size)
        parts.append((number, unit))
    while len(parts) > 1 and parts[0][0] == 0:
        parts.pop(0)
    said = [count(number, unit) for number, unit in parts[:2] if number]
    return " ".join(said) or "less than a second"


def number(value: Decimal) -> str:
    """Return a decimal as people write it: no exponent, no trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
