"""Read the files of a bundle strictly: whatever the builder would not have written is refused."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from compliance.trail.tlog import canonical, certificates, note, octets, shapes
from compliance.trail.tlog.certificates import NotCertificates
from compliance.trail.tlog.checkpoint import CheckpointInvalid
from compliance.trail.tlog.heads import Bucket, Head, HeadsInvalid
from compliance.trail.verifier import container, manifests, report, writing
from compliance.trail.verifier.contents import (
    Completeness,
    Contents,
    Entry,
    Opening,
    Signed,
    TimeStamp,
)
from compliance.trail.verifier.findings import Malformed


def read(files: Mapping[str, bytes]) -> Contents:
    """Return what a bundle says, nothing verified, or raise `Malformed`."""
    for name in sorted(container.REQUIRED - set(files)):
        raise Malformed("absent", file=name)
    for name in files:
        if not container.is_name(name):
            raise Malformed(f"a bundle has no file {name[:80]!r}")
    with _in(manifests.NAME):
        manifest = manifests.read(canonical.loads(files[manifests.NAME]), files)
    contents = Contents(
        origin=manifest.origin,
        tree_size=manifest.tree_size,
        created_at=manifest.created_at,
        subject=manifest.subject,
        entries=_entries(files["entries.jsonl"], manifest.tree_size),
        checkpoints=_checkpoints(files, manifest),
        completeness=_completeness(files["completeness.json"]),
        openings=_openings(files["openings.json"]),
        timestamps=_timestamps(files),
        policy=files.get("policy.txt"),
        authorities=files.get("tsa.pem"),
        verifier=files.get("verifier.pyz"),
    )
    _check_stamped(contents)
    _check_authorities(contents)
    _check_written_again(contents, files)
    return contents


def _check_written_again(contents: Contents, files: Mapping[str, bytes]) -> None:
    """Refuse what the fields above may have let through: one comparison for all."""
    for name, data in writing.body_files(contents).items():
        if files[name] != data:
            raise Malformed("not in the form in which bundles are written", file=name)
    if not writing.is_readme(files["README.txt"]):
        raise Malformed("not the text of this version", file="README.txt")
    if files["report.html"] != report.render(contents):
        raise Malformed("does not show what the other files say", file="report.html")


@contextmanager
def _in(file: str, index: int | None = None) -> Iterator[None]:
    """Give what goes wrong inside its place."""
    try:
        yield
    except Malformed:
        raise
    except (
        *(canonical.NotCanonical, shapes.Wrong, HeadsInvalid, CheckpointInvalid),
        NotCertificates,
    ) as error:
        raise Malformed(str(error), file=file, index=index) from error
    except note.NoteInvalid as error:
        raise Malformed(f"not a signed note: {error}", file=file) from error


def _entries(data: bytes, tree_size: int) -> tuple[Entry, ...]:
    *lines, rest = data.split(b"\n")
    with _in("entries.jsonl"):
        if rest:
            raise shapes.Wrong("the last line does not end in a newline")
        entries = tuple(_entry(line, number, tree_size) for number, line in enumerate(lines))
        shapes.ascending([one.index for one in entries], "indices")
    return entries


def _entry(line: bytes, number: int, tree_size: int) -> Entry:
    index = None
    try:
        value = canonical.loads(line)
        coded = isinstance(value, dict) and "body_base64" in value
        body = "body_base64" if coded else "body"
        members = shapes.members(value, (body, "digest", "index", "previous", "proof"))
        index = shapes.whole(members["index"], most=tree_size - 1)
        return Entry(
            index=index,
            body=_octets(members[body]) if coded else shapes.text(members[body]).encode(),
            digest=shapes.hex32(members["digest"]),
            previous=shapes.hex32(members["previous"]),
            proof=shapes.hashes(members["proof"]),
        )
    except (canonical.NotCanonical, shapes.Wrong) as error:
        message = f"line {number + 1}: {error}"
        raise Malformed(message, file="entries.jsonl", index=index) from error


def _octets(value: object) -> bytes:
    try:
        return octets.from_base64(shapes.text(value))
    except ValueError as error:
        raise shapes.Wrong(str(error)) from error


def _checkpoints(files: Mapping[str, bytes], manifest: manifests.Manifest) -> Mapping[int, Signed]:
    with _in("consistency.json"):
        proofs = canonical.loads(files["consistency.json"])
        if not isinstance(proofs, dict):
            raise shapes.Wrong("not an object")
        steps = {size: shapes.hashes(value) for size, value in proofs.items()}
    found = {}
    for size, name in _sizes(files, "checkpoints/", ".note"):
        with _in(name):
            found[size] = Signed(note=files[name], consistency=steps.pop(str(size), ()))
            said = found[size].checkpoint()
            if (said.origin, said.size) != (manifest.origin, size) or size > manifest.tree_size:
                raise shapes.Wrong("not the checkpoint of this log that its name says")
    if manifest.tree_size not in found:
        raise Malformed("absent", file=f"checkpoints/{manifest.tree_size}.note")
    if steps:
        raise Malformed(f"no checkpoint of size {min(steps)}", file="consistency.json")
    return found


def _completeness(data: bytes) -> Completeness:
    with _in("completeness.json"):
        members = shapes.members(canonical.loads(data), ("buckets", "seal", "v"))
        shapes.version(members["v"], writing.VERSION)
        seal = None if members["seal"] is None else shapes.whole(members["seal"])
        buckets = tuple(_bucket(one) for one in shapes.array(members["buckets"]))
        shapes.ascending([one.number for one in buckets], "buckets")
        if seal is None and buckets:
            raise shapes.Wrong("buckets of no seal")
    return Completeness(seal=seal, buckets=buckets)


def _bucket(value: Any) -> Bucket:
    members = shapes.members(value, ("bucket", "heads", "proof"))
    return Bucket(
        number=shapes.whole(members["bucket"]),
        heads=tuple(Head.read(one) for one in shapes.array(members["heads"])),
        proof=shapes.hashes(members["proof"]),
    )


def _openings(data: bytes) -> tuple[Opening, ...]:
    with _in("openings.json"):
        openings = tuple(_opening(one) for one in shapes.array(canonical.loads(data)))
        shapes.ascending([(one.index, one.path, one.salt) for one in openings], "openings")
    return openings


def _opening(value: Any) -> Opening:
    members = shapes.members(value, ("index", "path", "salt", "value"))
    return Opening(
        index=shapes.whole(members["index"]),
        path=shapes.text(members["path"]),
        salt=shapes.hex32(members["salt"]),
        value=shapes.text(members["value"]),
    )


def _timestamps(files: Mapping[str, bytes]) -> Mapping[int, TimeStamp]:
    notes = dict(_sizes(files, "timestamps/", ".note"))
    found = {
        size: TimeStamp(response=files[name], note=files.get(notes.pop(size, "")))
        for size, name in _sizes(files, "timestamps/", ".tsr")
    }
    for name in notes.values():
        raise Malformed("a note without its time stamp", file=name)
    return found


def _check_stamped(contents: Contents) -> None:
    for size, stamp in contents.timestamps.items():
        if size not in contents.checkpoints:
            raise Malformed("a time stamp of no checkpoint", file=f"timestamps/{size}.tsr")
        if stamp.note is None:
            continue
        name = f"timestamps/{size}.note"
        with _in(name):
            if note.split(stamp.note)[0] != note.split(contents.checkpoints[size].note)[0]:
                raise shapes.Wrong("not the text of the checkpoint of this size")


def _check_authorities(contents: Contents) -> None:
    if contents.authorities is not None:
        with _in("tsa.pem"):
            certificates.encoded(contents.authorities)


def _sizes(files: Mapping[str, bytes], folder: str, suffix: str) -> Iterator[tuple[int, str]]:
    for name in files:
        if name.startswith(folder) and name.endswith(suffix):
            yield int(name.removeprefix(folder).removesuffix(suffix)), name
