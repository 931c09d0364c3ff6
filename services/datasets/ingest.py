"""Takes an uploaded file to the end: inspected, loaded, its points copied. Any step may be repeated."""

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from services.datasets.domain import DATA, REJECTS, FileRefusedError, Recipe, RowsLostError
from services.datasets.inspection import inspect
from services.datasets.loading import load
from services.datasets.points import Points, open_points
from services.datasets.records import DatasetLoad, LoadKey, LoadState
from services.datasets.store import DatasetStore
from services.shared.errors import TransientError

CHUNK_ROWS: Final = 50_000
"""Rows of the file whose points are written in one transaction."""


class OutOfTimeError(TransientError):
    """The invocation ends before the load does; the next one goes on where this one stopped."""


class Files(Protocol):
    def fetch_upload(self, key: LoadKey, target: Path) -> None: ...

    def fetch_result(self, key: LoadKey, name: str, target: Path) -> bool:
        """Download a result of an earlier attempt; False if there is none."""
        ...

    def store_result(self, key: LoadKey, name: str, source: Path) -> None: ...


class Ingest:
    def __init__(
        self,
        store: DatasetStore,
        files: Files,
        *,
        out_of_time: Callable[[], bool] = lambda: False,
        chunk_rows: int = CHUNK_ROWS,
    ) -> None:
        self._store = store
        self._files = files
        self._out_of_time = out_of_time
        self._chunk_rows = chunk_rows

    def handle(self, key: LoadKey) -> DatasetLoad | None:
        """Take a load as far as it goes without a person; return it, None if it is gone."""
        found = self._store.load(key)
        if found is None:
            return None
        try:
            with tempfile.TemporaryDirectory(prefix="pulsequeue-dataset-") as scratch:
                self._advance(found, Path(scratch))
        except (FileRefusedError, RowsLostError) as error:
            self._store.fail(key, str(error))
        return self._store.load(key)

    def _advance(self, found: DatasetLoad, folder: Path) -> None:
        key = found.key
        recipe = found.confirmed
        upload = folder / "upload"
        if found.state in {LoadState.WAITING, LoadState.UPLOADED}:
            self._files.fetch_upload(key, upload)
            recipe = self._look_at(found, upload)
        elif found.state == LoadState.READY:
            self._store.drop_replaced(key.tenant_id, key.dataset_id)
        elif found.state == LoadState.LOADING:
            if self._is_loaded_already(key, found.content_hash, recipe):
                return
        else:
            return
        if recipe is not None and found.state != LoadState.READY:
            self._load(key, recipe, upload, folder)

    def _look_at(self, found: DatasetLoad, upload: Path) -> Recipe | None:
        """Inspect the file; return the recipe if nobody has to confirm it."""
        key = found.key
        content_hash = _hash(upload)
        self._store.uploaded(key, upload.stat().st_size, content_hash)
        saved = self._saved_recipe(key) if found.automatic else None
        if saved is not None:
            if self._is_loaded_already(key, content_hash, saved):
                return None
            return saved if self._store.confirm(key, saved) else None
        inspection = inspect(upload)
        proposal = inspection.model_copy(update={"recipe": inspection.recipe.timed()})
        self._store.inspected(key, proposal)
        if not found.automatic or proposal.questions:
            return None
        return proposal.recipe if self._store.confirm(key, proposal.recipe) else None

    def _saved_recipe(self, key: LoadKey) -> Recipe | None:
        current = self._store.current(key.tenant_id, key.dataset_id)
        return current.confirmed if current else None

    def _is_loaded_already(self, key: LoadKey, content_hash: str | None, recipe: Recipe | None) -> bool:
        current = self._store.current(key.tenant_id, key.dataset_id)
        if current is None or current.load_id == key.load_id or current.content_hash != content_hash:
            return False
        if current.confirmed != recipe:
            return False
        self._store.unchanged(key, current.load_id)
        return True

    def _load(self, key: LoadKey, recipe: Recipe, upload: Path, folder: Path) -> None:
        data = folder / DATA
        # The Parquet is stored last: with it the rows and their order are settled for every later attempt.
        stored = self._files.fetch_result(key, DATA, data)
        if not stored:
            if not upload.exists():
                self._files.fetch_upload(key, upload)
            result = load(upload, recipe, folder)
            upload.unlink()
        with open_points(recipe, data) as points:
            if not stored:
                self._files.store_result(key, REJECTS, folder / REJECTS)
                self._store.converted(key, result, points.series)
                self._files.store_result(key, DATA, data)
            self._copy(key, points)

    def _copy(self, key: LoadKey, points: Points) -> None:
        found = self._store.load(key)
        at: int | None = found.copied if found else None
        rows = found.loaded or 0 if found else 0
        while at is not None and at < rows:
            if self._out_of_time():
                raise OutOfTimeError(f"{at:,} of {rows:,} rows are copied")
            end = min(at + self._chunk_rows, rows)
            at = self._store.copy(key, at, end, points.chunk(at, end))
        if at is not None and self._store.finish(key, points.hours()) is not None:
            self._store.drop_replaced(key.tenant_id, key.dataset_id)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
