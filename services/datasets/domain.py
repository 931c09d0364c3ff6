"""What is known of a file, how it is to be read, and what became of its rows; pure."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from services.shared.errors import PulseQueueError

DATA: Final = "data.parquet"
REJECTS: Final = "rejects.csv"
"""The files that a load makes."""
MAX_BYTES: Final = 512 * 1024 * 1024
MAX_COLUMNS: Final = 500
MAX_LINE: Final = 1_000_000
"""Characters of one line."""
FIRST_DAY: Final = "1970-01-01"
LAST_DAY: Final = "2099-12-31"
"""The days that rows of a time series may be of."""
ENCODINGS: Final = (
    *("utf-8", "utf-16", "utf-16-le", "utf-16-be", "cp1250", "cp1251", "cp1252", "iso-8859-1", "iso-8859-15"),
    *("shift_jis", "gb18030", "big5"),
)
DateOrder = Literal["ymd", "dmy", "mdy"]
DecimalMark = Literal[".", ","]


class FileRefusedError(PulseQueueError):
    """The file, or the recipe for it, cannot be used; nothing was loaded."""


class RowsLostError(PulseQueueError):
    """Two parsers count different records: nothing of this file may be used."""


class ColumnType(StrEnum):
    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    DATE = "date"
    TIMESTAMP = "timestamp"


TIMES: Final = (ColumnType.DATE, ColumnType.TIMESTAMP)


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Column(_Value):
    name: str
    type: ColumnType
    decimal: DecimalMark | None = None
    """Of numbers; None while it is not decided."""
    order: DateOrder | None = None
    """Of dates and timestamps; None while it is not decided."""

    @property
    def question(self) -> Literal["date-order", "decimal"] | None:
        """The option that decides what the values leave open."""
        if self.type is ColumnType.NUMBER and self.decimal is None:
            return "decimal"
        if self.type in {ColumnType.DATE, ColumnType.TIMESTAMP} and self.order is None:
            return "date-order"
        return None

    @property
    def expected(self) -> str:
        """What a value of this column looks like."""
        dates = {"ymd": "2026-12-31", "dmy": "31/12/2026", "mdy": "12/31/2026", None: "2026-12-31"}
        match self.type:
            case ColumnType.TEXT:
                return "a text without NUL characters"
            case ColumnType.INTEGER:
                return "a whole number such as 1234"
            case ColumnType.NUMBER:
                return f"a number such as 1234{self.decimal}56"
            case ColumnType.DATE:
                return f"a date such as {dates[self.order]}"
            case ColumnType.TIMESTAMP:
                return f"a date and time such as {dates[self.order]} 14:30"


class Recipe(_Value):
    """How to read a file, and the next ones of the same shape."""

    encoding: str
    delimiter: str
    quote: str = '"'
    escape: str = '"'
    skip_lines: int = 0
    """Lines before the header, or before the first row."""
    header: bool = True
    columns: Sequence[Column]
    time: str | None = None
    """The column that says when each row was; rows without it are rejected. None: they are no time series."""

    @model_validator(mode="after")
    def _is_usable(self) -> Self:
        if self.encoding not in ENCODINGS:
            raise ValueError(f"unknown encoding {self.encoding}; choose one of {', '.join(ENCODINGS)}")
        if any(len(mark) != 1 for mark in (self.delimiter, self.quote, self.escape)):
            raise ValueError("delimiter, quote and escape are one character each")
        names = [column.name for column in self.columns]
        if not names or len(set(names)) != len(names):
            raise ValueError("columns need a name each, and no name twice")
        if self.time is not None and self.time not in {it.name for it in self.columns if it.type in TIMES}:
            raise ValueError(f"{self.time} is no column of dates or times")
        return self

    @property
    def times(self) -> Sequence[str]:
        """The columns that could say when each row was."""
        return [column.name for column in self.columns if column.type in TIMES]

    def timed(self, time: str | None = None) -> "Recipe":
        """Return the recipe with this column of times; by default its own, or else the first."""
        if time is not None and time not in self.times:
            raise FileRefusedError(
                f"{time} is no column of dates or times; there are: {', '.join(self.times) or 'none'}"
            )
        kept = self.time if self.time in self.times else next(iter(self.times), None)
        return self.model_copy(update={"time": time or kept})

    def answered(
        self,
        orders: Mapping[str, DateOrder],
        decimals: Mapping[str, DecimalMark],
        types: Mapping[str, ColumnType],
    ) -> "Recipe":
        """Return the recipe with these decisions about columns."""
        unknown = {*orders, *decimals, *types} - {column.name for column in self.columns}
        if unknown:
            raise FileRefusedError(f"there is no column {', '.join(sorted(unknown))}")
        columns = []
        for column in self.columns:
            type_ = types.get(column.name, column.type)
            columns.append(
                Column(
                    name=column.name,
                    type=type_,
                    decimal=decimals.get(column.name, column.decimal) if type_ is ColumnType.NUMBER else None,
                    order=orders.get(column.name, column.order)
                    if type_ in {ColumnType.DATE, ColumnType.TIMESTAMP}
                    else None,
                )
            )
        return self.model_copy(update={"columns": tuple(columns)})


class Guess(_Value):
    """One decision, and why."""

    subject: str
    value: str
    reason: str


class Inspection(_Value):
    recipe: Recipe
    guesses: Sequence[Guess]
    sample: Sequence[Sequence[str | None]]

    @property
    def questions(self) -> Sequence[Column]:
        """Columns whose values can be read in two ways."""
        return [column for column in self.recipe.columns if column.question]


class Reject(_Value):
    """One fault. A record with two of them is rejected once."""

    line: int
    column: str
    reason: str
    expected: str
    raw: str


class LoadResult(_Value):
    records: int
    loaded: int
    rejected: int
    first_rejects: Sequence[Reject]
