"""Weigh the signatures on checkpoints by the keys, policies and times that are trusted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from compliance.trail.tlog import key_documents, key_history, note
from compliance.trail.tlog.checkpoint import Checkpoint
from compliance.trail.tlog.key_documents import KeyRefused
from compliance.trail.tlog.key_history import KeyHistory
from compliance.trail.tlog.policy import NotOfLog, Policy
from compliance.trail.tlog.policy_lines import Log
from compliance.trail.verifier.contents import Contents
from compliance.trail.verifier.findings import Problem, Verdict
from compliance.trail.verifier.times_check import Times
from compliance.trail.verifier.trust import Trust

_NOBODY = (key_history.SignatureMissing, key_history.NoKeyInForce)


@dataclass(slots=True)
class Anchors:
    """The keys of the log as far as trust reaches, and what is wrong with its documents."""

    history: KeyHistory | None
    policies: tuple[Policy, ...]
    problems: list[Problem] = field(default_factory=list)

    def problem(
        self,
        text: bytes,
        *,
        file: str,
        stamped_at: datetime | None = None,
        is_checked: bool = True,
    ) -> Problem | None:
        """Return why a note is not accepted, or None.

        `stamped_at` is the time that a verified token proves; where there is a token that could not
        be verified (`is_checked` False), what only it could have shown is no fault.
        """
        if self.history is None:
            return Problem(
                verdict=Verdict.UNANCHORED, message="no key of this log is trusted", file=file
            )
        try:
            if not self.history.in_force(Checkpoint.parse(note.split(text)[0]).size):
                raise key_history.NoKeyInForce("no key was in force at this size")
            witnessed = _earliest(text, self.policies)
            times = [at for at in (stamped_at, witnessed) if at is not None]
            self.history.open(text.decode(), proved_at=min(times, default=None))
        except _NOBODY as error:
            return Problem(verdict=Verdict.UNANCHORED, message=str(error), file=file)
        except key_history.KeyCompromised as error:
            verdict = Verdict.TAMPERED if is_checked else Verdict.NOT_CHECKED
            return Problem(verdict=verdict, message=str(error), file=file)
        except (KeyRefused, note.NoteInvalid) as error:
            return Problem(verdict=Verdict.TAMPERED, message=str(error), file=file)
        return None

    def counts(self, stamped: bytes) -> bool:
        """Say whether all keys in force signed what was time-stamped."""
        try:
            return self.history is not None and bool(self.history.signed(stamped.decode()))
        except KeyRefused:
            return False

    def quorum_problems(self, text: bytes, *, size: int, file: str) -> Iterable[Problem]:
        """Yield the policies of whose witnesses not enough cosigned an accepted note."""
        if self.history is None:
            return
        logs = tuple(Log(one.verifier, None) for one in self.history.in_force(size))
        for policy in self.policies:
            try:
                verdict = replace(policy, logs=logs).weigh(text)
            except NotOfLog as error:  # two of its keys under one name and ID
                yield Problem(verdict=Verdict.TAMPERED, message=str(error), file=file)
                continue
            if not verdict.is_met:
                yield Problem(verdict=Verdict.UNANCHORED, message=verdict.shortfall, file=file)


def anchors(contents: Contents, trust: Trust, documents: Mapping[int, str]) -> Anchors:
    """Follow the log's keys from the pinned ones through its documents."""
    pinned = trust.pinned(contents.origin)
    found = Anchors(None, trust.policies_about(contents.origin))
    if not pinned:
        return found
    history = KeyHistory.replay(contents.origin, pinned=pinned, documents=())
    for index, text in documents.items():
        try:
            history = history.followed_by(key_documents.parse(text, origin=contents.origin))
        except KeyRefused as error:
            found.problems.append(
                Problem(
                    verdict=Verdict.TAMPERED, message=str(error), file="entries.jsonl", index=index
                )
            )
            break
    found.history = history
    return found


def check(contents: Contents, anchored: Anchors, times: Times) -> list[Problem]:
    """Return what keeps the checkpoints from being accepted."""
    problems = list(anchored.problems)
    for size, signed in contents.checkpoints.items():
        stamped_at = times.proven.get(size)
        if stamped_at is not None and not anchored.counts(contents.stamped_note(size)):
            stamped_at = None
        file = f"checkpoints/{size}.note"
        problem = anchored.problem(
            signed.note, file=file, stamped_at=stamped_at, is_checked=size not in times.unchecked
        )
        if problem is not None:
            problems.append(problem)
        elif size == contents.tree_size:
            problems += anchored.quorum_problems(signed.note, size=size, file=file)
    return problems


def _earliest(text: bytes, policies: Iterable[Policy]) -> datetime | None:
    """Return when the first trusted witness saw a note, or raise `NoteInvalid` for a false one."""
    times = []
    for policy in policies:
        for witness in policy.witnesses.values():
            try:
                opened = note.open(text, [witness.verifier])
            except note.NoteUnsigned:
                continue
            times += [one.at for one in opened.verified if one.at]
    try:
        return datetime.fromtimestamp(min(times), UTC) if times else None
    except (OverflowError, ValueError, OSError):
        return None
