"""What a message says, as plain values: each with the pointer to where it says it.

Texts are as written: digits, zeros, units and times are read only when they land.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from batches.exchange.formats.batch_records import BatchRecord
from batches.exchange.formats.mapping_reports import Report
from compliance.trail.tlog import canonical


@dataclass(frozen=True, kw_only=True)
class MaterialSaid:
    """A material as an ERP defines it."""

    pointer: str
    code: str
    name: str = ""
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class LotSaid:
    """A lot or a part of one, as a stock keeps it."""

    pointer: str
    material: str
    lot: str
    sublot: str = ""
    status: str = ""
    quantity: str = ""
    unit: str = ""
    location: str = ""


@dataclass(frozen=True, kw_only=True)
class OrderSaid:
    """A batch that is to be made."""

    pointer: str
    number: str
    product: str = ""
    quantity: str = ""
    unit: str = ""
    starts_at: str = ""
    needs: tuple[LotSaid, ...] = ()


@dataclass(frozen=True, kw_only=True)
class HappeningSaid:
    """Something that happened to a batch."""

    pointer: str
    batch: str
    kind: str
    occurred_at: str
    id: str = ""
    phase: str = ""
    text: str = ""
    tag: str = ""
    value: str = ""
    unit: str = ""
    details: Mapping[str, canonical.Value] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ResultSaid:
    """What a laboratory found in a sample."""

    pointer: str
    sample: str
    tag: str
    value: str
    unit: str
    measured_at: str
    batch: str = ""
    analyst: str = ""
    id: str = ""


@dataclass(frozen=True, kw_only=True)
class ReadingSaid:
    """What a sensor showed."""

    pointer: str
    tag: str
    at: str
    value: str
    unit: str
    batch: str = ""


@dataclass(frozen=True, kw_only=True)
class RecipeSaid:
    """A recipe of another system; recipes are authored and approved here, so it is only kept."""

    pointer: str
    id: str
    version: str = ""
    product: str = ""


@dataclass(frozen=True, kw_only=True)
class RecordSaid:
    """A whole batch production record."""

    pointer: str
    record: BatchRecord


Item: TypeAlias = (
    MaterialSaid
    | LotSaid
    | OrderSaid
    | HappeningSaid
    | ResultSaid
    | ReadingSaid
    | RecipeSaid
    | RecordSaid
)


@dataclass(frozen=True, kw_only=True)
class Content:
    """A message that was read: its format, its own id, what it says, and the report about it."""

    format: str
    version: str
    message_id: str = ""
    items: tuple[Item, ...] = ()
    report: Report
