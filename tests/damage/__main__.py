"""Make good bundles and damaged ones from a seed, for two verifiers to agree on.

    python -m tests.damage OUT [--seed 1] [--good 1000] [--damaged 1000]

writes OUT/<number>/{bundle.zip,trust-*,held-*,case.json}; `case.json` has what the damage is and what
the verifier in Python answers.
"""

import argparse
from pathlib import Path

from tests.damage.cases import cases, write


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--good", type=int, default=1000)
    parser.add_argument("--damaged", type=int, default=1000)
    given = parser.parse_args()
    made = cases(seed=given.seed, good_ones=given.good, damaged_ones=given.damaged)
    for number, case in enumerate(made):
        write(given.out, number, case)


if __name__ == "__main__":
    main()
