"""A batch production record as plain values: what goes out and what comes in are compared by it.

People are named by their identity in the trail (`user:12`), never by their name.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Phase:
    order: int
    unit_procedure: str
    operation: str
    name: str
    state: str
    started_at: str = ""
    ended_at: str = ""
    started_by: str = ""
    ended_by: str = ""
    verified_by: str = ""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter with its limits, as the batch was issued with them."""

    tag: str
    name: str
    kind: str
    unit: str
    criticality: str
    low: str = ""
    high: str = ""
    target: str = ""


@dataclass(frozen=True, kw_only=True)
class Material:
    """One line of the bill of materials."""

    line: int
    phase: str
    code: str
    kind: str
    quantity: str
    unit: str


@dataclass(frozen=True, kw_only=True)
class Charge:
    """An amount of a lot that went into the batch."""

    id: str
    phase: str
    material: str
    lot: str
    net: str
    unit: str
    charged_at: str
    charged_by: str
    verified_by: str


@dataclass(frozen=True, kw_only=True)
class Event:
    id: str
    kind: str
    occurred_at: str
    occurred_text: str
    recorded_at: str
    phase: str = ""
    text: str = ""
    tag: str = ""
    value: str = ""
    unit: str = ""
    details: str = ""  # canonical JSON
    source: str = ""
    recorded_by: str = ""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A value that a person entered in process."""

    id: str
    tag: str
    phase: str
    value: str
    unit: str
    standing: str
    performed_at: str
    performed_by: str
    verified_by: str


@dataclass(frozen=True, kw_only=True)
class Result:
    id: str
    tag: str
    version: int
    value: str
    unit: str
    judgement: str
    reported_at: str


@dataclass(frozen=True, kw_only=True)
class Sample:
    number: str
    point: str
    taken_at: str
    results: tuple[Result, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Person:
    """Who acted, by identity, with what they did."""

    id: str
    acts: str


@dataclass(frozen=True, kw_only=True)
class BatchRecord:
    number: str
    product: str
    product_name: str
    recipe_version: int
    recipe_title: str
    recipe_digest: str
    state: str
    disposition: str
    issued_at: str
    created_at: str
    planned_size: str = ""
    planned_unit: str = ""
    started_at: str = ""
    ended_at: str = ""
    phases: tuple[Phase, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    materials: tuple[Material, ...] = ()
    charges: tuple[Charge, ...] = ()
    events: tuple[Event, ...] = ()
    entries: tuple[Entry, ...] = ()
    samples: tuple[Sample, ...] = ()
    people: tuple[Person, ...] = ()
