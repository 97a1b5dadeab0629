"""Read which logs and witnesses are trusted, and weigh a checkpoint by it (C2SP tlog-policy)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from compliance.trail.tlog import checkpoint, keys, note, policy_lines
from compliance.trail.tlog.checkpoint import Checkpoint
from compliance.trail.tlog.keys import Verifier
from compliance.trail.tlog.policy_lines import Group, Log, PolicyInvalid, Witness

__all__ = ["Group", "Log", "NotOfLog", "Policy", "PolicyInvalid", "Verdict", "Witness"]


class NotOfLog(ValueError):
    """No log of the policy signed this checkpoint, or a key it knows did not sign what it names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a policy says of one checkpoint: whether it is valid, and who is missing.

    `cosigned` are POSIX times by the witness's name in the policy; `shortfall` is empty when met.
    """

    checkpoint: Checkpoint
    log: Log
    is_met: bool
    cosigned: Mapping[str, int]
    missing: tuple[str, ...]
    shortfall: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Policy:
    """The logs and witnesses that somebody trusts, and how many of them are enough."""

    logs: tuple[Log, ...]
    witnesses: Mapping[str, Witness]
    groups: Mapping[str, Group]
    quorum: str

    @classmethod
    def parse(cls, content: str | bytes) -> Self:
        """Read a policy file, or raise `PolicyInvalid` with the number of the line."""
        found = policy_lines.read(content)
        return cls(
            logs=tuple(found.logs),
            witnesses=found.witnesses,
            groups=found.groups,
            quorum=found.quorum,
        )

    def weigh(self, text: str | bytes, *, latest: int | None = None) -> Verdict:
        """Say who signed a checkpoint and whether that is enough, or raise `NotOfLog`.

        Cosignatures of a time after `latest` do not count (tlog-cosignature: Format).
        """
        opened, current = self._opened(text)
        times = {one.verifier: one.at for one in opened.verified}
        log = next(
            (one for one in self.logs if one.verifier in times and one.origin == current.origin),
            None,
        )
        if log is None:
            raise NotOfLog(f"no log of the policy signed this checkpoint of {current.origin}")
        cosigned = {
            witness.name: at
            for witness in self.witnesses.values()
            if (at := times.get(witness.verifier)) is not None and (latest is None or at <= latest)
        }
        is_met = self._is_met(self.quorum, cosigned)
        return Verdict(
            checkpoint=current,
            log=log,
            is_met=is_met,
            cosigned=cosigned,
            missing=tuple(name for name in self.witnesses if name not in cosigned),
            shortfall="" if is_met else "; ".join(self._shortfall(self.quorum, cosigned)),
        )

    def _opened(self, text: str | bytes) -> tuple[note.Opened, Checkpoint]:
        known: list[Verifier] = [
            *(log.verifier for log in self.logs),
            *(witness.verifier for witness in self.witnesses.values()),
        ]
        try:
            opened = note.open(text, known)
            return opened, Checkpoint.parse(opened.text)
        except (note.NoteInvalid, keys.KeyInvalid, checkpoint.CheckpointInvalid) as error:
            raise NotOfLog(str(error)) from error

    def _is_met(self, name: str, cosigned: Mapping[str, int]) -> bool:
        if name == policy_lines.NONE:
            return True
        group = self.groups.get(name)
        if group is None:
            return name in cosigned
        return sum(self._is_met(one, cosigned) for one in group.members) >= group.threshold

    def _shortfall(self, name: str, cosigned: Mapping[str, int]) -> Iterator[str]:
        """Say of a name that is not met what it lacks, down to the witnesses."""
        group = self.groups.get(name)
        if group is None:
            yield f"witness {name} did not cosign"
            return
        lacking = [one for one in group.members if not self._is_met(one, cosigned)]
        met = len(group.members) - len(lacking)
        yield (
            f"group {name} has {met} of {group.threshold} needed, "
            f"missing {', '.join(policy_lines.shown(one) for one in lacking)}"
        )
        for one in lacking:
            if one in self.groups:
                yield from self._shortfall(one, cosigned)
