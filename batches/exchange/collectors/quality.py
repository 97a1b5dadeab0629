"""Note when the quality of a tag changes: from good to bad, to another bad, and back."""

from datetime import datetime

from batches.exchange.collectors import samples
from batches.exchange.collectors.samples import Note, Target


class Qualities:
    """The present quality of each tag; what is not good is noted and never stored as a value."""

    def __init__(self) -> None:
        self._bad: dict[Target, tuple[str, datetime, int]] = {}

    def changed(self, target: Target, problem: str, *, at: datetime) -> list[Note]:
        """Return the note of a change, if this is one. An empty problem is a good value."""
        before = self._bad.get(target)
        if problem and before is not None and before[0] == problem:
            self._bad[target] = (problem, before[1], before[2] + 1)
            return []
        notes = []
        if before is not None:
            text = (
                f"{target.tag} was not good ({before[0]}) from {samples.moment(before[1])} to "
                f"{samples.moment(at)}: {before[2]} values not stored"
            )
            details = {"quality": before[0], "values": str(before[2])}
            notes.append(Note("quality", target.batch, at, text, target.tag, details))
            del self._bad[target]
        if problem:
            self._bad[target] = (problem, at, 1)
            text = f"{target.tag} is not good: {problem}"
            notes.append(Note("quality", target.batch, at, text, target.tag, {"quality": problem}))
        return notes
