"""Put each entry between the time stamps before and after it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from cryptography import x509

from compliance.trail.tlog import certificates, shapes
from compliance.trail.verifier.contents import Contents
from compliance.trail.verifier.documents import Documents
from compliance.trail.verifier.entries_check import Seen
from compliance.trail.verifier.findings import Problem, Verdict

try:
    from compliance.trail.tlog import time_tokens
except ImportError as error:  # on an inspector's laptop: everything else can be verified without
    if (error.name or "").partition(".")[0] not in {"rfc3161_client", ""}:
        raise
    time_tokens = None  # type: ignore[assignment]

NOT_CHECKED = (
    "the package rfc3161-client is not installed, so this time stamp was not verified: "
    "`python -m pip install rfc3161-client`, then verify again"
)
DEFAULT_TOLERANCE = timedelta(seconds=300)


@dataclass(frozen=True, slots=True)
class Bracket:
    """Between which times an entry was sealed, as far as time stamps say."""

    not_before: datetime | None = None
    not_after: datetime | None = None


@dataclass(slots=True)
class Times:
    """What the time stamps of a bundle prove, by tree size; `unchecked` ones could not be read."""

    proven: dict[int, datetime] = field(default_factory=dict)
    unchecked: set[int] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    _logged: list[tuple[int, datetime]] = field(default_factory=list)

    def note_logged(self, contents: Contents, documents: Documents) -> None:
        """Take the tokens that were put back into the log as bounds for the entries after."""
        for index, stamp in documents.stamps.items():
            kept = contents.timestamps.get(stamp.size)
            if kept is None or stamp.size not in self.proven:
                continue
            if sha256(kept.response).digest() == stamp.sha256:
                self._logged.append((index, self.proven[stamp.size]))

    def bracket(self, index: int) -> Bracket:
        """Return the bounds of an entry."""
        return Bracket(
            max((at for logged, at in self._logged if logged < index), default=None),
            min((at for size, at in self.proven.items() if size > index), default=None),
        )


def prove(contents: Contents, roots: Sequence[x509.Certificate]) -> Times:
    """Return the times that tokens below the trusted roots prove; none without roots."""
    times = Times()
    if not roots:
        return times
    offered = certificates.usable(contents.authorities) if contents.authorities else ()
    for size, stamp in contents.timestamps.items():
        file = f"timestamps/{size}.tsr"
        if time_tokens is None:
            times.unchecked.add(size)
            times.problems.append(
                Problem(verdict=Verdict.NOT_CHECKED, message=NOT_CHECKED, file=file)
            )
            continue
        try:
            times.proven[size] = time_tokens.verify(
                stamp.response,
                message=contents.stamped_note(size),
                authority=time_tokens.Authority(tuple(roots)),
                offered=offered,
            ).gen_time
        except time_tokens.TokenInvalid as error:
            times.problems.append(Problem(verdict=Verdict.TAMPERED, message=str(error), file=file))
    return times


def check(seen: Iterable[Seen], times: Times, tolerance: timedelta) -> Mapping[int, Bracket]:
    """Return the bracket of each sound entry; whoever is outside gets a problem."""
    brackets = {}
    for one in seen:
        if not one.is_sound or one.members is None:
            continue
        bracket = brackets[one.index] = times.bracket(one.index)
        at = shapes.moment(one.members["at"])
        if bracket.not_after is not None and at > bracket.not_after + tolerance:
            one.add(
                Verdict.TIME_OUT_OF_BRACKET,
                f"its time {at.isoformat()} is after the time stamp {bracket.not_after.isoformat()}"
                " over a checkpoint that has it",
            )
        elif bracket.not_before is not None and at < bracket.not_before - tolerance:
            one.add(
                Verdict.TIME_OUT_OF_BRACKET,
                f"its time {at.isoformat()} is before the time stamp "
                f"{bracket.not_before.isoformat()} that is in the log before it",
            )
    return brackets
