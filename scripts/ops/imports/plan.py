"""What an import would do: the events of a file, the rows that it refuses, and its sums."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from scripts.ops.imports import values
from scripts.ops.imports.mapping import FileMapping, Kind, Understood
from scripts.ops.imports.records import Record, RejectedRecord
from scripts.ops.imports.values import ValueRefusedError

if TYPE_CHECKING:
    from decimal import Decimal

    from services.datasets.domain import DateOrder, DecimalMark
    from services.shared.events import Event

T = TypeVar("T")
R = TypeVar("R")

NOT_YET: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands in events until the import begins, which is when they occur."""
_USAGE: Final = 2


class RowRefusedError(Exception):
    """A record does not fit; with its column, as far as there is one."""

    def __init__(self, reason: str, column: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.column = column


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the fields of a record as exact values."""

    understood: Understood
    mapping: FileMapping
    words: Mapping[str, str]
    date_order: "DateOrder"
    decimal: "DecimalMark"

    def text(self, record: Record, name: str) -> str | None:
        column = self.understood.columns.get(name)
        value = record.cells.get(column) if column else None
        return value if value is not None else self.mapping.constants.get(name)

    def required(self, record: Record, name: str) -> str:
        value = self.text(record, name)
        if value is None:
            raise RowRefusedError("empty", self.column(name))
        return value

    def number(self, record: Record, name: str) -> "Decimal | None":
        text = self.text(record, name)
        return None if text is None else self._read(name, text, lambda it: values.number(it, self.decimal))

    def minor(self, record: Record, name: str, currency: str) -> int | None:
        value = self.number(record, name)
        return None if value is None else self._read(name, value, lambda it: values.minor(it, currency))

    def moment(self, record: Record, name: str) -> datetime | None:
        text = self.text(record, name)
        return None if text is None else self._read(name, text, lambda it: values.moment(it, self.date_order))

    def word(self, name: str, text: str) -> str:
        """Return what a word of the file means."""
        meaning = self.words.get(text.lower())
        if meaning is None:
            raise RowRefusedError(
                f"unknown {name}; say what it means with --word {text!r}=...", self.column(name)
            )
        return meaning

    def column(self, name: str) -> str:
        return self.understood.columns.get(name, name)

    def _read(self, name: str, value: T, read: Callable[[T], R]) -> R:
        try:
            return read(value)
        except ValueRefusedError as error:
            raise RowRefusedError(str(error), self.column(name)) from error


@dataclass
class Sums:
    """Of one currency."""

    subjects: int = 0
    revenue_minor: int = 0
    refunded_minor: int = 0


@dataclass
class Plan:
    kind: Kind
    tenant_id: str
    import_id: str
    file_name: str
    mapping: Mapping[str, Any]
    reader: Reader
    records: int
    rejects: list[RejectedRecord] = field(default_factory=list)
    subjects: "list[list[Event]]" = field(default_factory=list)
    """The events of each order, or of each subscription."""
    sums: dict[str, Sums] = field(default_factory=dict)
    events_at_once: int = 1_000

    @property
    def loaded(self) -> int:
        return self.records - len(self.rejects)

    def of_currency(self, currency: str) -> Sums:
        return self.sums.setdefault(currency, Sums())

    def reject(self, record: Record, reason: str, column: str = "") -> None:
        raw = record.cells.get(column, "")
        self.rejects.append(RejectedRecord(record.line, column, reason, raw))

    def chunks(self) -> "Iterator[list[Event]]":
        """Divide the events, those of a subject together; the same plan gives the same chunks."""
        chunk: list[Event] = []
        for events in self.subjects:
            if chunk and len(chunk) + len(events) > self.events_at_once:
                yield chunk
                chunk = []
            chunk += events
        if chunk:
            yield chunk


def faults(error: "Sequence[Mapping[str, Any]]") -> str:
    """Return what is wrong with an event in a few words."""
    first = error[0]
    where = ".".join(str(part) for part in first["loc"] if not isinstance(part, int))
    message = str(first["msg"]).removeprefix("Value error, ")
    return f"{where}: {message}" if where else message
