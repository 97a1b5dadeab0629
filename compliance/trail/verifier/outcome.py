"""What a verification of one bundle found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from compliance.trail.tlog import canonical
from compliance.trail.verifier import findings
from compliance.trail.verifier.contents import Contents
from compliance.trail.verifier.documents import Documents
from compliance.trail.verifier.findings import Exit, Problem, Verdict
from compliance.trail.verifier.shown import Shown
from compliance.trail.verifier.times_check import Bracket

VERSION = 1


@dataclass(slots=True, kw_only=True)
class Result:
    """What a verification found; without `contents` the bundle could not be read."""

    contents: Contents | None = None
    entries: Mapping[int, Verdict] = field(default_factory=dict)
    problems: Sequence[Problem] = ()
    is_anchored: bool = False
    brackets: Mapping[int, Bracket] = field(default_factory=dict)
    proven_times: Mapping[int, datetime] = field(default_factory=dict)
    documents: Documents = field(default_factory=Documents)
    shown: Shown = field(default_factory=Shown)

    @property
    def exit(self) -> Exit:
        return findings.exit_code(self.problems)

    def to_json(self) -> bytes:
        """Return the answer for machines."""
        contents = self.contents
        return canonical.dumps(
            {
                "anchored": self.is_anchored,
                "entries": {str(index): str(verdict) for index, verdict in self.entries.items()},
                "exit": int(self.exit),
                "origin": contents.origin if contents else None,
                "problems": [
                    {
                        "file": one.file,
                        "index": one.index,
                        "message": one.message,
                        "record": one.record,
                        "record_id": one.record_id,
                        "verdict": str(one.verdict),
                    }
                    for one in self.problems
                ],
                "tree_size": contents.tree_size if contents else None,
                "v": VERSION,
            }
        )
