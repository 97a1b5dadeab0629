"""Checkpoints of others that a bundle does not agree with."""

from compliance.trail.tlog import note, octets
from compliance.trail.tlog.checkpoint import Checkpoint
from compliance.trail.verifier.findings import Verdict
from tests.damage.cases import Case, Scene, damage


@damage
def _fork(made: Scene) -> Case:
    size = made.random.choice(sorted(made.contents.checkpoints))
    text = Checkpoint(origin=made.log.origin, size=size, root=b"\x07" * 32).text()
    signers = [made.log.signers[one.verifier] for one in made.log.history.in_force(size)]
    signed = note.sign(text, signers, at=int(made.log.now.timestamp())).encode()
    return made.case(
        made.contents, f"fork at {size}", Verdict.FORK, held=(("held-fork.note", signed),)
    )


@damage
def _held_is_newer(made: Scene) -> Case:
    made.log.insert("batches", "later", state="planned")
    size = made.log.checkpoint()
    held = ((f"held-{size}.note", made.log.notes[size]),)
    return made.case(made.contents, "held is newer", Verdict.NOT_COMPARABLE, held=held)


@damage
def _held_is_no_note(made: Scene) -> Case:
    held = (("held-x.note", b"no note\n"),)
    return made.case(made.contents, "held is no note", Verdict.UNUSABLE, held=held)


@damage
def _held_of_an_empty_log(made: Scene) -> Case:
    text = f"{made.log.origin}\n0\n{octets.to_base64(bytes(32))}\n"
    held = (("held-0.note", note.sign(text, [made.log.signers[made.log.first_keys[0]]]).encode()),)
    return made.case(made.contents, "held of size 0, another root", Verdict.UNUSABLE, held=held)
