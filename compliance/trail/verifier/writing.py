"""Build the one byte form of an evidence bundle from its contents."""

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from importlib import resources

from compliance.trail.tlog import canonical, octets
from compliance.trail.verifier import container, report
from compliance.trail.verifier.contents import Contents, Entry

FORM = "gmp-audit/evidence-bundle"
VERSION = 1
# SHA-256 of the fixed texts that bundles had before: they verify for ever.
_FORMER_READMES = frozenset({"3c4c7a3f036065a51dbcbccd79e63dce3b4176fef30f1781d1ff73c8b205aae9"})


def bundle(contents: Contents) -> bytes:
    """Return the file for the inspector."""
    return container.write(files(contents))


def files(contents: Contents) -> dict[str, bytes]:
    """Return the files of the bundle, by name."""
    named = body_files(contents) | {
        "README.txt": readme(),
        "report.html": report.render(contents),
    }
    return named | {"manifest.json": manifest(contents, named)}


def body_files(contents: Contents) -> dict[str, bytes]:
    """Return the files that carry evidence, without manifest and without what is for people."""
    named = {
        "completeness.json": canonical.dumps(_completeness(contents)),
        "consistency.json": canonical.dumps(_consistency(contents)),
        "entries.jsonl": b"".join(canonical.dumps(_line(one)) + b"\n" for one in contents.entries),
        "openings.json": canonical.dumps(_openings(contents)),
    }
    for size, signed in contents.checkpoints.items():
        named[f"checkpoints/{size}.note"] = signed.note
    for size, stamp in contents.timestamps.items():
        named[f"timestamps/{size}.tsr"] = stamp.response
        if stamp.note is not None:
            named[f"timestamps/{size}.note"] = stamp.note
    for name, data in (
        ("policy.txt", contents.policy),
        ("tsa.pem", contents.authorities),
        ("verifier.pyz", contents.verifier),
    ):
        if data is not None:
            named[name] = data
    return named


def manifest(contents: Contents, named: Mapping[str, bytes]) -> bytes:
    """Return the manifest over all other files."""
    subject = contents.subject
    first_last = subject.range and {"first": subject.range[0], "last": subject.range[1]}
    return canonical.dumps(
        {
            "created_at": moment(contents.created_at),
            "files": [
                {"name": name, "sha256": sha256(named[name]).hexdigest(), "size": len(named[name])}
                for name in sorted(named)
            ],
            "form": FORM,
            "origin": contents.origin,
            "subject": {
                "description": subject.description,
                "kind": str(subject.kind),
                "range": first_last,
                "records": [{"record": name, "record_id": id_} for name, id_ in subject.records],
                "title": subject.title,
            },
            "tree_size": contents.tree_size,
            "v": VERSION,
        }
    )


def is_readme(data: bytes) -> bool:
    """Say whether this is the fixed text, or one that bundles had before."""
    return data == readme() or sha256(data).hexdigest() in _FORMER_READMES


def readme() -> bytes:
    """Return the text that every bundle begins with."""
    return resources.files("compliance.trail.verifier").joinpath("readme.txt").read_bytes()


def moment(at: datetime) -> str:
    """Return a time in the one form in which the trail writes them."""
    # Not strftime: whether %Y fills up with zeros depends on the platform.
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _line(entry: Entry) -> canonical.Value:
    try:
        body = {"body": entry.body.decode()}
    except UnicodeDecodeError:  # planted, and to be shown as it is
        body = {"body_base64": octets.to_base64(entry.body)}
    return body | {
        "digest": entry.digest.hex(),
        "index": entry.index,
        "previous": entry.previous.hex(),
        "proof": _hexes(entry.proof),
    }


def _consistency(contents: Contents) -> canonical.Value:
    return {
        str(size): _hexes(signed.consistency)
        for size, signed in contents.checkpoints.items()
        if size != contents.tree_size
    }


def _completeness(contents: Contents) -> canonical.Value:
    return {
        "buckets": [
            {
                "bucket": bucket.number,
                "heads": [head.members() for head in bucket.heads],
                "proof": _hexes(bucket.proof),
            }
            for bucket in contents.completeness.buckets
        ],
        "seal": contents.completeness.seal,
        "v": VERSION,
    }


def _openings(contents: Contents) -> canonical.Value:
    return [
        {"index": one.index, "path": one.path, "salt": one.salt.hex(), "value": one.value}
        for one in contents.openings
    ]


def _hexes(hashes: tuple[bytes, ...]) -> list[canonical.Value]:
    return [one.hex() for one in hashes]
