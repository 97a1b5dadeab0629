"""A log with vessels that several people wrote, sealed with its heads, and newer entries."""

import pytest
from django.utils import timezone

from compliance.trail import seals
from tests import trail_log
from tests.conftest import FreshLog
from tests.trail_app.models import Vessel


@pytest.fixture
def read_log(fresh_log: FreshLog) -> FreshLog:
    """Return a log of 40 vessels; the first ten are changed by anna, the first five by ben."""
    trail_log.vessels(40, "A")
    for name, count, volume in (("anna", 10, "12.5"), ("ben", 5, "12.50")):
        with trail_log.act(f"volume read again by {name}", name=name):
            for vessel in Vessel.objects.order_by("pk")[:count]:
                vessel.volume_l = volume
                vessel.name = f"{vessel.name} of {name}"
                vessel.save()
    trail_log.seal_and_sign()
    seals.seal(timezone.now())
    trail_log.seal_and_sign()
    return fresh_log


@pytest.fixture
def first(read_log: FreshLog) -> Vessel:
    return Vessel.objects.order_by("pk")[0]
