"""What an export wrote: per table a manifest, with the file, the rows and the sums of each day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from services.shared.errors import PulseQueueError


class ManifestUnreadableError(PulseQueueError):
    """A manifest is damaged, or was written by a later release."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Rows, and the sum of every summed column."""

    rows: int = 0
    sums: Mapping[str, Decimal] = field(default_factory=dict)

    def differences(self, other: "Totals") -> Sequence[str]:
        """Return what differs: `rows`, or names of columns."""
        names = sorted({*self.sums, *other.sums})
        differing = [name for name in names if self.sums.get(name, 0) != other.sums.get(name, 0)]
        return [*(["rows"] if self.rows != other.rows else []), *differing]


class _Model(BaseModel):
    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, populate_by_name=True, serialize_by_alias=True
    )


class ExportedDay(_Model):
    """The file of one table and day."""

    day: date
    version: str
    """When the snapshot was taken; a later one is greater."""
    file: str
    bytes: int
    sha256: str
    shape: str
    """Of the table's columns when the file was written."""
    rows: int
    sums: Mapping[str, Decimal]

    @property
    def totals(self) -> Totals:
        return Totals(self.rows, self.sums)


class Manifest(_Model):
    """All days of a table. Files that it does not name do not count."""

    format: int = 1
    table: str
    days: tuple[ExportedDay, ...] = ()

    @property
    def by_day(self) -> Mapping[date, ExportedDay]:
        return {it.day: it for it in self.days}

    def with_days(self, written: Sequence[ExportedDay]) -> "Manifest":
        days = {**self.by_day, **{it.day: it for it in written}}
        return self.model_copy(update={"days": tuple(days[day] for day in sorted(days))})


def parse_manifest(table: str, content: bytes) -> Manifest:
    try:
        found = Manifest.model_validate_json(content)
    except ValidationError as error:
        raise ManifestUnreadableError(
            f"the manifest of {table} cannot be read; remove it, then export again."
        ) from error
    if found.format != 1 or found.table != table:
        raise ManifestUnreadableError(
            f"the manifest of {table} has format {found.format} of table {found.table}; "
            "use the release that wrote it, or remove it and export again."
        )
    return found
