"""What must be true of a deployment; `manage.py check --deploy` says what is not."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.security, deploy=True)
def time_is_utc(**_: Any) -> list[CheckMessage]:
    if settings.TIME_ZONE == "UTC" and settings.USE_TZ:
        return []
    return [Error("times are stored in UTC: set TIME_ZONE='UTC' and USE_TZ", id="gmp.E001")]
