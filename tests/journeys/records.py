"""Read what a walk left, over the API, and bring it into a form in which two walks compare."""

import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from tests.journeys import plan
from tests.journeys.site import Caller

ONE = f"batches/{plan.BATCH}"
# Who was in when, and how messages came in, is about the way and not about the batch.
ABOUT_THE_WAY = frozenset({
    "access_personsession", "access_signin", "exchange_receipt", "trail_logevent",
    "django_celery_beat_crontabschedule", "django_celery_beat_intervalschedule",
    "django_celery_beat_periodictask",
})  # fmt: skip
# What differs from one walk to the next whoever walks: moments, keys, and what is made of them.
_OTHER_EVERY_TIME = frozenset({
    "id", "binding", "confirmation", "content_parts", "message_id", "occurred_text", "password",
    "root", "sha256", "tree_size", "entries_digest", "entry_count", "content_digest", "secret_digest",
    "record_digest", "recipe_digest", "content", "wanted", "entry", "reviewed_entries", "counts",
    "record_id", "subject", "state_text", "inputs", "issue_reason", "seed",
    "found_by",  # the process that was first of those that start together
})  # fmt: skip


@dataclass(frozen=True)
class Left:
    """What a walk left behind, as the API tells it."""

    disposition: dict[str, Any]
    lacks: list[Any]
    phases: list[dict[str, Any]]
    charges: list[dict[str, Any]]
    shipments: list[dict[str, Any]]
    recipe: dict[str, Any]
    deviation: dict[str, Any]
    trail_review: dict[str, Any]
    trail_standing: dict[str, Any]
    entries: list[dict[str, Any]]


def read(reader: Caller) -> Left:
    (deviation,) = reader.get("deviations")["results"]
    (review,) = reader.get("trail-reviews")["results"]
    return Left(
        disposition=reader.get(f"{ONE}/disposition"),
        lacks=reader.get(f"{ONE}/completeness"),
        phases=reader.get(f"{ONE}/phases")["results"],
        charges=reader.get(f"{ONE}/charges")["results"],
        shipments=reader.get(f"{ONE}/shipments"),
        recipe=reader.get(f"recipes/{plan.PRODUCT['code']}/1"),
        deviation=reader.get(f"deviations/{deviation['number']}"),
        trail_review=reader.get(f"trail-reviews/{review['number']}"),
        trail_standing=reader.get(f"trail-reviews/{review['number']}/standing"),
        entries=_entries(reader),
    )


def _entries(reader: Caller) -> list[dict[str, Any]]:
    """Return the bodies of all entries of the trail, oldest first."""
    found: list[dict[str, Any]] = []
    before: int | None = 2**62
    while before is not None:
        page = reader.get("entries", before=before, limit=500)
        found += page["entries"]
        before = page["older"]
    return [one["body"] for one in reversed(found) if one["body"] is not None]


def must_be_finished(left: Left) -> None:
    """The batch is released, certified and shipped, and nothing stands against it."""
    assert left.disposition["disposition"] == "released"
    assert left.disposition["blockers"] == []
    assert not left.disposition["needs_reevaluation"]
    assert left.disposition["decision"]["is_current"]
    assert left.disposition["certificate"]["number"] == "QPC-000001"
    assert left.lacks == []
    assert [one["state"] for one in left.phases] == ["done"] * 3
    assert [one["certificate"] for one in left.shipments] == ["QPC-000001"]
    assert left.deviation["state"] == "closed"
    assert [one["effect"] for one in left.deviation["neighbours"]] == ["not-affected"]
    assert left.trail_standing["is_concluded"]


def must_be_of_different_people(left: Left) -> None:
    """What takes two people was done by two, and what takes three by three."""
    released, certificate = left.disposition["decision"], left.disposition["certificate"]
    assert released["role"] == "Quality assurance"
    assert certificate["signature"]["role"] == "Qualified Person"
    assert released["username"] != certificate["signature"]["username"]
    for phase in left.phases:
        assert phase["verified_by"] not in (None, phase["started_by"], phase["ended_by"])
    for charge in left.charges:
        assert charge["verified_by"] not in (None, charge["performed_by"])
    assert len({left.recipe[name] for name in ("author", "reviewer", "checker")}) == 3
    signers = {one["username"] for one in left.deviation["signatures"]}
    assert len(signers) == 2
    assert left.deviation["opened_by"] not in signers
    reviewer = left.trail_review["reviewer"]
    assert reviewer not in {one["act"]["actor"] for one in left.entries if _is_of_batch(one)}


def _is_of_batch(entry: dict[str, Any]) -> bool:
    return entry["record"].startswith(("execution_", "laboratory_", "disposition_"))


def rows(left: Left) -> dict[str, Counter[str]]:
    """Return every controlled row as it is in the end, without what is other every time."""
    found: dict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
    for one in left.entries:
        if one["op"] == "delete":
            found.pop((one["record"], one["record_id"]), None)
        elif one["record"] not in ABOUT_THE_WAY:
            found[one["record"], one["record_id"]] |= one["new"]
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for (record, _), values in found.items():
        kept = {name: value for name, value in values.items() if _is_comparable(name, value)}
        said = json.dumps(kept, sort_keys=True)
        counted[record][re.sub(r"\(trail of \d+ entries\)", "(trail)", said)] += 1
    return dict(counted)


def _is_comparable(name: str, value: Any) -> bool:
    """Leave out references, moments, and what the log holds a commitment to only."""
    is_reference_or_moment = name.endswith(("_id", "_at", "_from", "_until", "_on"))
    is_committed = isinstance(value, dict) and set(value) == {"c"}
    return name not in _OTHER_EVERY_TIME and not is_reference_or_moment and not is_committed


def ways(left: Left) -> dict[str, Counter[str]]:
    """Return, per kind of record, how each row came about: by which acts of whom, in order."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in left.entries:
        if one["record"] not in ABOUT_THE_WAY:
            act = one["act"]
            said = f"{one['op']} {act['action']} {act['actor']} ({act['role']})"
            found[one["record"], one["record_id"]].append(said)
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for (record, _), acts in found.items():
        counted[record]["; ".join(acts)] += 1
    return dict(counted)
