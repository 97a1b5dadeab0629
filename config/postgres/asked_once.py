"""Ask a kept connection whether it is still there once a second, not once a request."""

import time
from typing import TYPE_CHECKING

from django.db.backends.postgresql import base

if TYPE_CHECKING:
    _Wrapper = base.DatabaseWrapper
else:
    _Wrapper = object

# In seconds: should the server go within them, one request is answered with 503; the next connects.
FRESH_S = 1.0


class AskedOnce(_Wrapper):
    """A database wrapper that takes an answer of this second for one of this request."""

    _asked_at = 0.0
    if TYPE_CHECKING:  # what Django's class has, and its types do not say
        health_check_done: bool

    def close_if_health_check_failed(self) -> None:
        if self.health_check_done:
            return
        now = time.monotonic()
        if now - self._asked_at < FRESH_S:
            self.health_check_done = True
            return
        super().close_if_health_check_failed()
        self._asked_at = now
