"""Read the manifest of a bundle and hold its files against it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from compliance.trail.tlog import shapes
from compliance.trail.verifier import container, writing
from compliance.trail.verifier.contents import Kind, Subject
from compliance.trail.verifier.findings import Malformed

NAME = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a bundle is about, and of which log."""

    origin: str
    tree_size: int
    created_at: datetime
    subject: Subject


def read(value: object, files: Mapping[str, bytes]) -> Manifest:
    """Return the manifest of these files, or raise `Wrong` or `Malformed`."""
    names = ("created_at", "files", "form", "origin", "subject", "tree_size", "v")
    members = shapes.members(value, names)
    shapes.version(members["v"], writing.VERSION)
    if members["form"] != writing.FORM:
        raise shapes.Wrong("not of an evidence bundle")
    _check_files(members["files"], files)
    size = shapes.whole(members["tree_size"], least=1)
    return Manifest(
        origin=shapes.text(members["origin"], filled=True),
        tree_size=size,
        created_at=shapes.moment(members["created_at"]),
        subject=_subject(members["subject"], size),
    )


def _check_files(value: object, files: Mapping[str, bytes]) -> None:
    listed = [shapes.members(one, ("name", "sha256", "size")) for one in shapes.array(value)]
    names = [shapes.text(one["name"]) for one in listed]
    shapes.ascending(names, "files")
    for name in sorted(set(names) ^ (set(files) - {NAME})):
        raise Malformed("absent, or not in the manifest", file=name)
    for one in listed:
        name, digest = one["name"], shapes.hex32(one["sha256"])
        data = files[name]
        if shapes.whole(one["size"], most=container.MAX_BYTES) != len(data):
            raise Malformed(f"has {len(data)} bytes, not {one['size']}", file=name)
        if sha256(data).digest() != digest:
            raise Malformed("was changed: not the SHA-256 of the manifest", file=name)


def _subject(value: object, size: int) -> Subject:
    members = shapes.members(value, ("description", "kind", "range", "records", "title"))
    records = tuple(_record(one) for one in shapes.array(members["records"]))
    shapes.ascending(list(records), "records")
    try:
        kind = Kind(shapes.text(members["kind"]))
    except ValueError as error:
        raise shapes.Wrong("not a kind of subject") from error
    if (kind is Kind.PERIOD) != (members["range"] is not None):
        raise shapes.Wrong("a period has a range, and nothing else has")
    # Else who forwards a bundle takes its claims back, and leaves out what he likes.
    if kind in (Kind.RECORD, Kind.BATCH) and not records:
        raise shapes.Wrong(f"a bundle of the kind {kind} names at least one record")
    return Subject(
        kind=kind,
        title=shapes.text(members["title"]),
        description=shapes.text(members["description"]),
        records=records,
        range=_range(members["range"], size),
    )


def _record(value: object) -> tuple[str, str]:
    members = shapes.members(value, ("record", "record_id"))
    return (
        shapes.text(members["record"], filled=True),
        shapes.text(members["record_id"], filled=True),
    )


def _range(value: object, size: int) -> tuple[int, int] | None:
    if value is None:
        return None
    members = shapes.members(value, ("first", "last"))
    first = shapes.whole(members["first"])
    return first, shapes.whole(members["last"], least=first, most=size - 1)
