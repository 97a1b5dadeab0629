"""Keep those who made or tested a batch from judging it (21 CFR 211.22; EU GMP 2.6)."""

from django.db import connection

from batches.execution.models import Batch
from compliance.access.models import User
from compliance.refusals import Refused


class MakerDecides(Refused):
    """The quality unit is independent, whatever other roles its people hold or held."""

    code = "maker-decides"
    status = 403


def demand_other(batch: Batch, actor: User) -> None:
    """Pass when the person entered, verified, witnessed and tested nothing of the batch."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s IN (SELECT public.disposition_makers(%s))", [actor.pk, batch.pk])
        (is_maker,) = cursor.fetchone()
    if is_maker:
        raise MakerDecides(
            f"{actor.username} made or tested {batch.number}: somebody of quality who did not, decides"
        )
