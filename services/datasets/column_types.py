"""Types of columns: which fits the values, and the SQL that turns a text into it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.datasets.domain import FIRST_DAY, LAST_DAY, Column, ColumnType, DateOrder, DecimalMark, Guess

_MIN_SHARE: Final = 0.9
"""Of the values of a column that must fit its type: the others are rejected, and can be corrected."""
_BLANKS: Final = " \t\n\N{NO-BREAK SPACE}"
_SPACES: Final = "\\x{00A0}\\x{202F} "
_SIGNS: Final = "[€$£¥%]|[A-Z]{3}"
_AROUND: Final = f"(?:(?:{_SIGNS})[{_SPACES}]*)?"
_AROUND_END: Final = f"(?:[{_SPACES}]*(?:{_SIGNS}))?"
_DATE: Final = r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})"
_ISO: Final = r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})"
_TIME: Final = r"[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?: ?(?:Z|[+-]\d{2}:?\d{2}))?"
_ORDERS: Final[Mapping[DateOrder, tuple[str, str]]] = {
    "ymd": (_ISO, r"\1-\2-\3"),
    "dmy": (_DATE, r"\3-\2-\1"),
    "mdy": (_DATE, r"\3-\1-\2"),
}
DUCKDB_TYPES: Final[Mapping[ColumnType, str]] = {
    ColumnType.TEXT: "VARCHAR",
    ColumnType.INTEGER: "BIGINT",
    ColumnType.NUMBER: "DOUBLE",
    ColumnType.DATE: "DATE",
    ColumnType.TIMESTAMP: "TIMESTAMP",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    type: ColumnType
    decimal: DecimalMark | None = None
    order: DateOrder | None = None


CANDIDATES: Final = (
    Candidate(ColumnType.INTEGER),
    Candidate(ColumnType.NUMBER, decimal="."),
    Candidate(ColumnType.NUMBER, decimal=","),
    *(Candidate(ColumnType.DATE, order=order) for order in _ORDERS),
    *(Candidate(ColumnType.TIMESTAMP, order=order) for order in _ORDERS),
)


TWO_WAYS: Final = (ColumnType.NUMBER, ColumnType.DATE, ColumnType.TIMESTAMP)
"""Types whose values may have more than one reading."""


@dataclass(frozen=True, slots=True)
class Readings:
    """How the values of a column can be read as one of these types."""

    any: int
    """Values that fit in at least one way."""
    one: str | None
    """A value that fits in one way only, and so decides."""
    several: str | None
    """A value that means different things in different ways."""


@dataclass(frozen=True, slots=True)
class Profile:
    """How many values of a column there are, and how many fit each candidate."""

    values: int
    coded: int
    """Digits with a leading zero, or too many for a number: postal codes, telephone and account numbers."""
    fits: Sequence[int]
    readings: Sequence[Readings]
    """In the order of TWO_WAYS."""

    def of(self, candidate: Candidate) -> int:
        return self.fits[CANDIDATES.index(candidate)]


def trimmed(column: str) -> str:
    """Return SQL for a value without the blanks around it; nothing is NULL."""
    return f"nullif(trim({column}, '{_BLANKS}'), '')"


def parsed(text: str, column: Column | Candidate) -> str:
    """Return SQL for a value of the column's type, NULL where the text is none."""
    pattern, iso = _ORDERS[column.order or "ymd"]
    match column.type:
        case ColumnType.INTEGER:
            fits, value = f"regexp_full_match({text}, '[+-]?\\d{{1,18}}')", f"try_cast({text} as BIGINT)"
        case ColumnType.NUMBER:
            fits, value = _number(text, column.decimal or ".")
        case ColumnType.DATE:
            fits = f"regexp_full_match({text}, '{pattern}')"
            value = f"try_cast({_as_iso(text, pattern, iso)} as DATE)"
        case ColumnType.TIMESTAMP:
            fits = f"regexp_full_match({text}, '{pattern}(?:{_TIME})?')"
            # With a zone it is converted to UTC, without one it is taken for UTC.
            zoned = f"regexp_replace({_as_iso(text, pattern, iso)}, ' ?([+-]\\d\\d):?(\\d\\d)$', '\\1:\\2')"
            value = f"make_timestamp(epoch_us(try_cast({zoned} as TIMESTAMPTZ)))"
        case _:
            fits, value = f"not contains({text}, chr(0))", text
    return f"case when {fits} then {value} end"


def misfits(cell: str, column: Column, *, is_time: bool = False) -> str:
    """Return SQL that is true for cells with a value that does not fit the column; a time must be there."""
    if is_time:
        value = parsed(trimmed(cell), column)
        return f"coalesce(({value})::DATE not between DATE '{FIRST_DAY}' and DATE '{LAST_DAY}', true)"
    if column.type is ColumnType.TEXT:
        return f"contains({cell}, chr(0))"
    return f"{trimmed(cell)} is not null and ({parsed(trimmed(cell), column)}) is null"


def _number(text: str, decimal: str) -> tuple[str, str]:
    group = f"[{',' if decimal == '.' else '.'}''\\x{{2019}}{_SPACES}]"
    whole = rf"(?:\d{{1,3}}(?:{group}\d{{3}})+|\d+)"
    digits = rf"(?:{whole}(?:[{decimal}]\d*)?|[{decimal}]\d+)(?:[eE][+-]?\d{{1,3}})?"
    number = f"[+-]?{_AROUND}[+-]?{digits}{_AROUND_END}|\\({_AROUND}{digits}{_AROUND_END}\\)"
    bare = f"regexp_replace(regexp_replace({text}, '[A-Z]{{3}}', ''), '[^0-9eE{decimal}+-]', '', 'g')"
    value = f"try_cast(replace({bare}, ',', '.') as DOUBLE)"
    return (
        f"regexp_full_match({text}, '{number}') and isfinite({value})",
        f"(case when starts_with({text}, '(') then -1 else 1 end * {value})",
    )


def _as_iso(text: str, pattern: str, iso: str) -> str:
    return f"regexp_replace({text}, '^{pattern}', '{iso}')"


def propose(name: str, profile: Profile) -> tuple[Column, Guess]:
    """Return the narrowest type that fits, with the decisions that only one reading of the values allows."""
    best = max(CANDIDATES, key=lambda candidate: (profile.of(candidate), -CANDIDATES.index(candidate)))
    ways = profile.readings[TWO_WAYS.index(best.type)] if best.type in TWO_WAYS else None
    fitting = ways.any if ways else profile.of(best)
    if why_text := _why_text(profile, best, fitting):
        return _column(name, Candidate(ColumnType.TEXT), why_text)
    reason = f"{fitting} of {profile.values} values fit"
    if ways is None or ways.several is None:
        return _column(name, best, reason)
    if ways.one is None:
        reason += f"; {ways.several} and others can be read in two ways: choose"
    elif ways.any == profile.of(best):
        return _column(name, best, f"{reason}; {ways.one} has one reading only")
    else:
        reason += f"; some exclude the reading that others need, such as {ways.one}: choose"
    return _column(name, Candidate(best.type), reason)


def _why_text(profile: Profile, best: Candidate, fitting: int) -> str | None:
    if not profile.values:
        return "it has no values"
    if profile.coded:
        return f"{profile.coded} values begin with 0 or have over 18 digits: codes, not numbers"
    if not fitting:
        return "its values are words"
    if fitting < profile.values * _MIN_SHARE:
        return f"only {fitting} of {profile.values} values would be {best.type}"
    return None


def profile_query(columns: Sequence[str], table: str) -> str:
    """Return a query of one row: the numbers of each column's profile, one column after the other."""
    texts = ", ".join(f"{trimmed(column)} as {column}" for column in columns)
    numbers = ", ".join(part for column in columns for part in _profile(column))
    return f"select {numbers} from (select {texts} from {table})"


def profiles(row: Sequence[Any], columns: int) -> Sequence[Profile]:
    """Return the profiles in the row of that query."""
    width = len(row) // columns
    return [_profile_of(row[at * width : (at + 1) * width]) for at in range(columns)]


def _profile(text: str) -> Sequence[str]:
    counts = [f"count({text})", f"count(*) filter (regexp_full_match({text}, '0\\d+|\\d{{19,}}'))"]
    counts += [f"count({parsed(text, candidate)})" for candidate in CANDIDATES]
    for type_ in TWO_WAYS:
        readings = [parsed(text, candidate) for candidate in CANDIDATES if candidate.type is type_]
        ways = " + ".join(f"({reading} is not null)::int" for reading in readings)
        both = ", ".join(readings)
        counts += [
            f"count(*) filter ({ways} > 0)",
            f"min({text}) filter ({ways} = 1)",
            f"min({text}) filter (least({both}) <> greatest({both}))",
        ]
    return counts


def _profile_of(numbers: Sequence[Any]) -> Profile:
    values, coded, *others = numbers
    fits, ways = others[: len(CANDIDATES)], others[len(CANDIDATES) :]
    readings = [Readings(*ways[at : at + 3]) for at in range(0, len(ways), 3)]
    return Profile(values, coded, fits, readings)


def _column(name: str, chosen: Candidate, reason: str) -> tuple[Column, Guess]:
    decimal = chosen.decimal
    column = Column(name=name, type=chosen.type, decimal=decimal, order=chosen.order)
    value = " ".join(filter(None, (chosen.type, chosen.order, decimal and f"decimal {decimal}")))
    return column, Guess(subject=f"column {name}", value=value, reason=reason)
