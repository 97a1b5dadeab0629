"""The base of every rule that says no to a person or a machine."""


class Refused(Exception):
    """An expected no: its message may be shown to whoever asked, its `code` never changes.

    `status` is the HTTP status of the answer: 409 for a state that forbids the act, 422 for
    values that break a rule, 403 for a person who may not.
    """

    code = "refused"
    status = 409
    is_recorded = False  # set when the trail has it; see trail.refusals

    def __init__(self, message: str, *, errors: list[dict[str, str]] | None = None) -> None:
        super().__init__(message)
        self.errors = errors or []


class Unavailable(Exception):
    """Something this needs is not reachable now; the same request may work later (503)."""

    code = "unavailable"
