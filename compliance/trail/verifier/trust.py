"""Read what the inspector trusts: keys, policies and certificates from outside the bundle."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from cryptography import x509

from compliance.trail.tlog import certificates, policy_lines
from compliance.trail.tlog.keys import KeyInvalid, Verifier
from compliance.trail.tlog.policy import Policy, PolicyInvalid
from compliance.trail.verifier.findings import Unusable


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Keys that logs began with, policies about witnesses, roots of time-stamping authorities."""

    keys: tuple[Verifier, ...] = ()
    policies: tuple[Policy, ...] = ()
    roots: tuple[x509.Certificate, ...] = ()

    @classmethod
    def read(cls, files: Iterable[tuple[str, bytes]]) -> Self:
        """Read named files, or raise `Unusable` for one that is no keys, policy or certificates."""
        keys: list[Verifier] = []
        policies: list[Policy] = []
        roots: list[x509.Certificate] = []
        for name, data in files:
            try:
                if not data.strip():
                    raise ValueError("it is empty")
                if certificates.BEGIN.encode() in data:
                    roots.extend(certificates.load(data))
                elif lines := _single_words(data):
                    keys.extend(_log_key(line) for line in lines)
                else:
                    policies.append(_policy(data))
                    keys.extend(one.verifier for one in policies[-1].logs)
            except ValueError as error:
                raise Unusable(f"not a file to trust: {error}", file=name) from error
        once = tuple(dict.fromkeys(keys))
        return cls(keys=once, policies=tuple(policies), roots=tuple(dict.fromkeys(roots)))

    def pinned(self, origin: str) -> tuple[Verifier, ...]:
        """Return the keys that a log began with."""
        return tuple(one for one in self.keys if one.name == origin)

    def policies_about(self, origin: str) -> tuple[Policy, ...]:
        """Return the policies that say how this log is witnessed."""
        return tuple(
            policy for policy in self.policies if any(log.origin == origin for log in policy.logs)
        )


def _single_words(data: bytes) -> list[str]:
    """Return the lines of a key file; empty when this is something else."""
    try:
        # Not what Python calls white space, which other verifiers do not.
        lines = [line.strip(" \t\r") for line in data.decode().split("\n")]
    except UnicodeDecodeError:
        return []
    words = [line for line in lines if line and not line.startswith("#")]
    return [] if any(len(word.split()) > 1 for word in words) else words


def _policy(data: bytes) -> Policy:
    try:
        return Policy.parse(data)
    except PolicyInvalid as error:
        message = f"neither certificates in PEM nor keys, one a line; as a policy, {error}"
        raise PolicyInvalid(message) from error


def _log_key(line: str) -> Verifier:
    verifier = Verifier.parse(line)
    if verifier.algorithm not in policy_lines.LOG_TYPES:
        raise KeyInvalid(f"the key of {verifier.name} is none of a log: witnesses need a policy")
    return verifier
