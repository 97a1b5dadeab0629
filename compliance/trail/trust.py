"""Read whom the operator trusts to witness: the policy file that the settings name."""

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from compliance.trail.tlog.policy import Policy, PolicyInvalid


class PolicyUnusable(Exception):
    """The policy file is missing or no policy; says what to do."""


def policy() -> Policy | None:
    """Return the policy, None when none is set, or raise `PolicyUnusable`."""
    if not settings.LOG_POLICY:
        return None
    path = Path(settings.LOG_POLICY)
    try:
        return _parsed(path.read_bytes())
    except OSError as error:
        raise PolicyUnusable(f"GMP_LOG_POLICY names {path}: {error.strerror}") from error
    except PolicyInvalid as error:
        raise PolicyUnusable(f"{path}: {error}") from error


@lru_cache(maxsize=8)
def _parsed(content: bytes) -> Policy:
    return Policy.parse(content)
