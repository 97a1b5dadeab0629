"""Make an installation with one whole batch, and say what stands in it and who may come."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.journeys import api_walk, plan, site
from tests.journeys.conftest import Installation

AUDITOR = "i.auditor"
# A person asks the API as often as the tool likes, and waits while others attack it: what is
# attacked is neither the rate nor the idle time.
SETTINGS = {f"GMP_RATE_{who}": "10000000" for who in ("DEVICE", "PERSON", "STRANGER")}
SETTINGS["GMP_SESSION_IDLE_SECONDS"] = str(12 * 3600)
_A_FEW = 4
_PARAMETER = re.compile(r"{(\w+)}")
_NAMES_OF_A_RECORD = ("number", "code", "id", "username", "name", "version", "order")

Known = dict[str, list[dict[str, str]]]


@dataclass(frozen=True)
class Standing:
    """Where the product runs, its schema, what is known to be there, and the headers of each client."""

    url: str
    schema: Path
    known: Known
    clients: dict[str, dict[str, str]]
    sessions: list[str]  # that are in use: revoking one would end the attack


@contextmanager
def installation(folder: Path) -> Iterator[Standing]:
    """Run the product with the records of a whole batch; every client is signed in."""
    made = Installation(folder)
    made.environment.update(SETTINGS)
    _done(made.manage("migrate", "--verbosity", "0", timeout=900))
    schema = folder / "openapi.yaml"
    _done(made.manage("spectacular", "--file", str(schema), timeout=900))
    password = site.first_administrator(made)
    with site.running(made) as url:
        walked = api_walk.Walk(url)
        try:
            api_walk.accounts(walked, password)
            for step in api_walk.STEPS:
                step(walked)
            clients = _clients(walked)
            paths = yaml.safe_load(schema.read_text())["paths"]
            yield Standing(
                url, schema, known(walked.q_second.get, paths), clients, _sessions(walked)
            )
        finally:
            walked.close()


def _done(process: Any) -> None:
    assert process.returncode == 0, process.stderr


def _clients(walked: api_walk.Walk) -> dict[str, dict[str, str]]:
    root = walked.people[plan.ADMINISTRATOR]
    root.post("access/people", {
        "username": AUDITOR, "full_name": "Indigo Auditor", "password": plan.FIRST,
        "roles": ["auditor"], "reason": plan.REASON,
    })  # fmt: skip
    auditor = site.Person(walked.url, AUDITOR, plan.FIRST)
    auditor.choose_password(plan.FIRST)
    assert walked.historian is not None
    return {
        "device": {"Authorization": walked.historian.header("Authorization")},
        "quality": _session(walked.q_second),
        "auditor": _session(auditor),
        "nobody": {},
    }


def _sessions(walked: api_walk.Walk) -> list[str]:
    """Return the sessions of the people who attack."""
    return [
        str(one["id"])
        for username in (walked.q_second.username, AUDITOR)
        for one in walked.q_second.get("access/sessions", username=username)["results"]
    ]


def _session(person: site.Person) -> dict[str, str]:
    cookies = person.cookies()
    kept = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return {"Cookie": kept, "X-CSRFToken": cookies["csrftoken"]}


def known(get: Callable[[str], Any], paths: dict[str, Any]) -> Known:
    """Return for each path with parameters some values under which there is a record."""
    found: Known = {"": [{}]}
    for path in sorted(paths, key=len):
        _values(path, get, found)
    return {path: values for path, values in found.items() if values and _PARAMETER.search(path)}


def _values(path: str, get: Callable[[str], Any], found: Known) -> list[dict[str, str]]:
    """Return values for a path: those of the path above, with each record that its list shows."""
    if path in found:
        return found[path]
    above, _, last = path.rpartition("/")
    parameter = _PARAMETER.fullmatch(last)
    values = []
    for parts in _values(above, get, found):
        if parameter is None:
            values.append(parts)
            continue
        for record in _records(get, above.format(**parts))[:_A_FEW]:
            if (value := _name(record, parameter[1])) is not None:
                values.append({**parts, parameter[1]: value})
    found[path] = values[: 2 * _A_FEW]
    return found[path]


def _records(get: Callable[[str], Any], path: str) -> list[Any]:
    try:
        answer = get(path.removeprefix("/api/v1/"))
    except (site.Refusal, json.JSONDecodeError, UnicodeDecodeError):
        return []  # no list of its own, or not for this person
    records = answer.get("results", []) if isinstance(answer, dict) else answer
    return list(records or [])


def _name(record: Any, parameter: str) -> str | None:
    if not isinstance(record, dict):
        return None
    names = ("id",) if parameter == "pk" else (parameter, *_NAMES_OF_A_RECORD)
    return next((str(record[name]) for name in names if record.get(name) is not None), None)
