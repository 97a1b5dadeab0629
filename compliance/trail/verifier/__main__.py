"""Run the verifier: `verify` answers whether a bundle is what the log contains."""

import argparse
import io
import re
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from compliance.trail.verifier import (
    container,
    extracting,
    markup,
    reading,
    report,
    times_check,
    verification,
)
from compliance.trail.verifier.findings import Exit, Malformed, Problem, Verdict
from compliance.trail.verifier.outcome import Result
from compliance.trail.verifier.trust import Trust, TrustUnusable

MAX_TOLERANCE = 10**9
_SECONDS = re.compile("[0-9]{1,10}")
_SAYINGS = {
    Exit.GOOD: "VERIFIED: everything is as the log contains it, and anchored in what you trust.",
    Exit.FAULTY: "NOT VERIFIED: something is wrong.",
    Exit.MALFORMED: "NOT VERIFIED: not the bundle that was made, or unreadable.",
    Exit.UNANCHORED: "NOT VERIFIED: nothing is wrong in itself, but it is not anchored in what you "
    "trust, or not comparable with what you hold.",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code of a command line."""
    given = _parser().parse_args(arguments)
    if given.command == "extract":
        return _extract(given.bundle, given.folder)
    result = _verify(given)
    if given.html and result.contents:
        given.html.write_bytes(report.render(result.contents, result))
    if given.json:
        sys.stdout.buffer.write(result.to_json() + b"\n")
    else:
        _say(result)
    return int(result.exit)


def _verify(given: argparse.Namespace) -> Result:
    try:
        trust = Trust.read((str(path), path.read_bytes()) for path in given.trust)
        held = [(str(path), path.read_bytes()) for path in given.checkpoint]
        tolerance = _tolerance(given.tolerance)
        return verification.verify(
            container.open_path(given.bundle), trust=trust, held=held, tolerance=tolerance
        )
    except Malformed as error:
        return Result(problems=[error.problem])
    except (OSError, TrustUnusable) as error:
        return Result(problems=[Problem(verdict=Verdict.MALFORMED, message=str(error))])


def _extract(bundle: Path, folder: Path) -> int:
    try:
        count = extracting.extract(reading.read(container.open_path(bundle)), folder)
    except (OSError, Malformed) as error:
        sys.stderr.write(f"{error}\n")
        return int(Exit.MALFORMED)
    sys.stdout.write(f"{count} entries written to {folder}; nothing was verified.\n")
    return int(Exit.GOOD)


def _say(result: Result) -> None:
    lines = [_SAYINGS[result.exit]]
    if result.contents:
        lines += _about(result)
    lines += [f"{one.verdict}: {one.place}: {one.message}" for one in result.problems]
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a console may not know every letter
    # Words of the bundle must not write lines of their own, least of all "VERIFIED".
    sys.stdout.write("".join(f"{markup.line(one)}\n" for one in lines))


def _about(result: Result) -> list[str]:
    contents = result.contents
    if contents is None:
        return []
    verdicts = [str(one) for one in result.entries.values()]
    counts = ", ".join(f"{verdicts.count(one)} {one}" for one in sorted(set(verdicts)))
    lines = [
        f"about (the sender's words): {contents.subject.title}",
        f"log {contents.origin}, {contents.tree_size} entries",
        f"entries in the bundle: {counts or 'none'}",
    ]
    lines += result.shown.sayings()
    unproven = sorted(set(contents.timestamps) - set(result.proven_times))
    if unproven or not contents.timestamps:
        lines.append("the time of entries is not proven by a time stamp that you trust")
    return lines


def _tolerance(text: str) -> timedelta:
    if not _SECONDS.fullmatch(text) or int(text) > MAX_TOLERANCE:
        raise Malformed(f"the tolerance is a number of seconds, at most {MAX_TOLERANCE}")
    return timedelta(seconds=int(text))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="verifier", description="Verify an evidence bundle of a GMP audit trail, offline."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    verify = commands.add_parser("verify", help="say whether a bundle is what the log contains")
    verify.add_argument("bundle", type=Path, help="the file, or a folder with its files")
    verify.add_argument("--trust", type=Path, action="append", default=[], metavar="FILE")
    verify.add_argument("--checkpoint", type=Path, action="append", default=[], metavar="FILE")
    verify.add_argument(
        "--tolerance",
        default=str(int(times_check.DEFAULT_TOLERANCE.total_seconds())),
        metavar="SECONDS",
        help="how far the plant's clock may be outside the time stamps (300)",
    )
    verify.add_argument("--json", action="store_true", help="answer for machines")
    verify.add_argument("--html", type=Path, metavar="OUT", help="write the report with verdicts")
    extract = commands.add_parser("extract", help="write bodies and C2SP proofs as files")
    extract.add_argument("bundle", type=Path)
    extract.add_argument("folder", type=Path)
    return parser


if __name__ == "__main__":
    sys.exit(main())
