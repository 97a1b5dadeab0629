"""Compare checkpoints that others hold with those of the bundle."""

from collections.abc import Iterable, Iterator

from compliance.trail.tlog import note, octets
from compliance.trail.tlog.checkpoint import Checkpoint, CheckpointInvalid
from compliance.trail.verifier.anchoring import Anchors
from compliance.trail.verifier.contents import Contents
from compliance.trail.verifier.findings import Problem, Unusable, Verdict

Held = tuple[str, bytes]  # name of the file, note


def read(held: Iterable[Held]) -> list[tuple[Held, Checkpoint]]:
    """Return held notes with what they say, nothing verified, or raise `Unusable`."""
    found = []
    for name, text in held:
        try:
            found.append(((name, text), Checkpoint.parse(note.split(text)[0])))
        except (note.NoteInvalid, CheckpointInvalid) as error:
            raise Unusable(f"not a checkpoint: {error}", file=name) from error
    return found


def check(
    contents: Contents, held: Iterable[tuple[Held, Checkpoint]], anchored: Anchors
) -> Iterator[Problem]:
    """Yield what keeps held checkpoints from agreeing with the bundle."""
    for (name, text), said in held:
        yield from _compare(contents, said, name, text, anchored)


def _compare(
    contents: Contents, said: Checkpoint, name: str, text: bytes, anchored: Anchors
) -> Iterator[Problem]:
    if said.origin != contents.origin:
        yield _not_comparable(name, f"a checkpoint of another log, {said.origin}")
        return
    refused = anchored.problem(text, file=name) if anchored.history else None
    if refused is not None:
        yield refused
        return
    own = contents.checkpoints.get(said.size)
    if own is None:
        yield _not_comparable(
            name,
            f"its size {said.size} is none of the checkpoints here "
            f"({', '.join(map(str, sorted(contents.checkpoints)))}): ask for a bundle with it",
        )
    elif own.checkpoint().root != said.root:
        yield Problem(
            verdict=Verdict.FORK,
            message=f"two histories at size {said.size}: here the root is "
            f"{octets.to_base64(own.checkpoint().root)}, there {octets.to_base64(said.root)}",
            file=name,
        )


def _not_comparable(name: str, message: str) -> Problem:
    return Problem(verdict=Verdict.NOT_COMPARABLE, message=message, file=name)
