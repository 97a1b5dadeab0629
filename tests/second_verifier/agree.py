"""Let both verifiers answer the same bundles and say where they differ.

    python -m tests.second_verifier.agree [--count 1000] [--seed 1] [--keep FOLDER]

Agreement is that of docs/evidence-bundle.md, section 12. Damage of the texts for people is seen
only by a verifier that renders them (sections 13 and 14): there the second one must find nothing.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import damage

PROGRAM = Path(__file__).with_name("verify.mjs")
OLDEST_NODE = 18
Answer = dict[str, Any]


def why_not() -> str | None:
    """Return why the second verifier cannot run here, or None."""
    node = shutil.which("node")
    if node is None:
        return "Node.js is not on this machine"
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(said.strip().removeprefix("v").split(".")[0]) < OLDEST_NODE:
        return f"Node.js {OLDEST_NODE} is needed, not {said.strip()}"
    return None


class SecondVerifier:
    """One long-running process that answers a request a line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def answer(self, case: damage.Case, folder: Path) -> Answer:
        """Return the JSON answer to a case, whose files are written to the folder."""
        return self.ask(_written(case, folder))

    def ask(self, request: dict[str, Any]) -> Answer:
        """Return the JSON answer to a request that names files."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the second verifier ended")
        found: Answer = json.loads(line)
        return found


@contextmanager
def second_verifier() -> Iterator[SecondVerifier]:
    """Run the verifier in Node.js for many bundles."""
    with subprocess.Popen(
        ["node", str(PROGRAM), "--batch"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
    ) as process:  # fmt: skip
        try:
            yield SecondVerifier(process)
        finally:
            assert process.stdin
            process.stdin.close()
            process.wait(timeout=240)


def _written(case: damage.Case, folder: Path) -> dict[str, Any]:
    files = {"bundle.zip": case.bundle}
    trust = {f"trust-{name}": data for name, data in case.trust}
    held = dict(case.held)
    for name, data in {**files, **trust, **held}.items():
        (folder / name).write_bytes(data)
    return {
        "bundle": str(folder / "bundle.zip"),
        "trust": [str(folder / name) for name in trust],
        "checkpoints": [str(folder / name) for name in held],
    }


def comparable(answer: Answer) -> Answer:
    """Return the part of an answer in which verifiers must agree (section 12)."""
    if answer["exit"] in {2, 4}:
        return {"exit": answer["exit"]}
    problems = {(one["verdict"], one["index"]) for one in answer["problems"]}
    return {
        "exit": answer["exit"],
        "entries": answer["entries"],
        "problems": sorted(problems, key=str),
    }


def difference(case: damage.Case, first: Answer, second: Answer) -> str | None:
    """Say how the answers differ, or return None."""
    one, other = comparable(first), comparable(second)
    if case.is_about_text:
        return None if (one["exit"], other["exit"]) == (2, 0) else f"text: {one} / {other}"
    if one == other:
        return None
    return "; ".join(
        f"{part}: {_unlike(one.get(part), other.get(part))}"
        for part in sorted({*one, *other})
        if one.get(part) != other.get(part)
    )


def _unlike(one: Any, other: Any) -> str:
    if isinstance(one, dict) and isinstance(other, dict):
        keys = [key for key in {**one, **other} if one.get(key) != other.get(key)]
        return ", ".join(f"{key}: {one.get(key)} / {other.get(key)}" for key in keys)
    if isinstance(one, list) and isinstance(other, list):
        only, only_other = [x for x in one if x not in other], [x for x in other if x not in one]
        return f"{only} / {only_other}"
    return f"{one} / {other}"


@dataclass
class Tally:
    """How many bundles the verifiers agree on, and what they say of the others."""

    bundles: int = 0
    about_text: int = 0
    refused: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def agree(self) -> int:
        return self.bundles - len(self.differences)


def compare(
    cases: Iterable[damage.Case], second: SecondVerifier, *, keep: Path | None = None
) -> Tally:
    """Let both verifiers answer every case; keep the bundles they differ on, if wanted."""
    tally = Tally()
    for number, case in enumerate(cases):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            first: Answer = json.loads(case.verify().to_json())
            answer = second.answer(case, folder)
            found = difference(case, first, answer)
            if found and keep:
                shutil.copytree(folder, keep / f"{number:05}-{case.expected or 'good'}")
        tally.bundles += 1
        tally.about_text += case.is_about_text
        tally.refused += answer["exit"] != 0
        if found:
            tally.differences.append(f"{number} ({case.description}): {found}")
    return tally


def main() -> int:
    """Print one line of counts and each difference; end with 1 when there is one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    reason = why_not()
    if reason:
        sys.exit(reason)
    with second_verifier() as second:
        numbers = range(given.seed, given.seed + given.count)
        good = compare(map(damage.good, numbers), second, keep=given.keep)
        damaged = compare(map(damage.damaged, numbers), second, keep=given.keep)
    differences = good.differences + damaged.differences
    print(*differences, sep=os.linesep, file=sys.stderr, end=os.linesep if differences else "")
    print(
        f"{good.bundles} good: {good.agree} agree; {damaged.bundles} damaged: {damaged.agree} agree"
        f" ({damaged.refused} refused by the second verifier, {damaged.about_text} are about text only)"
    )
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
