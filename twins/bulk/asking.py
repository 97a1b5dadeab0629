"""Ask for a bulk run: what is asked is frozen here, so that its parts depend on nothing else."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.conf import settings

from batches.execution.models import Batch
from compliance import numbering
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.tlog import canonical
from twins.bulk.actions import Action
from twins.bulk.models import BulkKind, BulkPart, BulkRun
from twins.hub import versions
from twins.models import futures
from twins.models.requests import FeedStep
from twins.predictions import cultures, inputs, moments, request_bytes, runs

PREDICTIONS_A_PART = 8
MEMBERS_A_PART = 1000
MOST_PREDICTIONS, MOST_MEMBERS = 100_000, 1_000_000


class NothingAsked(Refused):
    """The run would have no part."""

    code = "bulk-nothing-asked"
    status = 422


class TooMuchAsked(Refused):
    """The run would have more parts than one may have."""

    code = "bulk-too-much-asked"
    status = 422


class BulkRequestInvalid(Refused):
    """What is asked cannot be done with this batch and its twin."""

    code = "bulk-request-invalid"
    status = 422


def predictions(
    batches: Sequence[Batch], *, as_of: Sequence[datetime] | None = None, actor: User,
    at: datetime, reason: str,
) -> BulkRun:  # fmt: skip
    """Ask for predictions of batches: at these moments, else at all that their readings reached.

    A prediction that is there already counts as it is. Raise `NothingAsked`, `TooMuchAsked`,
    `BatchNotPredictable`, `TwinMissing` or a refusal of `batch_models`, `NotPermitted` or
    `ReasonNotMeaningful`.
    """
    authority.demand(actor, Duty.ASK_TWINS)
    may_be = {batch.pk for batch in moments.predicted_batches()}
    wanted: list[tuple[str, str]] = []
    for batch in sorted(batches, key=lambda one: one.number):
        if batch.pk not in may_be:
            raise inputs.BatchNotPredictable(
                f"{batch} has no twin, has not started, or has been decided on: "
                "its predictions stay as they are"
            )
        times = moments.reached(batch) if as_of is None else sorted(set(as_of))
        wanted += [(batch.number, moment.isoformat()) for moment in times]
    _demand_count(len(wanted), most=MOST_PREDICTIONS, what="predictions")
    asked = {
        "predictions": [[number, moment] for number, moment in wanted],
        "twins": _identities({batch.recipe.twin for batch in batches}),
    }
    work = [
        {"first": first, "count": min(PREDICTIONS_A_PART, len(wanted) - first)}
        for first in range(0, len(wanted), PREDICTIONS_A_PART)
    ]
    title = f"{len(wanted)} predictions of {len(batches)} batches"
    return _record(BulkKind.PREDICTIONS, title, asked, work, actor=actor, at=at, reason=reason)


def of_futures(
    batch: Batch, *, as_of: datetime, members: int, actor: User, at: datetime, reason: str,
    horizon_h: int | None = None, feed: Sequence[FeedStep] | None = None,
) -> BulkRun:  # fmt: skip
    """Ask for an ensemble of futures of one batch as of a moment; with `feed`, under another feed.

    It changes no record of the batch, so the batch may be in any state. Raise `NothingAsked`,
    `TooMuchAsked`, `BulkRequestInvalid`, `BatchNotPredictable`, `TwinMissing`, `NotPermitted` or
    `ReasonNotMeaningful`.
    """
    authority.demand(actor, Duty.ASK_TWINS)
    _demand_count(members, most=MOST_MEMBERS, what="members")
    if batch.recipe.twin and batch.recipe.twin not in futures.TWINS:
        raise BulkRequestInvalid(f"the twin {batch.recipe.twin} offers no ensemble of futures")
    horizon = cultures.pace(batch.recipe).horizon_h if horizon_h is None else horizon_h
    request = cultures.assemble(batch, as_of=as_of, horizon_h=horizon, seed=inputs.seed_of(batch))
    if feed is not None:
        past = [step for step in request.feed if step.start_h < request.as_of_h]
        steps = (*past, *(FeedStep(max(s.start_h, request.as_of_h), s.rate_l_per_h) for s in feed))
        request = replace(request, feed=steps)
    try:
        futures.require(request)
    except ValueError as invalid:
        raise BulkRequestInvalid(str(invalid)) from invalid
    version = versions.current(batch.recipe.twin, at=at)
    asked = {
        "batch": batch.number,
        "model": version.name,
        "code_digest": version.code_digest,
        "parameters_digest": version.parameters_digest,
        "is_trial": not versions.is_qualified(version),
        "members": members,
        "request": canonical.loads(request_bytes.write(request)),
    }
    work = [
        {"part": part, "members": min(MEMBERS_A_PART, members - part * MEMBERS_A_PART)}
        for part in range(math.ceil(members / MEMBERS_A_PART))
    ]
    title = f"{members} futures of {batch.number} as of {as_of:%Y-%m-%d %H:%M} UTC"
    return _record(BulkKind.FUTURES, title, asked, work, actor=actor, at=at, reason=reason)


def _identities(names: Collection[str]) -> list[list[str]]:
    """Return twins with the digests of their code and parameters: these are to answer."""
    return [[name, *versions.identity(name)] for name in sorted(names)]


def _demand_count(count: int, *, most: int, what: str) -> None:
    if count < 1:
        raise NothingAsked(f"that is no {what} at all")
    if count > most:
        raise TooMuchAsked(f"{count} {what} are more than {most}: ask in several runs")


def _record(
    kind: BulkKind, title: str, asked: Mapping[str, Any], work: Sequence[Mapping[str, int]], *,
    actor: User, at: datetime, reason: str,
) -> BulkRun:  # fmt: skip
    text = recording.demand_reason(reason)
    content = canonical.dumps(asked)
    with recording.recording(Action.RUN_ASKED, actor=actor, at=at, reason=text):
        run = BulkRun.objects.create(
            number=numbering.next_number(BulkRun, prefix="BLK", at=at),
            kind=kind,
            title=title[:200],
            request=content.decode(),
            request_digest=runs.digest(content),
            part_count=len(work),
            seconds=settings.BULK_PART_SECONDS,
            memory_mb=settings.BULK_PART_MEMORY_MB,
            reason=text,
            requested_by=actor,
            requested_at=at,
        )
        BulkPart.objects.bulk_create(
            BulkPart(run=run, order=order, work=canonical.dumps(one).decode())
            for order, one in enumerate(work)
        )
    return run
