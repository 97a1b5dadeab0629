"""The one error of whoever keeps private keys."""


class KeyUnusable(Exception):
    """A key is missing, locked, readable by others, or not one; says what to do."""
