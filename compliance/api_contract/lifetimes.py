"""Say of an endpoint that is on its way out since when, until when, and what comes after it."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.http import http_date


@dataclass(frozen=True)
class Lifetime:
    """Deprecation (RFC 9745) and Sunset (RFC 8594) of an endpoint; `instead` is an address."""

    deprecated_at: datetime
    sunset_at: datetime | None = None
    instead: str = ""

    def headers(self) -> dict[str, str]:
        said = {"Deprecation": f"@{int(self.deprecated_at.timestamp())}"}
        if self.sunset_at:
            said["Sunset"] = http_date(self.sunset_at.timestamp())
        if self.instead:
            said["Link"] = f'<{self.instead}>; rel="successor-version"'
        return said
