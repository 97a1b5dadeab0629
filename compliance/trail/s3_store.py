"""Put objects into a bucket with object lock, where nobody overwrites them before their time."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from compliance.trail import append_stores
from compliance.trail.append_stores import StoreUnusable


class S3Store:
    """A bucket whose objects nobody, its owner included, can overwrite before their time.

    Each object is put with If-None-Match and locked in COMPLIANCE mode.
    """

    def __init__(self, client: Any, bucket: str, prefix: str, *, retention: timedelta) -> None:
        self.name = f"s3://{bucket}/{prefix}"
        self._client, self._bucket, self._prefix = client, bucket, prefix
        self._retention = retention
        if _answer(self._lock_status) != "Enabled":
            raise StoreUnusable(
                f"{self.name}: the bucket has no object lock; it needs one at birth"
            )

    def put(self, key: str, data: bytes) -> bool:
        for _ in range(3):  # 409: somebody else is writing the same key at this moment
            code = _answer(lambda: self._put(key, data))
            if code is None:
                return True
            if code in {"PreconditionFailed", "412"}:
                return append_stores.same(self, key, self.get(key) or b"", data)
            if code != "ConditionalRequestConflict":
                break
        raise StoreUnusable(f"{self.name}: {key} was not stored ({code})")

    def get(self, key: str) -> bytes | None:
        # The first version is the one that was put: a later one hides it and changes nothing.
        versions, _ = self._versions(self._prefix + key)
        own = [one for one in versions if one["Key"] == self._prefix + key]
        if not own:
            return None
        first = own[-1]  # the newest is listed first
        answer = self._client.get_object(
            Bucket=self._bucket, Key=self._prefix + key, VersionId=first["VersionId"]
        )
        body: bytes = answer["Body"].read()
        return body

    def children(self, prefix: str) -> list[str]:
        full = f"{self._prefix}{prefix.rstrip('/')}/" if prefix else self._prefix
        # Of versions: what somebody put a delete marker on is there all the same.
        pages = self._client.get_paginator("list_object_versions").paginate(
            Bucket=self._bucket, Prefix=full, Delimiter="/"
        )
        found = set()
        for page in pages:
            found |= {one["Key"][len(full) :] for one in page.get("Versions", ())}
            found |= {one["Prefix"][len(full) :] for one in page.get("CommonPrefixes", ())}
        return sorted(found)

    def disturbed(self) -> Iterator[str]:
        versions, markers = self._versions(self._prefix)
        counts = Counter(one["Key"] for one in versions)
        many = {key for key, count in counts.items() if count > 1}
        for key in sorted(many | {one["Key"] for one in markers}):
            yield key[len(self._prefix) :]

    def _put(self, key: str, data: bytes) -> None:
        self._client.put_object(
            Bucket=self._bucket,
            Key=self._prefix + key,
            Body=data,
            IfNoneMatch="*",
            ChecksumAlgorithm="SHA256",
            ObjectLockMode="COMPLIANCE",
            ObjectLockRetainUntilDate=datetime.now(UTC) + self._retention,
        )

    def _versions(self, prefix: str) -> tuple[list[Any], list[Any]]:
        pages = self._client.get_paginator("list_object_versions").paginate(
            Bucket=self._bucket, Prefix=prefix
        )
        versions, markers = [], []
        for page in pages:
            versions += page.get("Versions", ())
            markers += page.get("DeleteMarkers", ())
        return versions, markers

    def _lock_status(self) -> str:
        answer = self._client.get_object_lock_configuration(Bucket=self._bucket)
        return str(answer["ObjectLockConfiguration"]["ObjectLockEnabled"])


def at(place: str, *, retention: timedelta) -> S3Store:
    """Open s3://bucket/prefix with the credentials of the environment."""
    try:
        import boto3  # an optional extra: only who exports to a bucket needs it
    except ImportError as error:
        raise StoreUnusable("GMP_EXPORT names a bucket: install boto3") from error
    url = urlsplit(place)
    prefix = url.path.strip("/")
    return S3Store(
        boto3.client("s3"), url.netloc, f"{prefix}/" if prefix else "", retention=retention
    )


def _answer(call: Callable[[], Any]) -> Any:
    """Return what a call returns, or the code of its error."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    except BotoCoreError as error:
        raise StoreUnusable(str(error)) from error
