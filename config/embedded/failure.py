"""What is raised when an embedded server cannot be had."""


class EmbeddedServiceFailed(RuntimeError):
    """An embedded server did not start or stop; the message says what to do."""
