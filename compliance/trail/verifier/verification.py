"""Verify a bundle with everything that is known of it, and say what came out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta

from compliance.trail.tlog import merkle
from compliance.trail.tlog.checkpoint import Checkpoint
from compliance.trail.verifier import (
    anchoring,
    completeness_check,
    documents,
    entries_check,
    findings,
    held_check,
    openings_check,
    reading,
    records_check,
    shown,
    times_check,
)
from compliance.trail.verifier.contents import Contents
from compliance.trail.verifier.documents import Documents
from compliance.trail.verifier.entries_check import Seen
from compliance.trail.verifier.findings import Malformed, Problem, Unusable, Verdict
from compliance.trail.verifier.held_check import Held
from compliance.trail.verifier.outcome import Result
from compliance.trail.verifier.trust import Trust


def verify(
    files: Mapping[str, bytes],
    *,
    trust: Trust,
    held: Sequence[Held] = (),
    tolerance: timedelta = times_check.DEFAULT_TOLERANCE,
) -> Result:
    """Return what the files of a bundle prove; every fault is in the result, none is raised."""
    try:
        read = held_check.read(held)
        contents = reading.read(files)
    except (Malformed, Unusable) as error:
        return Result(problems=[error.problem])
    return _verify(contents, trust, read, tolerance)


def _verify(
    contents: Contents,
    trust: Trust,
    held: Sequence[tuple[Held, Checkpoint]],
    tolerance: timedelta,
) -> Result:
    seen = entries_check.check(contents)
    found = documents.read(seen.values())
    times = times_check.prove(contents, trust.roots)
    times.note_logged(contents, found)
    brackets = times_check.check(seen.values(), times, tolerance)
    opened, problems = openings_check.open_all(contents.openings, seen)
    redacted = openings_check.check(seen.values(), opened, found)
    walked = records_check.walks(seen.values())
    problems += records_check.check(
        walked, contents.subject, opened, continued_to=_continued_to(contents, found)
    )
    completeness_check.check_seals(found, seen)
    problems += completeness_check.check(contents, found, seen, walked)
    problems += entries_check.gaps(contents, seen)
    problems += _inconsistent(contents)
    anchors = anchoring.anchors(contents, trust, found.keys)
    refusals = anchoring.check(contents, anchors, times)
    problems += [*times.problems, *refusals, *held_check.check(contents, held, anchors)]
    problems = [*(own for one in seen.values() for own in one.problems), *problems]
    is_anchored = anchors.history is not None and not _is_refused(contents, refusals)
    good = _good(is_anchored=is_anchored, is_checked=not times.unchecked)
    verdicts = _verdicts(seen, problems, redacted, good)
    return Result(
        contents=contents,
        entries=verdicts,
        problems=problems,
        is_anchored=is_anchored,
        brackets=brackets,
        proven_times=times.proven,
        documents=found,
        shown=shown.of(contents, found, walked, verdicts, problems),
    )


def _continued_to(contents: Contents, found: Documents) -> int:
    """Return the size that the seal covers of a log that continues another one, else 0."""
    at = contents.completeness.seal
    seal = None if at is None else found.seals.get(at)
    return seal.tree_size if seal and found.continues else 0


def _inconsistent(contents: Contents) -> Iterator[Problem]:
    newest = contents.checkpoints[contents.tree_size].checkpoint()
    for size, signed in contents.checkpoints.items():
        if size == contents.tree_size:
            continue
        old = signed.checkpoint().root
        try:
            merkle.verify_consistency(size, newest.size, signed.consistency, old, newest.root)
        except merkle.ProofInvalid as error:
            message = f"from size {size} to {newest.size}: {error}"
            yield Problem(verdict=Verdict.TAMPERED, message=message, file="consistency.json")


def _is_refused(contents: Contents, refusals: Iterable[Problem]) -> bool:
    newest = f"checkpoints/{contents.tree_size}.note"
    return any(one.file == newest for one in refusals)


def _verdicts(
    seen: Mapping[int, Seen], problems: Iterable[Problem], redacted: set[int], good: Verdict
) -> dict[int, Verdict]:
    found: dict[int, set[Verdict]] = {index: set() for index in seen}
    for one in problems:
        if one.index in found:
            found[one.index].add(one.verdict)
    return {
        index: next(
            (verdict for verdict in findings.OF_ENTRIES if verdict in found[index]),
            Verdict.REDACTED_AUTHORISED if good is Verdict.VALID and index in redacted else good,
        )
        for index in seen
    }


def _good(*, is_anchored: bool, is_checked: bool) -> Verdict:
    """Return what is said of an entry with which nothing is wrong."""
    if not is_anchored:
        return Verdict.UNANCHORED
    return Verdict.VALID if is_checked else Verdict.NOT_CHECKED
