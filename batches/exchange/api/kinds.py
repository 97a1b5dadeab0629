"""Read what a line says of each kind of record, and make the one domain call for it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import models
from django.http import Http404

from batches.exchange.api.posted import EventIn, ResultIn, SampleIn
from batches.execution import batches, events
from batches.execution.events import EventInvalid, Reported
from batches.execution.models import Batch, EventKind
from batches.laboratory import results, samples
from compliance.access.models import Device
from compliance.refusals import Refused
from compliance.trail.tlog import canonical

Make = Callable[[], models.Model]
# A correction of what moved the batch cannot move it again; people correct these in the record.
_CORRECTED_BY_SOURCE = frozenset(
    {EventKind.MEASUREMENT, EventKind.OBSERVATION, EventKind.ADDITION, EventKind.ALARM}
)


class MemberTwice(Refused):
    """The line says something both outside and inside of its data."""

    code = "member-twice"
    status = 422


def maker(said: dict[str, Any], *, message_id: str, device: Device, at: datetime) -> Make:
    """Return what records a line; raise `ValidationError` for data that its kind does not have."""
    batch = batches.numbered(said["batch"])
    if batch is None:
        raise Http404(f"there is no batch {said['batch']}")
    return _KINDS[said["kind"]](batch, said, message_id, device, at)


def _event(
    batch: Batch, said: dict[str, Any], message_id: str, device: Device, at: datetime
) -> Make:
    given = _with(
        said, occurred_at=said["observed_at"], backfilled=said["backfilled"],
        **({"zone": said["zone"]} if "zone" in said else {}),
    )  # fmt: skip
    body = EventIn(data=given)
    body.is_valid(raise_exception=True)
    values = dict(body.validated_data)
    values["sent_at"] = said.get("sent_at")
    if said["version"] > 1:
        if values["kind"] not in _CORRECTED_BY_SOURCE:
            raise EventInvalid(
                f"{values['kind']} moved the batch: a correction cannot move it again; "
                "a person notes it in the record"
            )
        corrects: dict[str, canonical.Value] = {
            "id": said["id"], "version": said["version"] - 1, "reason": said["reason"],
            "by": said["corrected_by"],
        }  # fmt: skip
        values["details"] = {**values.get("details", {}), "corrects": corrects}
    reported = Reported(**values)
    return lambda: events.record(
        batch, reported=reported, message_id=message_id, actor=device, at=at
    )


def _result(
    batch: Batch, said: dict[str, Any], message_id: str, device: Device, at: datetime
) -> Make:
    given = _with(said, reported_at=said["moment"].isoformat())
    body = ResultIn(data={**given, "version": said["version"], "reason": said["reason"]})
    body.is_valid(raise_exception=True)
    values = dict(body.validated_data)
    wanted = values.pop("sample")
    sample = batch.samples.select_related("batch").filter(number=wanted).first()
    if sample is None:
        raise Http404(f"{batch.number} has no sample {wanted}")
    values.pop("message_id", None)
    return lambda: results.report(
        sample, value_text=values.pop("value"), message_id=message_id, actor=device, at=at, **values
    )


def _sample(
    batch: Batch, said: dict[str, Any], message_id: str, device: Device, at: datetime
) -> Make:
    body = SampleIn(data=_with(said, taken_at=said["moment"].isoformat()))
    body.is_valid(raise_exception=True)
    if said["version"] > 1:
        raise EventInvalid("a sample is not registered again; a person corrects it in the record")
    values = body.validated_data
    return lambda: samples.take(batch, actor=device, at=at, **values)


def _with(said: dict[str, Any], **times: Any) -> dict[str, Any]:
    """Return the data with what the line says of it; nothing is said twice."""
    taken = {*times, "message_id", "version", "reason", "sent_at", "zone"} & set(said["data"])
    if taken:
        raise MemberTwice(f"{', '.join(sorted(taken))}: the line says that, not its data")
    return {**said["data"], **times}


_KINDS: dict[str, Callable[..., Make]] = {"event": _event, "result": _result, "sample": _sample}
