"""Compile numeric functions: the same bits in every process, the compilation kept between them."""

from collections.abc import Callable
from typing import TypeVar

from numba import njit

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compile without relaxed arithmetic, without threads, and without the interpreter's lock."""
    made: Function = njit(cache=True, fastmath=False, nogil=True)(function)
    return made
