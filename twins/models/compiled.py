"""Compile numeric functions: the same bits in every process, the compilation kept between them.

What numba keeps of a function is renewed when its own file changes, not when a function that it calls
changes: a stale result would be wrong without a sign. So it is kept under the digest of all sources.
"""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar

from numba import config, njit

from twins.models import documents

Function = TypeVar("Function", bound=Callable[..., object])


@cache
def _folder() -> str | None:
    """Return where compilations of these sources are kept; None where nothing can be written."""
    folder = Path(__file__).parent / "__pycache__" / f"compiled-{documents.code_digest()[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return str(folder) if os.access(folder, os.W_OK) else None


def compiled(function: Function) -> Function:
    """Compile without relaxed arithmetic, without threads, and without the interpreter's lock."""
    folder, before = _folder(), config.CACHE_DIR
    config.CACHE_DIR = folder or before
    try:
        made: Function = njit(cache=folder is not None, fastmath=False, nogil=True)(function)
    finally:
        config.CACHE_DIR = before
    return made
