"""The same record twice: under control, and not."""

from compliance.trail.capture import controlled
from tests.bench.columns import Columns


class Plain(Columns):
    pass


@controlled()
class Audited(Columns):
    pass
