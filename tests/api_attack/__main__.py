"""Attack the API with schemathesis as each kind of client, and print what came of it."""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.api_attack import standing
from tests.journeys import plan

HERE = Path(__file__).parent
FOLDER = Path("var/api-attack")
_FAILURE = re.compile(r"- ST\d+ ")  # as the report of schemathesis names each
# One check is left out: that what fits the schema is accepted. A plant's rules are more than a
# schema can say (a phase that is over, a second person), and each refusal has its own code.
LEFT_OUT_CHECKS = "positive_data_acceptance"
# A body that does not fit is refused: by its own answer, or because something else came first. A
# form is read by its view, after the version (412), as all others after who asks, and how often. That
# If-Match is missing is a 428 (RFC 6585 section 3).
CONFIGURATION = """
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 412, 413, 414, 415, 422, 428, 429, 431]
[checks.missing_required_header]
expected-statuses = [400, 401, 403, 406, 415, 422, 428]
"""
# What would end the client's own session, or lock its account; a device and nobody attack these too.
_OWN_SESSION = "^/api/v1/(session|access/people/[^/]+/password)"
LEFT_OUT = {"device": "", "quality": _OWN_SESSION, "auditor": _OWN_SESSION, "nobody": ""}
NOBODY = "nobody"


@dataclass
class Outcome:
    """What one client's attack came to."""

    client: str
    cases: int
    statuses: Counter[int]
    operations: set[str]
    failures: list[str] = field(default_factory=list)
    ended: int = 0

    def has_lost_its_sign_in(self) -> bool:
        """Say whether most of it was refused as by nobody: then it was tried as nobody only."""
        return self.client != NOBODY and 2 * self.statuses[401] > self.cases

    def row(self) -> str:
        families = Counter({f"{status // 100}xx": 0 for status in self.statuses})
        for status, count in self.statuses.items():
            families[f"{status // 100}xx"] += count
        counts = " ".join(f"{families[name]:>7}" for name in ("2xx", "3xx", "4xx", "5xx"))
        return (
            f"{self.client:<9}{len(self.operations):>11}{self.cases:>8} {counts} "
            f"{len(self.failures):>9}"
        )


HEADING = (
    f"{'client':<9}{'operations':>11}{'cases':>8} "
    f"{'2xx':>7} {'3xx':>7} {'4xx':>7} {'5xx':>7} {'failures':>9}"
)


def tool() -> Path:
    """Return schemathesis, in an environment of its own that is made when it is missing."""
    given = os.environ.get("SCHEMATHESIS")
    if given:
        return Path(given)
    wanted = HERE / "requirements.txt"
    place = FOLDER / "venv"
    made = place / "made-of.txt"
    if not made.exists() or made.read_bytes() != wanted.read_bytes():
        subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True)
        pip = [place / "bin/python", "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "--disable-pip-version-check", "-r", wanted], check=True)
        made.write_bytes(wanted.read_bytes())
    return (place / "bin/st").resolve()


def attack(
    stands: standing.Standing, client: str, phase: str, *, words: argparse.Namespace, folder: Path
) -> Outcome:
    """Run one phase of schemathesis as one client; its own report stays in `folder`."""
    said, tally = folder / "said.json", folder / f"{phase}.jsonl"
    output_path = folder / f"{phase}.txt"
    tally.unlink(missing_ok=True)
    (folder / "schemathesis.toml").write_text(CONFIGURATION)
    said.write_text(
        json.dumps({
            "url": stands.url, "headers": stands.clients[client], "known": stands.known,
            "password": plan.OWN, "sessions": stands.sessions, "tally": str(tally),
        })
    )  # fmt: skip
    command = [
        tool(), "run", stands.schema, "--url", stands.url, "--exclude-checks", LEFT_OUT_CHECKS,
        "--phases", phase, "--max-examples", str(words.examples), "--seed", str(words.seed),
        "--continue-on-failure", "--generation-database", "none", "--warnings", "off",
        "--no-shrink", "--suppress-health-check", "all", "--request-timeout", "120",
        "--workers", str(words.workers), "--no-color",
    ]  # fmt: skip
    if words.minutes:
        command += ["--max-time", str(int(words.minutes * 60))]
    if LEFT_OUT[client]:
        command += ["--exclude-path-regex", LEFT_OUT[client]]  # of several it heeds one
    if words.only:
        command += ["--include-path-regex", "|".join(words.only)]
    for name, value in stands.clients[client].items():
        command += ["--header", f"{name}: {value}"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GMP_")}
    environment = {
        **kept, "API_ATTACK": str(said), "PYTHONPATH": str(HERE), "SCHEMATHESIS_HOOKS": "hooks",
        "PYTHONWARNINGS": "ignore",
    }  # fmt: skip
    with output_path.open("w") as output:
        done = subprocess.run(
            list(map(str, command)), cwd=folder, env=environment, stdout=output, stderr=output,
            check=False,
        )  # fmt: skip
    return _read(client, tally, output_path, done.returncode)


def _read(client: str, tally: Path, output: Path, ended: int) -> Outcome:
    seen: list[dict[str, Any]] = []
    if tally.exists():
        seen = [json.loads(line) for line in tally.read_text().splitlines()]
    lines = map(str.strip, output.read_text().splitlines())
    failures = [line for line in lines if _FAILURE.match(line)]
    return Outcome(
        client, len(seen), Counter(one["status"] for one in seen),
        {one["operation"] for one in seen}, failures, ended,
    )  # fmt: skip


def _all(parts: list[Outcome]) -> Outcome:
    """Return what the phases of one client came to together."""
    return Outcome(
        parts[0].client, sum(one.cases for one in parts),
        sum((one.statuses for one in parts), Counter()),
        set().union(*(one.operations for one in parts)),
        [failure for one in parts for failure in one.failures],
        max(one.ended for one in parts),
    )  # fmt: skip


def main() -> int:
    """Attack as each client; the exit code is 1 when anything at all was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.api_attack", description=__doc__)
    parser.add_argument("--clients", nargs="+", default=list(LEFT_OUT), choices=list(LEFT_OUT))
    parser.add_argument("--examples", type=int, default=20, help="generated for each operation")
    parser.add_argument("--phases", default="examples,coverage,fuzzing,stateful")
    parser.add_argument("--minutes", type=float, help="at most, for each phase of each client")
    parser.add_argument("--only", nargs="*", default=[], help="patterns of paths")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    words = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # its server ends with it
    FOLDER.mkdir(parents=True, exist_ok=True)
    tool()
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="gmp-api-attack-") as plant:
        with standing.installation(Path(plant)) as stands:
            for client in words.clients:
                folder = (FOLDER / client).resolve()
                folder.mkdir(exist_ok=True)
                parts = []
                for phase in words.phases.split(","):
                    parts.append(attack(stands, client, phase, words=words, folder=folder))
                    print(f"{parts[-1].row()}  {phase}: {folder / phase}.txt", flush=True)
                    if parts[-1].has_lost_its_sign_in():
                        parts[-1].failures.append(f"{client} is not signed in any more")
                        print(f"{client} was not signed in for most of it", flush=True)
                outcomes.append(_all(parts))
    print(HEADING)
    for outcome in outcomes:
        print(outcome.row())
    found = any(
        outcome.failures or outcome.ended or any(status >= 500 for status in outcome.statuses)
        for outcome in outcomes
    )
    return int(found)


if __name__ == "__main__":
    sys.exit(main())
