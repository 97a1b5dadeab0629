"""Why a signer does not sign."""

from pathlib import Path


class SignerRefused(Exception):
    """The signer does not sign; an operator must look."""


class LogForked(SignerRefused):
    """The log does not continue what was signed before: it was rewritten, or rolled back."""


class ClockWentBack(SignerRefused):
    """It is earlier than when the last checkpoint was signed."""


class OverlapSkipped(SignerRefused):
    """The checkpoint that old and new key sign together would be left out."""


class AlreadyRunning(SignerRefused):
    """Another signer uses this memory."""


class StateUnusable(SignerRefused):
    """The memory of the signer cannot be relied on."""


class StateCorrupt(StateUnusable):
    """The memory is not what this signer wrote."""

    def __init__(self, path: Path, reason: object) -> None:
        super().__init__(f"{path} is not what the signer wrote: {reason}. {_ADOPT}")


class StateBehind(StateUnusable):
    """More was signed than the memory knows: it was restored from a copy."""

    def __init__(self, path: Path, *, remembered: int, signed: int) -> None:
        super().__init__(
            f"{path} ends at size {remembered}, and there is a checkpoint of {signed}: "
            f"an old copy of it was restored. {_ADOPT}"
        )


class StateLost(StateUnusable):
    """Checkpoints were signed, and there is no memory of them."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"there is no {path}, and checkpoints were signed before. {_ADOPT}")


_ADOPT = (
    "Find the newest checkpoint kept outside (published, at a witness, on paper) and run "
    "`manage.py signer --adopt <file>`"
)
