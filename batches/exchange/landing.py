"""Let what a message says land through the same functions as everything else: all of it or nothing.

What does not fit is a problem of the report, with its pointer; then the message waits in
quarantine and nothing of it is stored as a reading, an event or a result.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from batches.assets.models import Material
from batches.exchange import unit_aliases
from batches.exchange.formats import declared
from batches.exchange.formats.contents import (
    Content,
    HappeningSaid,
    Item,
    LotSaid,
    MaterialSaid,
    OrderSaid,
    ReadingSaid,
    RecipeSaid,
    RecordSaid,
    ResultSaid,
)
from batches.exchange.formats.declared import Declaration
from batches.exchange.formats.mapping_reports import Report
from batches.exchange.models.messages import Message
from batches.execution import batches, events, readings
from batches.execution.events import Reported
from batches.execution.models import Batch, BatchEvent, EventKind
from batches.execution.sample_bytes import Reading
from batches.execution.sizes import Size
from batches.laboratory import governing, results
from batches.laboratory.models import Result, Sample
from batches.quantities import numerals
from batches.recipes.models import MasterRecipe, Parameter, ParameterKind, RecipeState
from compliance import times
from compliance.access.authority import Principal
from compliance.access.models import Device
from compliance.refusals import Refused

# What is done at the end, in order, each with the pointer to blame when it is refused; it
# returns what was made: a kind of record, and its key.
Step = tuple[str, Callable[[], tuple[str, int]]]


class _InTheWay(Exception):
    """Something keeps an item from landing; the report says what."""


def land(
    message: Message, content: Content, *, actor: Principal, at: datetime
) -> list[dict[str, object]]:
    """Store everything a message says, inside the caller's act, or say in the report why not.

    A message that is about one batch is its message from then on.
    """
    landing = _Landing(message, content, actor, at)
    steps = landing.plan()
    if not content.report.is_clean:
        return []
    made: list[tuple[str, int]] = []
    try:
        with transaction.atomic():
            for _, step in steps:
                made.append(step())
    except Refused as refused:
        _blame(content.report, steps[len(made)][0], refused)
        return []
    if message.batch is None and len(landing.touched) == 1:
        (message.batch,) = landing.touched.values()
    return _summed(made)


def _summed(made: Sequence[tuple[str, int]]) -> list[dict[str, object]]:
    kinds: dict[str, list[int]] = {}
    for kind, key in made:
        kinds.setdefault(kind, []).append(key)
    return [
        {"kind": kind, "count": len(keys), "first": keys[0], "last": keys[-1]}
        for kind, keys in kinds.items()
    ]


def _blame(report: Report, pointer: str, refused: Refused) -> None:
    """Say which item a rule of the plant refused; its own errors name their lines."""
    report.problem(pointer, refused.code, str(refused))
    for error in refused.errors:
        report.problem(
            error.get("pointer", pointer), error.get("code", refused.code), error.get("detail", "")
        )


class _Landing:
    """Plan and make the records of one message."""

    def __init__(self, message: Message, content: Content, actor: Principal, at: datetime) -> None:
        self.message, self.content, self.report = message, content, content.report
        self.actor, self.at = actor, at
        self.by: Declaration | None = (
            None if message.mapping is None else declared.parse(message.mapping.definition)
        )
        self._batches: dict[str, Batch | None] = {}
        self._units: dict[tuple[int, str], dict[str, str]] = {}
        self._meant: dict[tuple[str, str], None] = {}
        self._samples: dict[tuple[str, str], Sample] = {}
        self._expected: dict[tuple[int, str], str | None] = {}
        self._count = 0
        self.touched: dict[str, Batch] = {}

    def plan(self) -> list[Step]:
        """Return what is to be done, after everything that can be asked before was asked."""
        steps: list[Step] = []
        rows: dict[str, list[tuple[Reading, str]]] = {}
        for item in self.content.items:
            self._count += 1
            try:
                if isinstance(item, ReadingSaid):
                    batch, row = self._reading(item)
                    rows.setdefault(batch.number, []).append((row, item.pointer))
                else:
                    steps += self._steps(item)
            except _InTheWay:
                continue
        if rows:
            steps += self._segments(rows)
        return steps

    def _steps(self, item: Item) -> list[Step]:
        match item:
            case MaterialSaid():
                return [self._material(item)]
            case LotSaid():
                self._stop(item, "lot-for-a-person", "a lot is received by a person: use the act")
            case OrderSaid():
                return [self._order(item)]
            case HappeningSaid():
                return [self._happening(item)]
            case ResultSaid():
                return [self._result(item)]
            case RecordSaid():
                return [self._record(item)]
            case RecipeSaid():
                self._stop(item, "recipe-not-mapped", "recipes are authored and approved here")
        return []

    # --- What is asked of every kind

    def _stop(self, item: Item, code: str, detail: str, raw: str = "") -> None:
        self.report.problem(item.pointer, code, detail, raw=raw)
        raise _InTheWay

    def _batch(self, item: Item, number: str) -> Batch:
        """Return the batch that was named beside the message, or the one that it names itself."""
        if self.message.batch is not None:
            if number not in ("", self.message.batch.number):
                self.report.changed(
                    item.pointer, before=number, after=self.message.batch.number,
                    rule="batch named beside the message",
                )  # fmt: skip
            self.touched[self.message.batch.number] = self.message.batch
            return self.message.batch
        if number not in self._batches:
            self._batches[number] = Batch.objects.filter(number=number).first()
        found = self._batches[number]
        if found is None:
            self._stop(item, "batch-unknown", "no batch of ours is meant: choose it", raw=number)
            raise _InTheWay
        self.touched[found.number] = found
        return found

    def _moment(self, item: Item, text: str) -> datetime:
        try:
            if self.by is not None and self.by.kind == "b2mml":
                return declared.moment(text, self.by)
            return times.parse(text)
        except times.NotAMoment as error:
            self._stop(item, "time-unreadable", str(error), raw=text)
            raise

    def _unit(self, item: Item, raw: str, expected: str, what: str) -> str:
        """Return the unit as declared here when the source's one is the same."""
        if (raw, expected) not in self._meant:
            try:
                unit_aliases.demand(raw, expected=expected)
            except Refused as refused:
                self._stop(item, refused.code, f"{what}: {refused}", raw=raw)
            self._meant[raw, expected] = None
        if raw != expected:
            self.report.changed(
                item.pointer, before=raw, after=expected, rule="unit by approved alias"
            )
        return expected

    def _declared_units(self, batch: Batch, kind: ParameterKind) -> dict[str, str]:
        key = (batch.recipe_id, kind)
        if key not in self._units:
            found = Parameter.objects.filter(recipe=batch.recipe_id, kind=kind)
            self._units[key] = dict(found.values_list("tag", "unit"))
        return self._units[key]

    def _number(self, item: Item, text: str) -> Decimal:
        value = numerals.decimal(text.strip())
        if value is None:
            self._stop(item, "number-unreadable", "this is no number", raw=text)
            return Decimal("NaN")
        return value

    def _message_id(self, item: Item, own: str) -> str:
        """Name a record by the source's own id, or by this message and the place in it."""
        name = f"{self.content.format}:{own}" if own else f"{self.message.sha256}:{self._count}"
        if len(name) > 120:
            name = f"{hashlib.sha256(name.encode()).hexdigest()}:{own[-40:]}"
        return name

    # --- Each kind

    def _reading(self, item: ReadingSaid) -> tuple[Batch, Reading]:
        batch = self._batch(item, item.batch)
        if not isinstance(self.actor, Device):
            self._stop(item, "device-needed", "readings are of a device; a person enters results")
        units = self._declared_units(batch, ParameterKind.READING)
        if item.tag not in units:
            self._stop(item, "tag-unknown", "the recipe has no such reading", raw=item.tag)
        unit = self._unit(item, item.unit, units[item.tag], item.tag)
        value = self._number(item, item.value)
        return batch, Reading(item.tag, self._moment(item, item.at), value, unit)

    def _segments(self, rows: dict[str, list[tuple[Reading, str]]]) -> list[Step]:
        def store(number: str, all_: list[tuple[Reading, str]]) -> tuple[str, int]:
            segment = readings.store(
                self.message.batch or Batch.objects.get(number=number),
                rows=[row for row, _ in all_],
                message_id=f"{self.message.sha256}:{number}"[:120],
                source=self.actor,  # type: ignore[arg-type]  # a device: asked in `_reading`
                content_digest=self.message.sha256,
                at=self.at,
            )
            return "readings", segment.pk

        return [
            (all_[0][1], lambda number=number, all_=all_: store(number, all_))  # type: ignore[misc]
            for number, all_ in rows.items()
        ]

    def _result(self, item: ResultSaid) -> Step:
        sample = self._sample(item)
        expected = self._result_unit(sample, item.tag)
        if expected is None:
            self._stop(
                item, "tag-unknown", "neither recipe nor specification has this test", raw=item.tag
            )
        unit = self._unit(item, item.unit, expected or "", item.tag)
        measured_at = self._moment(item, item.measured_at)
        name = self._message_id(item, f"{sample.batch.number}/{item.id}" if item.id else "")

        def report() -> tuple[str, int]:
            if known := self._same_result(sample, item, name):
                return "result known before", known.pk
            made = results.report(
                sample, tag=item.tag, unit=unit, value_text=item.value, reported_at=measured_at,
                message_id=name, actor=self.actor, at=self.at, analyst=item.analyst[:100],
            )  # fmt: skip
            return "result", made.pk

        return item.pointer, report

    def _result_unit(self, sample: Sample, tag: str) -> str | None:
        """Return the unit that a test of a sample is reported in; None when there is no such test."""
        if (sample.pk, tag) not in self._expected:
            test = governing.test_for(sample, tag)
            units = self._declared_units(sample.batch, ParameterKind.RESULT)
            self._expected[sample.pk, tag] = test.unit if test is not None else units.get(tag)
        return self._expected[sample.pk, tag]

    def _same_result(self, sample: Sample, item: ResultSaid, name: str) -> Result | None:
        if not isinstance(self.actor, Device):
            return None
        return Result.objects.filter(
            source=self.actor, message_id=name, sample=sample, tag=item.tag, value_text=item.value
        ).first()

    def _sample(self, item: ResultSaid) -> Sample:
        if known := self._samples.get((item.sample, item.batch)):
            return known
        found = Sample.objects.filter(number=item.sample).select_related("batch")
        if self.message.batch is not None or item.batch:
            found = found.filter(batch=self._batch(item, item.batch))
        samples = list(found[:2])
        if not samples:
            self._stop(item, "sample-unknown", "there is no such sample", raw=item.sample)
        if len(samples) > 1:
            self._stop(
                item, "sample-ambiguous", "several batches have this sample: choose the batch",
                raw=item.sample,
            )  # fmt: skip
        self.touched[samples[0].batch.number] = samples[0].batch
        self._samples[item.sample, item.batch] = samples[0]
        return samples[0]

    def _happening(self, item: HappeningSaid) -> Step:
        batch = self._batch(item, item.batch)
        if item.kind not in EventKind.values:
            self._stop(item, "event-kind-unknown", "this is no kind of event here", raw=item.kind)
        unit = item.unit
        expected = batch.parameters.filter(tag=item.tag).values_list("unit", flat=True).first()
        if item.kind == EventKind.MEASUREMENT:
            self._number(item, item.value)
            if expected is None:
                self._stop(item, "tag-unknown", "the batch has no such parameter", raw=item.tag)
        if expected is not None and unit:
            unit = self._unit(item, unit, expected, item.tag)
        reported = Reported(
            kind=EventKind(item.kind),
            occurred_at=self._moment(item, item.occurred_at),
            occurred_text=item.occurred_at[:40],
            phase=item.phase, text=item.text, tag=item.tag, value=item.value, unit=unit,
            details=item.details,
            is_zone_assumed=self.by is not None and self.by.zone != declared.OFFSET,
        )  # fmt: skip
        for name, most in (("phase", 100), ("tag", 60), ("value", 60), ("unit", 30)):
            if len(getattr(reported, name)) > most:
                self._stop(item, "text-too-long", f"{name} has at most {most} characters")
        name = self._message_id(item, f"{batch.number}/{item.id}" if item.id else "")

        def record() -> tuple[str, int]:
            if known := self._same_event(batch, reported, name):
                return "event known before", known.pk
            made = events.record(
                batch, reported=reported, message_id=name, actor=self.actor, at=self.at
            )
            return "event", made.pk

        return item.pointer, record

    def _same_event(self, batch: Batch, reported: Reported, name: str) -> BatchEvent | None:
        if not isinstance(self.actor, Device):
            return None
        return BatchEvent.objects.filter(
            source=self.actor, message_id=name, batch=batch, kind=reported.kind,
            occurred_at=reported.occurred_at, value=reported.value, text=reported.text,
        ).first()  # fmt: skip

    def _order(self, item: OrderSaid) -> Step:
        recipe = (
            MasterRecipe.objects.filter(product__code=item.product, state=RecipeState.EFFECTIVE)
            .select_related("product")
            .first()
        )
        if recipe is None:
            self._stop(item, "product-unknown", "no effective recipe makes it", raw=item.product)
            raise _InTheWay
        size = None
        if item.quantity:
            unit = self._unit(item, item.unit, recipe.batch_size_unit, "batch size")
            size = Size(self._number(item, item.quantity), unit)
        for need in item.needs:
            self.report.unmapped(need.pointer, "the recipe says what is charged")

        def issue() -> tuple[str, int]:
            made = batches.issue(
                recipe, number=item.number, size=size, actor=self.actor, at=self.at,
                reason=f"production order {item.number} of message {self.message.sha256[:16]}",
            )  # fmt: skip
            return "batch", made.pk

        return item.pointer, issue

    def _material(self, item: MaterialSaid) -> Step:
        known = Material.objects.filter(code=item.code).first()
        if known is None:
            self._stop(item, "material-unknown", "a person enters it: use the act", raw=item.code)
            raise _InTheWay
        self._unit(item, item.unit, known.unit, known.code)
        return item.pointer, lambda: ("material known before", known.pk)

    def _record(self, item: RecordSaid) -> Step:
        """Compare a record with the batch that it is of; its events land one by one."""
        batch = self._batch(item, item.record.number)
        product = batch.recipe.product.code
        if item.record.product not in ("", product):
            self._stop(
                item, "product-differs", f"batch {batch.number} is of {product}",
                raw=item.record.product,
            )  # fmt: skip
        return item.pointer, lambda: ("batch record", batch.pk)
