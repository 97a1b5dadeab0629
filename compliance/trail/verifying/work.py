"""Say what the parts of a verification tell each other: the plan of all, one job, its result."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from compliance.trail.findings import Findings

RANGE = 1 << 16  # leaves of one job: a perfect subtree, so ranges join without their leaves
CHUNK = 2048  # leaves of one query; with more, the server copies long values again and again


@dataclass(frozen=True, kw_only=True)
class Table:
    """A controlled table, with the SQL that digests a row as its entries do; built by the parent.

    `first` gives the SHA-256 of the row as JSON, as its first entry has it (without redactable
    columns); `later` that of its binary form, as every update has it. `name` is its name in the
    trail, which it keeps when the table itself is renamed.
    """

    name: str
    table: str
    pk: str
    pk_type: str
    row: str
    first: str
    later: str
    redactable: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Archived:
    """A file that has the entries of leaves [start, end) of a log, as an event of the log says."""

    log_id: int
    start: int
    end: int
    path: Path


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What every worker knows: how to connect, the moment to look at, the secret of the keys.

    Entries of the partitions in `detached` are in `archives`; `partition` is how many one has.
    `dropped` are the columns (`record.column`) of which an entry says that they were dropped, and
    `renamed` those that it says have this name now, and had another one.
    """

    connection: dict[str, Any]
    snapshot: str
    secret: bytes
    folder: Path
    tables: tuple[Table, ...]
    archives: tuple[Archived, ...] = ()
    detached: frozenset[int] = frozenset()
    partition: int = 1 << 20
    dropped: frozenset[str] = frozenset()
    renamed: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class RangeJob:
    """Verify leaves [start, end) of a log; `sizes` are sizes in (start, end] whose root is asked.

    `signed` are the checkpoints from the first one on that covers a leaf of the range: size, and
    microseconds since 1970.
    """

    log_id: int
    origin: str
    start: int
    end: int
    projected: int
    sizes: tuple[int, ...] = ()
    signed: tuple[tuple[int, int], ...] = ()
    latest: int | None = None  # the latest time before the range, where that matters
    is_since: bool = False  # the records that are touched are asked for


@dataclass(frozen=True)
class Misplaced:
    """A leaf that does not fit its entry; it may fit another one."""

    index: int
    entry_id: int
    previous: bytes
    leaf_hash: bytes
    digest: bytes
    record: str | None


@dataclass(frozen=True)
class Committed:
    """A commitment whose opening is not there, or does not open it."""

    index: int
    entry_id: int
    path: str
    record: str


@dataclass(kw_only=True)
class RangeResult:
    """What one range of leaves gave, for whoever joins them."""

    log_id: int
    start: int
    end: int
    leaves: int = 0
    entries: int = 0
    archived: int = 0
    projections: int = 0
    nodes: int = 0
    is_whole: bool = True
    first: tuple[int, int, bytes] | None = None  # index, entry and `previous` of the first leaf
    chain: bytes | None = None  # after the last leaf; none when that is missing
    hashes: tuple[bytes, ...] = ()  # compact range of the leaves
    folds: dict[int, bytes] = field(default_factory=dict)
    earliest: int | None = None  # microseconds since 1970
    latest: int | None = None
    tables: dict[int, str] = field(default_factory=dict)
    misplaced: list[Misplaced] = field(default_factory=list)
    unopened: list[Committed] = field(default_factory=list)
    touched: set[tuple[str, str]] = field(default_factory=set)
    documents: list[tuple[int, str, str]] = field(default_factory=list)  # index, kind, text
    findings: Findings = field(default_factory=Findings)


@dataclass(frozen=True, kw_only=True)
class LiveJob:
    """Read the rows of one table in pages [start, end)."""

    table: int
    start: int
    end: int
    number: int


@dataclass(frozen=True, kw_only=True)
class TouchedJob:
    """Read some rows of one table."""

    table: int
    ids: tuple[str, ...]
    number: int


@dataclass(kw_only=True)
class LiveResult:
    rows: int = 0
    findings: Findings = field(default_factory=Findings)


@dataclass(frozen=True, kw_only=True)
class BucketJob:
    """Follow the records of buckets [first, last) through the entries of all logs, to their rows.

    `is_partial`: rows and entries are those of some logs only, so nothing is said to be missing.
    """

    first: int
    last: int
    is_partial: bool = False
    seals: tuple[tuple[int, int], ...] = ()  # log and size of each seal whose records are counted
    since: dict[int, int] = field(default_factory=dict)  # where the entries of each log begin


@dataclass(kw_only=True)
class BucketResult:
    records: int = 0
    sealed: Counter[tuple[int, int]] = field(default_factory=Counter)
    uncontrolled: set[int] = field(default_factory=set)
    came_or_went: dict[str, tuple[set[str], int]] = field(default_factory=dict)
    findings: Findings = field(default_factory=Findings)


@dataclass(frozen=True, kw_only=True)
class CountJob:
    """Count rows of a table by reading the table itself, whatever its indexes say."""

    statement: str
    values: tuple[Any, ...] = ()


Job = RangeJob | LiveJob | TouchedJob | BucketJob | CountJob
Result = RangeResult | LiveResult | BucketResult | int
