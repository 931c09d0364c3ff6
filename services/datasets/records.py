"""A dataset and its loads, as the database holds them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from services.datasets.domain import Inspection, Recipe, Reject

TOTAL: Final = ""
"""The dimension that all points belong to."""


class LoadState(StrEnum):
    WAITING = "waiting"
    """For the file."""
    UPLOADED = "uploaded"
    INSPECTED = "inspected"
    """Waits until somebody confirms how it is read."""
    LOADING = "loading"
    READY = "ready"
    REPLACED = "replaced"
    """By a later load of the same dataset."""
    UNCHANGED = "unchanged"
    """The same file, read in the same way, is loaded already."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LoadKey:
    tenant_id: str
    dataset_id: str
    load_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetLoad:
    """One upload of a dataset, and what became of it. The names are the table's."""

    tenant_id: str
    dataset_id: str
    load_id: int
    state: str
    file_name: str
    automatic: bool
    created_by: str
    bytes: int | None
    content_hash: str | None
    inspection: Mapping[str, Any] | None
    recipe: Mapping[str, Any] | None
    records: int | None
    loaded: int | None
    rejected: int | None
    first_rejects: Sequence[Mapping[str, Any]] | None
    copied: int
    reason: str | None
    kpis: Sequence[str]
    dimensions: Sequence[str]
    first_at: datetime | None
    last_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @property
    def key(self) -> LoadKey:
        return LoadKey(self.tenant_id, self.dataset_id, self.load_id)

    @property
    def proposal(self) -> Inspection | None:
        return Inspection.model_validate(self.inspection) if self.inspection else None

    @property
    def confirmed(self) -> Recipe | None:
        return Recipe.model_validate(self.recipe) if self.recipe else None

    @property
    def rejects(self) -> Sequence[Reject]:
        return [Reject.model_validate(it) for it in self.first_rejects or ()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    tenant_id: str
    dataset_id: str
    name: str
    created_by: str
    loads: int
    current_load: int | None
    recipe: Mapping[str, Any] | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Series:
    """What a loaded file has: numbers, the texts that divide them, and when they are."""

    kpis: Sequence[str]
    dimensions: Sequence[str]
    months: Sequence[date]
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class Chunk:
    """Points of one KPI from some rows; each column is an array in the notation of PostgreSQL."""

    kpi: str
    rows: str
    at: str
    values: str
    dimensions: str


@dataclass(frozen=True, slots=True)
class Hour:
    kpi: str
    dimension: str
    hour: datetime
    member: str
    count: int
    sum: float
    min: float
    max: float
