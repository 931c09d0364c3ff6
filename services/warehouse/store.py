"""Where exported files are kept: the port, and what lies where."""

import hashlib
import os
import shutil
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Protocol

from services.shared.errors import PulseQueueError
from services.warehouse.manifest import Manifest, parse_manifest


class MissingFileError(PulseQueueError):
    """A key that should have a file has none."""


class ExportStore(Protocol):
    """Keys with contents, each replaced as a whole."""

    def keys(self, prefix: str) -> Sequence[str]: ...
    def read(self, key: str) -> bytes: ...
    def write(self, key: str, content: bytes) -> None: ...
    def upload(self, key: str, path: Path) -> None: ...
    def fetch(self, key: str, folder: Path) -> Path:
        """Return a local path of the content; a copy is put into the folder."""
        ...

    def delete(self, keys: Iterable[str]) -> None: ...


class FolderStore:
    """An export in a folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keys(self, prefix: str) -> Sequence[str]:
        root = self.folder / prefix
        found = (path for path in root.rglob("*") if path.is_file() and path.suffix != ".draft")
        return sorted(path.relative_to(self.folder).as_posix() for path in found)

    def read(self, key: str) -> bytes:
        try:
            return (self.folder / key).read_bytes()
        except FileNotFoundError as error:
            raise MissingFileError(f"{key} is missing.") from error

    def write(self, key: str, content: bytes) -> None:
        draft = self._draft(key)
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.folder / key)

    def upload(self, key: str, path: Path) -> None:
        draft = self._draft(key)
        shutil.copyfile(path, draft)
        draft.replace(self.folder / key)

    def fetch(self, key: str, folder: Path) -> Path:  # noqa: ARG002 - it needs no copy
        path = self.folder / key
        if not path.is_file():
            raise MissingFileError(f"{key} is missing.")
        return path

    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            (self.folder / key).unlink(missing_ok=True)

    def _draft(self, key: str) -> Path:
        path = self.folder / f"{key}.draft"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


FILES = "files"
MANIFESTS = "manifests"


def file_key(table: str, day: date, version: str) -> str:
    """Return the key of a file; no two exports share one."""
    return f"{FILES}/{table}/export_day={day.isoformat()}/{version}.parquet"


def manifest_key(table: str) -> str:
    return f"{MANIFESTS}/{table}.json"


def read_manifest(store: ExportStore, table: str) -> Manifest:
    """Return the manifest of a table; an empty one before its first export."""
    try:
        content = store.read(manifest_key(table))
    except MissingFileError:
        return Manifest(table=table)
    return parse_manifest(table, content)


def write_manifest(store: ExportStore, manifest: Manifest) -> None:
    store.write(manifest_key(manifest.table), manifest.model_dump_json(indent=1).encode())


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
