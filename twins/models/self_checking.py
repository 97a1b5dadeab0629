"""What a run says that contradicts the balances of its own equations."""


class SelfCheckFailed(ArithmeticError):
    """A run contradicts the balances of its own equations."""

    code = "twin-self-check-failed"
