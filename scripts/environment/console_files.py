"""The console's files in its bucket: published, compared with what is served, and rolled back.

Files with a hash in their name are shared by all releases. The others (index.html, config.json, …) are kept
for each release below releases/, and copied to where they are served from.
"""

from __future__ import annotations

import hashlib
import json
import mimetypes
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from pydantic import TypeAdapter

from scripts.common.errors import ToolError
from scripts.environment.feature_flags import FLAGS, flags_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

PAGE: Final = "index.html"
HASHED: Final = "assets/"
RECORD: Final = "releases/record.json"
_IMMUTABLE: Final = "public, max-age=31536000, immutable"
_CHECK_FIRST: Final = "no-cache"
"""Browsers and CloudFront keep the file, but ask each time whether it is still the newest."""
_THREADS: Final = 8
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class ConsoleRelease:
    """The files of one release: their SHA-256 by path."""

    id: str
    files: dict[str, str]

    @property
    def own(self) -> list[str]:
        """The paths that each release has of its own; the page last, since it refers to the others."""
        return sorted((it for it in self.files if not it.startswith(HASHED)), key=lambda it: (it == PAGE, it))


@dataclass(frozen=True, slots=True)
class ReleaseRecord:
    """What the bucket holds: the release that is served, and the one before."""

    current: ConsoleRelease | None = None
    previous: ConsoleRelease | None = None


_RECORD: Final = TypeAdapter(ReleaseRecord)


class ConsoleFiles:
    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def record(self) -> ReleaseRecord:
        try:
            body = self._s3.get_object(Bucket=self._bucket, Key=RECORD)["Body"].read()
        except self._s3.exceptions.NoSuchKey:
            return ReleaseRecord()
        return _RECORD.validate_json(body)

    def publish(self, files: Mapping[str, bytes]) -> ConsoleRelease | None:
        """Upload what is new, the page last; return the release, or None if it is served already."""
        release = _release_of(files)
        record = self.record()
        if record.current == release:
            return None
        known = {path for it in (record.current, record.previous) if it for path in it.files}
        new = [path for path in files if path.startswith(HASHED) and path not in known]
        _all(self._put, [(path, files[path]) for path in new])
        _all(self._put, [(_release_key(release, path), files[path]) for path in release.own])
        self._serve(release, ReleaseRecord(release, record.current))
        self._remove_older(record.previous, (release, record.current))
        return release

    def roll_back(self) -> ConsoleRelease:
        """Serve the release before the current one again; a second time returns to the newer one."""
        record = self.record()
        if record.previous is None:
            raise ToolError("there is no earlier release of the console to return to.")
        self._serve(record.previous, ReleaseRecord(record.previous, record.current))
        return record.previous

    def _serve(self, release: ConsoleRelease, record: ReleaseRecord) -> None:
        for path in release.own:
            self._s3.copy_object(
                Bucket=self._bucket,
                Key=path,
                CopySource={"Bucket": self._bucket, "Key": _release_key(release, path)},
                MetadataDirective="COPY",
            )
        self._put((RECORD, _RECORD.dump_json(record)))

    def _remove_older(self, older: ConsoleRelease | None, current: Iterable[ConsoleRelease | None]) -> None:
        if older is None or older in current:
            return
        served = {path for it in current if it for path in it.files}
        gone = [path for path in older.files if path.startswith(HASHED) and path not in served]
        gone += [_release_key(older, path) for path in older.own]
        _all(lambda key: self._s3.delete_object(Bucket=self._bucket, Key=key), gone)

    def _put(self, file: tuple[str, bytes]) -> object:
        path, content = file
        return self._s3.put_object(
            Bucket=self._bucket,
            Key=path,
            Body=content,
            ContentType=_content_type(path),
            CacheControl=_IMMUTABLE if path.startswith(HASHED) else _CHECK_FIRST,
        )


def _all(call: Callable[[_Item], object], items: Iterable[_Item]) -> None:
    with ThreadPoolExecutor(_THREADS) as pool:
        for future in [pool.submit(call, it) for it in items]:
            future.result()


def built_files(folder: Path) -> dict[str, bytes]:
    """Read the files of a build."""
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    if PAGE not in files:
        raise ToolError(f"{folder} holds no {PAGE}; build the console with `make web`.")
    return files


def settings_of(environment: str, today: date) -> dict[str, bytes]:
    """Return the files that tell the page where it runs, and which features are on for whom."""
    return {
        "config.json": json.dumps({"environment": environment}).encode(),
        "flags.json": flags_json(FLAGS, today),
    }


def _release_of(files: Mapping[str, bytes]) -> ConsoleRelease:
    hashes = {path: hashlib.sha256(content).hexdigest() for path, content in sorted(files.items())}
    return ConsoleRelease(hashlib.sha256(json.dumps(hashes).encode()).hexdigest()[:12], hashes)


def _release_key(release: ConsoleRelease, path: str) -> str:
    return f"releases/{release.id}/{path}"


def _content_type(path: str) -> str:
    if path.endswith(".js"):
        return "text/javascript"
    if path.endswith(".map"):
        return "application/json"
    return mimetypes.guess_type(path)[0] or "application/octet-stream"
