"""Let schemathesis come with what a real client has; it is loaded in the environment of schemathesis.

What it makes wrong on purpose stays wrong: only what it means to be right is given a real value.
"""

import json
import os
import uuid
import zlib
from pathlib import Path
from typing import Any

import requests
import schemathesis
from schemathesis.core.parameters import ParameterLocation

_SAID = json.loads(Path(os.environ["API_ATTACK"]).read_text())
_KNOWN: dict[str, list[dict[str, str]]] = _SAID["known"]
_TALLY = Path(_SAID["tally"])
_REVOCATION = "/access/sessions/{number}/revocation"
_PROBES = requests.Session()
_PROBES.headers.update(_SAID["headers"])


def _is_right(case: Any, location: ParameterLocation) -> bool:
    if case.meta is None:
        return True
    part = case.meta.components.get(location)
    return part is None or part.mode.is_positive


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Three times of four name a record that is there; take a new key, and the right version."""
    if _is_right(case, ParameterLocation.PATH) and case.operation.path in _KNOWN:
        values = _KNOWN[case.operation.path]
        chosen = zlib.crc32(repr((case.path_parameters, case.query, case.body)).encode())
        if chosen % 4:
            case.path_parameters = dict(values[chosen // 4 % len(values)])
    if case.operation.path.endswith(_REVOCATION) and _of(case) in _SAID["sessions"]:
        case.path_parameters = {"number": "999999999"}  # it would end the client's own session
    said = case.body if isinstance(case.body, dict) else {}
    if _is_right(case, ParameterLocation.BODY) and isinstance(said.get("password"), str):
        case.body = {**said, "password": _SAID["password"]}  # wrong ones lock the account
    if case.headers is not None and "Authorization" not in _SAID["headers"]:
        # Made up for the other ways to sign in: it would come before the session, and be nobody's.
        case.headers.pop("Authorization", None)
    if not _is_right(case, ParameterLocation.HEADER) or case.headers is None:
        return
    if "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = str(uuid.uuid4())
    if "If-Match" in case.headers and (version := _version(case)):
        case.headers["If-Match"] = version


def _of(case: Any) -> str:
    return str((case.path_parameters or {}).get("number"))


def _version(case: Any) -> str | None:
    """Ask which record the act is on, by leaving the version out, and read that record."""
    try:
        address = f"{_SAID['url']}{case.formatted_path}"
        asked = case.as_transport_kwargs()
    except Exception:  # what cannot be put into an address is the case's own matter
        return None
    headers = {
        name: value for name, value in asked.get("headers", {}).items() if name != "If-Match"
    }
    said = {name: asked[name] for name in ("params", "json", "data", "files") if asked.get(name)}
    try:
        refused = _PROBES.request(case.method, address, headers=headers, timeout=60, **said)
        if refused.status_code != 428:
            return None
        record = _PROBES.get(f"{_SAID['url']}{refused.json()['record']}", timeout=60)
    except (requests.RequestException, UnicodeError, ValueError):
        return None
    return record.headers.get("ETag")


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    said = {
        "operation": f"{case.operation.method.upper()} {case.operation.path}",
        "status": response.status_code,
        "phase": case.meta.phase.name.value if case.meta else "stateful",
    }
    with _TALLY.open("a") as tally:
        tally.write(json.dumps(said) + "\n")


@schemathesis.serializer("application/x-ndjson")
def lines(context: Any, value: Any) -> bytes:
    """Send what was generated as a line of JSON; text and bytes as they are."""
    if isinstance(value, bytes):
        return value
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode(errors="surrogatepass")
