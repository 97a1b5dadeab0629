"""Keep the files that belong to records under their digest, and prove them by it."""

import hashlib
import io
import os
import re
import secrets
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.backends.utils import CursorWrapper

from compliance.refusals import Refused
from compliance.trail import durable, recording, unfinished
from compliance.trail.actions import Action
from compliance.trail.bulk_seals import Broken
from compliance.trail.models import Attachment
from compliance.trail.recording import Actor

_CHUNK = 1 << 20
_INCOMING = "incoming-"
_RECORDED = "SELECT id, sha256, size, filename FROM public.trail_attachment ORDER BY id"
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,49}/[a-z0-9][a-z0-9!#$&^_.+-]{0,48}")
# Characters that let a name look like another one: controls, halves of pairs, changes of direction.
_MISLEADING = {"Cc", "Cs"}
_DIRECTIONS = set("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class AttachmentInvalid(Refused):
    code = "attachment-invalid"
    status = 422


class AttachmentTooLarge(Refused):
    code = "attachment-too-large"
    status = 413


class AttachmentAltered(Refused):
    """The stored file is not the one that was recorded, or is gone."""

    code = "attachment-altered"


def add(
    content: BinaryIO, *, filename: str, media_type: str, subject: str, actor: Actor,
    at: datetime, reason: str,
) -> Attachment:  # fmt: skip
    """Store a file and record it; the same file given twice to a subject is stored once.

    Raise `AttachmentInvalid`, `AttachmentTooLarge`, or `AttachmentAltered` when a file with this
    digest is there and is another one. The file is on the disk before its record is written: a
    crash between the two leaves a file that nobody names, never a record without its file.
    """
    _demand_plain(filename, media_type, subject)
    sha256, size = _store(content)
    given = {"subject": subject, "filename": filename, "sha256": sha256}
    if kept := Attachment.objects.filter(**given).first():
        return kept
    with recording.recording(Action.ATTACHED, actor=actor, at=at, reason=reason):
        try:
            with transaction.atomic():
                return Attachment.objects.create(
                    **given, size=size, media_type=media_type, recorded_at=at
                )
        except IntegrityError:  # somebody sent the same at the same time
            return Attachment.objects.get(**given)


def open_(attachment: Attachment) -> io.BytesIO:
    """Return a file's content after comparing all of it with its record."""
    content = io.BytesIO()
    _check(attachment, content)
    content.seek(0)
    return content


def broken(cursor: CursorWrapper) -> Iterator[Broken]:
    """Yield every attachment whose file was altered or is gone."""
    cursor.execute(_RECORDED)
    for pk, sha256, size, filename in cursor.fetchall():
        attachment = Attachment(pk=pk, sha256=sha256, size=size, filename=filename)
        try:
            _check(attachment, None)
        except AttachmentAltered as altered:
            yield Broken(record=f"trail_attachment {attachment.pk}", message=str(altered))


def path_of(sha256: str) -> Path:
    """Return where the file with this digest is."""
    return Path(settings.ATTACHMENTS_DIR) / sha256[:2] / sha256[2:4] / sha256


def _demand_plain(filename: str, media_type: str, subject: str) -> None:
    if not 0 < len(filename) <= 200 or filename in (".", "..") or filename != filename.strip():
        raise AttachmentInvalid("a file name has 1 to 200 characters, and no spaces around it")
    if any(
        one in "/\\" or one in _DIRECTIONS or unicodedata.category(one) in _MISLEADING
        for one in filename
    ):
        raise AttachmentInvalid("a file name has no slashes, control or direction characters")
    if not _MEDIA_TYPE.fullmatch(media_type):
        raise AttachmentInvalid("a media type is written as type/subtype, in lower case")
    if not 0 < len(subject) <= 200:
        raise AttachmentInvalid("an attachment names its subject in 1 to 200 characters")


def _store(content: BinaryIO) -> tuple[str, int]:
    """Write a file under its digest, whole and on the disk, unless it is there; never over one."""
    root = Path(settings.ATTACHMENTS_DIR)
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished.clear(root, _INCOMING)
    with unfinished.beside(root / f"{_INCOMING}{secrets.token_hex(8)}", mode=0o400) as fresh:
        sha256, size = _copy(content, fresh.file)
        fresh.settle()
        path = path_of(sha256)
        _make_folders(root, path.parent)
        try:
            path.hardlink_to(fresh.path)  # unlike a rename, never overwrites
        except FileExistsError:
            if _digest(path, size, None) != sha256:
                raise AttachmentAltered(
                    f"another file is stored under the digest {sha256}; run `trail verify`"
                ) from None
        durable.sync(path.parent)
    return sha256, size


def _copy(content: BinaryIO, file: BinaryIO) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    most = settings.ATTACHMENT_MAX_BYTES
    while chunk := content.read(_CHUNK):
        size += len(chunk)
        if size > most:
            raise AttachmentTooLarge(f"an attachment has at most {most // 1024} KiB")
        digest.update(chunk)
        file.write(chunk)
    return digest.hexdigest(), size


def _make_folders(root: Path, folder: Path) -> None:
    for one in (folder.parent, folder):
        if not one.is_dir():
            one.mkdir(exist_ok=True, mode=0o700)
            durable.sync(one.parent)
    durable.sync(root)


def _check(attachment: Attachment, into: BinaryIO | None) -> None:
    """Compare a file with its record, copying what is compared: it may change the moment after."""
    try:
        found = _digest(path_of(attachment.sha256), attachment.size, into)
    except OSError as error:
        raise AttachmentAltered(
            f"the file of {attachment} cannot be read ({error.strerror}); restore it from a backup"
        ) from error
    if found != attachment.sha256:
        raise AttachmentAltered(
            f"the file of {attachment} is not the one that was recorded; restore it from a backup"
        )


def _digest(path: Path, size: int, into: BinaryIO | None) -> str:
    """Return the digest of a file, or nothing when its size is another one already."""
    digest = hashlib.sha256()
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        if os.fstat(file.fileno()).st_size != size:
            return ""
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            if into is not None:
                into.write(chunk)
    return digest.hexdigest()
