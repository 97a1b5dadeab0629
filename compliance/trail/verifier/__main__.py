"""Run the verifier: `verify` answers whether a bundle is what the log contains."""

import argparse
import io
import os
import re
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

from compliance.trail import evidence_check
from compliance.trail.evidence_check import EvidenceInvalid
from compliance.trail.verifier import (
    container,
    extracting,
    held_check,
    markup,
    reading,
    report,
    times_check,
    verification,
)
from compliance.trail.verifier.findings import Exit, Malformed, Unusable
from compliance.trail.verifier.outcome import Result
from compliance.trail.verifier.trust import Trust

MAX_TOLERANCE = 10**9
_SECONDS = re.compile("[0-9]{1,10}")
_SAYINGS = {
    Exit.GOOD: "VERIFIED: everything is as the log contains it, and anchored in what you trust.",
    Exit.FAULTY: "NOT VERIFIED: something is wrong.",
    Exit.MALFORMED: "NOT VERIFIED: not the bundle that was made, or unreadable.",
    Exit.UNANCHORED: "NOT VERIFIED: nothing is wrong in itself, but it is not anchored in what you "
    "trust, or not comparable with what you hold.",
    Exit.UNUSABLE: "NOT VERIFIED: a file or setting that was given beside the bundle cannot be used. "
    "This says nothing about the bundle.",
    Exit.NOT_CHECKED: "NOT WHOLLY VERIFIED: nothing is wrong in what was checked, but not everything "
    "could be.",
}
_COMMANDS = ("verify", "evidence", "extract")
_HELP = """\
for example
  verifier.pyz bundle.zip --trust policy.txt --trust tsa-root.pem
  verifier.pyz bundle.zip --trust keys.txt --checkpoint held.note --html result.html

exit codes
  0  everything verified, and anchored in what you trust
  1  something is wrong; each problem names its place
  2  the bundle cannot be read as what it should be
  3  nothing is wrong in itself, but it is not anchored, or not comparable
  4  the command, or a file given beside the bundle, cannot be used
  5  a package is missing: not everything could be verified
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code of a command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a console may not know every letter
    given = _parser().parse_args(_with_command(sys.argv[1:] if arguments is None else arguments))
    match given.command:
        case "extract":
            return int(_extract(given.bundle, given.folder))
        case "evidence":
            return int(_evidence(given.file, given.trust))
        case _:
            return int(_answer(given))


def _with_command(arguments: Sequence[str]) -> Sequence[str]:
    """Let a bundle stand alone: to verify is what nearly everybody wants."""
    is_named = not arguments or arguments[0] in _COMMANDS or arguments[0] in {"-h", "--help"}
    return arguments if is_named else ["verify", *arguments]


def _answer(given: argparse.Namespace) -> Exit:
    result = _verify(given)
    is_written = True
    if given.html:
        is_written = _written(given.html, result)
    if given.json:
        _put(lambda: sys.stdout.buffer.write(result.to_json() + b"\n"))
    else:
        _put(lambda: _say(result))
    return result.exit if is_written or result.exit else Exit.UNUSABLE


def _verify(given: argparse.Namespace) -> Result:
    try:
        trust = Trust.read(_named(given.trust))
        held = _named(given.checkpoint)
        tolerance = _tolerance(given.tolerance)
        held_check.read(held)  # before the bundle: what is wrong with it says nothing of the bundle
        files = _opened(given.bundle)
    except (Malformed, Unusable) as error:
        return Result(problems=[error.problem])
    return verification.verify(files, trust=trust, held=held, tolerance=tolerance)


def _named(paths: Sequence[Path]) -> list[held_check.Held]:
    found = []
    for path in paths:
        try:
            found.append((_name(path), path.read_bytes()))
        except (OSError, ValueError) as error:
            raise Unusable(_why(error), file=_name(path)) from error
    return found


def _name(path: Path) -> str:
    """Return a path as text, whatever octets it has."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _opened(bundle: Path) -> dict[str, bytes]:
    try:
        return container.open_path(bundle)
    except (OSError, ValueError) as error:
        if isinstance(error, Malformed):
            raise
        raise Malformed(_why(error), file=_name(bundle)) from error


def _why(error: OSError | ValueError) -> str:
    """Say why a file cannot be read or written; its name stands beside it already."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _written(path: Path, result: Result) -> bool:
    """Write the report, or say on the standard error why there is none."""
    if result.contents is None:
        sys.stderr.write(f"{path} was not written: there is nothing readable to report on\n")
        return True
    try:
        path.write_bytes(report.render(result.contents, result))
    except OSError as error:
        sys.stderr.write(f"{path} was not written: {_why(error)}\n")
        return False
    return True


def _evidence(file: Path, trusted: Sequence[Path]) -> Exit:
    """Verify the evidence that is attached to a sealed report, or a receipt."""
    try:
        trust = Trust.read(_named(trusted))
    except Unusable as error:
        return _refused(error, Exit.UNUSABLE)
    try:
        data = _named([file])[0][1]
    except Unusable as error:
        return _refused(error, Exit.MALFORMED)
    try:
        found = evidence_check.check_with(data, trust.keys)
    except evidence_check.KeyUntrusted as error:
        said = str(error)
        _put(lambda: _lines("NOT VERIFIED: nothing that you trust vouches for the log.", said))
        return Exit.UNANCHORED
    except EvidenceInvalid as error:
        said = str(error)
        _put(lambda: _lines("NOT VERIFIED: something is wrong.", said))
        return Exit.FAULTY
    _put(
        lambda: _lines(
            "VERIFIED: the log contains these entries, unchanged.",
            f"log {found.checkpoint.origin}, {found.checkpoint.size} entries",
            f"in the file: {len(found.entries)} entries, and {found.unsealed} that no checkpoint covers",
            "whether entries of these records are left out, and when they were made, only an evidence "
            "bundle shows",
        )
    )
    return Exit.GOOD


def _refused(error: Malformed | Unusable, code: Exit) -> Exit:
    sys.stderr.write(f"{markup.line(f'{error.problem.place}: {error}')}\n")
    return code


def _lines(*lines: str) -> None:
    # Words of the bundle must not write lines of their own, least of all "VERIFIED".
    sys.stdout.write("".join(f"{markup.line(one)}\n" for one in lines))


def _extract(bundle: Path, folder: Path) -> Exit:
    try:
        contents = reading.read(_opened(bundle))
    except Malformed as error:
        return _refused(error, Exit.MALFORMED)
    try:
        count = extracting.extract(contents, folder)
    except OSError as error:
        sys.stderr.write(f"{error.filename or folder}: {_why(error)}\n")
        return Exit.UNUSABLE
    _put(lambda: sys.stdout.write(f"{count} entries written to {folder}; nothing was verified.\n"))
    return Exit.GOOD


def _put(write: Callable[[], object]) -> None:
    """Write an answer; who stops reading it, as `head` does, has asked for no traceback."""
    try:
        write()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(result: Result) -> None:
    lines = [_SAYINGS[result.exit]]
    if result.contents:
        lines += _about(result)
    lines += [f"{one.verdict}: {one.place}: {one.message}" for one in result.problems]
    _lines(*lines)


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
        raise Unusable(f"the tolerance is a number of seconds, at most {MAX_TOLERANCE}")
    return timedelta(seconds=int(text))


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(int(Exit.UNUSABLE), f"{self.prog}: {markup.line(message)}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="verifier",
        description="Verify an evidence bundle of a GMP audit trail, offline.",
        epilog=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    verify = commands.add_parser(
        "verify", help="say whether a bundle is what the log contains (as without a command)"
    )
    verify.add_argument("bundle", type=Path, help="the file, or a folder with its files")
    verify.add_argument(
        "--trust", type=Path, action="append", default=[], metavar="FILE",
        help="keys of the log, its policy, or root certificates of a time-stamping authority, "
        "from elsewhere than the bundle; any number",
    )  # fmt: skip
    verify.add_argument(
        "--checkpoint", type=Path, action="append", default=[], metavar="FILE",
        help="a checkpoint of the log that you hold, to be compared; any number",
    )  # fmt: skip
    verify.add_argument(
        "--tolerance",
        default=str(int(times_check.DEFAULT_TOLERANCE.total_seconds())),
        metavar="SECONDS",
        help="how far the plant's clock may be outside the time stamps (300)",
    )
    verify.add_argument("--json", action="store_true", help="answer for machines")
    verify.add_argument("--html", type=Path, metavar="OUT", help="write the report with verdicts")
    evidence = commands.add_parser(
        "evidence", help="verify the file evidence.json of a sealed report, or a receipt"
    )
    evidence.add_argument("file", type=Path)
    evidence.add_argument(
        "--trust", type=Path, action="append", default=[], metavar="FILE",
        help="keys of the log, or its policy, from elsewhere than the file; any number",
    )  # fmt: skip
    extract = commands.add_parser("extract", help="write bodies and C2SP proofs as files")
    extract.add_argument("bundle", type=Path, help="the file, or a folder with its files")
    extract.add_argument("folder", type=Path, help="where to; made if it is not there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
