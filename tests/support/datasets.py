"""Buckets as folders, for datasets."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.datasets.records import LoadKey


@dataclass(frozen=True)
class FolderForm:
    url: str
    fields: dict[str, str]


@dataclass
class FolderFiles:
    folder: Path
    stored: list[str] = field(default_factory=list)
    form_seconds: int = 3_600

    def upload(self, key: LoadKey, text: str) -> None:
        self._path(key, "upload").write_text(text, encoding="utf-8")

    def form(self, key: LoadKey) -> FolderForm:
        return FolderForm("https://uploads.test/", {"key": self._path(key, "upload").name})

    def link(self, key: LoadKey, name: str, file_name: str) -> str:
        return f"https://results.test/{self._path(key, name).name}?as={file_name}"

    def delete(self, keys: Sequence[LoadKey]) -> None:
        for key in keys:
            for found in self.folder.glob(f"{key.tenant_id}-{key.dataset_id}-{key.load_id}-*"):
                found.unlink()

    def fetch_upload(self, key: LoadKey, target: Path) -> None:
        shutil.copy(self._path(key, "upload"), target)

    def fetch_result(self, key: LoadKey, name: str, target: Path) -> bool:
        found = self._path(key, name)
        if found.exists():
            shutil.copy(found, target)
        return found.exists()

    def store_result(self, key: LoadKey, name: str, source: Path) -> None:
        shutil.copy(source, self._path(key, name))
        self.stored.append(name)

    def _path(self, key: LoadKey, name: str) -> Path:
        return self.folder / f"{key.tenant_id}-{key.dataset_id}-{key.load_id}-{name}"
