"""Hold each client to a number of requests a minute, over all web processes together.

IETF draft-ietf-httpapi-ratelimit-headers: every answer says the policy and what is left of it. The
counter is one row a client in the database that all web processes share anyway; a broker may be
away, and a counter in memory would count for one process only.
"""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from rest_framework.exceptions import Throttled

from compliance import driver

WINDOW_S = 60
NOBODY = "nobody"
# A row of a client that is gone is worth nothing; strangers are as many as there are addresses.
_FORGET = "DELETE FROM api_contract_clientcount WHERE minute < %s"
_COUNT = """
    INSERT INTO api_contract_clientcount AS known (client, minute, count) VALUES (%s, %s, 1)
    ON CONFLICT (client) DO UPDATE SET
        minute = EXCLUDED.minute,
        count = CASE WHEN known.minute = EXCLUDED.minute THEN known.count + 1 ELSE 1 END
    RETURNING count
"""


@dataclass(frozen=True)
class Standing:
    """What a client has left of its policy."""

    policy: str
    most: int
    left: int
    seconds: int

    def headers(self) -> dict[str, str]:
        return {
            "RateLimit-Policy": f'"{self.policy}";q={self.most};w={WINDOW_S}',
            "RateLimit": f'"{self.policy}";r={max(0, self.left)};t={self.seconds}',
        }


def counted(client: str, *, at: datetime) -> Standing:
    """Count one request of a client: `device:7`, `user:3`, `nobody:192.0.2.1`."""
    minute, past = divmod(int(at.timestamp()), WINDOW_S)
    kind = client.partition(":")[0]
    policy = kind if kind in settings.API_RATES else "device"
    most = settings.API_RATES[policy]
    (count,) = driver.answer(_COUNT, [client[:120], minute])
    if count == 1 and kind == NOBODY:
        driver.ask(_FORGET, [minute - 60])  # an hour
    return Standing(policy, most, most - count, WINDOW_S - past)


def demand(standing: Standing) -> None:
    """Pass while something is left, else raise `Throttled` (429)."""
    if standing.left < 0:
        raise Throttled(wait=standing.seconds)
