"""Write rows of the log with PostgreSQL's binary COPY, packed many at a time."""

import struct
from collections.abc import Callable, Iterable

from django.db.backends.utils import CursorWrapper

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
Pack = Callable[..., bytes]


def write(cursor: CursorWrapper, target: str, packed: Iterable[bytes]) -> None:
    """Write packed rows into a table, which is given with its columns; raise Django's errors."""
    with (
        cursor.db.wrap_database_errors,
        cursor.copy(f"COPY {target} FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.write(_HEADER + b"".join(packed) + _TRAILER)


def packer(form: str) -> Pack:
    """Return a function that packs one row of columns of fixed size.

    `form` has one struct format a column: "h" smallint, "q" bigint, "32s" a hash.
    """
    kinds = form.split()
    pack = struct.Struct(">h" + "".join(f"i{kind}" for kind in kinds)).pack
    names = [f"c{number}" for number in range(len(kinds))]
    columns = ", ".join(
        f"{struct.calcsize(f'>{kind}')}, {name}" for kind, name in zip(kinds, names, strict=True)
    )
    # Built once: the sizes become constants of the call instead of work for each row.
    source = f"lambda {', '.join(names)}: pack({len(kinds)}, {columns})"
    made: Pack = eval(source, {"pack": pack})  # noqa: S307 -- of numbers and our own names
    return made
