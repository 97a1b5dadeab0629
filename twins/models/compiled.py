"""Compile numeric functions: the same bits in every process, the compilation kept between them.

What numba keeps of a function is renewed when its own file changes, not when a function that it calls
changes: a stale result would be wrong without a sign. So it is kept under the digest of all sources.
"""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba import njit

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
    settings = cast("Any", numba.config)
    folder, before = _folder(), settings.CACHE_DIR
    settings.CACHE_DIR = folder or before
    try:
        keep = folder is not None
        made = njit(cache=keep, fastmath=False, nogil=True, error_model="numpy")(function)
    finally:
        settings.CACHE_DIR = before
    return cast("Function", made)
