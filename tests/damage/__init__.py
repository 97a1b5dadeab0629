"""Good bundles and damaged ones from a seed, for two verifiers (`python -m tests.damage`)."""

from tests.damage import in_bytes, in_held, in_logs, in_meaning  # each registers its damage
from tests.damage.cases import (
    DAMAGES,
    Case,
    Named,
    Scene,
    damaged,
    gather,
    good,
    record_of,
    replaced,
    scene,
    trust_of,
    without,
    write,
)

__all__ = [
    "DAMAGES",
    "Case",
    "Named",
    "Scene",
    "damaged",
    "gather",
    "good",
    "in_bytes",
    "in_held",
    "in_logs",
    "in_meaning",
    "record_of",
    "replaced",
    "scene",
    "trust_of",
    "without",
    "write",
]
