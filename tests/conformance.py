"""Print how our transparency log answers every family of published vectors; 1 if any differs.

Run `python -m tests.conformance [folder of vectors]`; without an argument, ../shared/vectors.
"""

import sys
from pathlib import Path

from tests.compliance.trail.tlog.vectors import (
    bundles,
    canonical_json,
    logs,
    signatures,
    timestamps,
    trees,
    verdicts,
)
from tests.compliance.trail.tlog.vectors.verdicts import Family, Result

VECTORS = Path(__file__).resolve().parents[2] / "shared" / "vectors"
MODULES = [
    module.__name__ for module in (trees, logs, canonical_json, signatures, timestamps, bundles)
]
# Importing a module registers its families; here they get the order of the table.
FAMILIES = sorted(verdicts.FAMILIES, key=lambda family: MODULES.index(family.read.__module__))


def lines(results: list[Result]) -> list[str]:
    """Return the table, with the name of every vector that differs below its family."""
    table = []
    for result in results:
        table += [result.line, *(f"    {name}" for name in result.disagreements)]
    total = sum(len(result.verdicts) for result in results)
    wrong = sum(len(result.disagreements) for result in results)
    return [*table, f"{'all families:':<44}{f'{total - wrong}/{total}':>9} passed"]


def is_met(family: Family, result: Result) -> bool:
    """Say whether a family has its vectors, and agrees with all of them."""
    return len(result.verdicts) >= family.least and not result.disagreements


def main(vectors: Path) -> int:
    """Print the table and return the exit code."""
    if not vectors.is_dir():
        print(f"{vectors} is not a folder", file=sys.stderr)
        return 1
    results = [family.result(vectors) for family in FAMILIES]
    print("\n".join(lines(results)))
    return 0 if all(map(is_met, FAMILIES, results)) else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else VECTORS))
