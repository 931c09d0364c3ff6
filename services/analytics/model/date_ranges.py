"""Ranges of days and of months in UTC; the end is exclusive."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Self


@dataclass(frozen=True, slots=True)
class Days:
    start: date
    end: date
    """Exclusive."""

    @classmethod
    def up_to(cls, end: date) -> Self:
        """Return the thirty days that end there."""
        return cls(end - timedelta(days=30), end)

    @property
    def count(self) -> int:
        return (self.end - self.start).days

    @property
    def before(self) -> Self:
        """As many days, right before these."""
        return replace(self, start=self.start - timedelta(days=self.count), end=self.start)

    def each(self) -> list[date]:
        return [self.start + timedelta(days=ahead) for ahead in range(self.count)]


@dataclass(frozen=True, slots=True)
class Months:
    start: date
    end: date
    """Exclusive."""

    @property
    def count(self) -> int:
        return _number(self.end) - _number(self.start)

    def each(self) -> list[date]:
        return [later(self.start, ahead) for ahead in range(self.count)]


def start_of(day: date, interval: str) -> date:
    """Return the first day of a day's interval; a week begins on Monday."""
    if interval == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if interval == "week" else day


def split(days: Days, interval: str) -> list[Days]:
    """Split a range at the beginning of each day, week or month."""
    starts = [day for day in days.each() if day == days.start or start_of(day, interval) == day]
    return [Days(start, end) for start, end in zip(starts, [*starts[1:], days.end], strict=True)]


@dataclass(frozen=True, slots=True)
class MonthCover:
    """A range of days as whole months, days beside them, and days of them that are too many."""

    months: Months
    added: tuple[Days, ...]
    subtracted: tuple[Days, ...]


def cover(days: Days) -> MonthCover:
    """Cover a range with as few days as possible: half a month at most at either end."""
    first, last = days.start.replace(day=1), days.end.replace(day=1)
    if first == last:
        return MonthCover(Months(first, first), (days,), ())
    before, start = Days(first, days.start), Days(days.start, later(first, 1))
    end, after = Days(last, days.end), Days(days.end, later(last, 1))
    whole_first, whole_last = before.count <= start.count, after.count < end.count
    months = Months(first if whole_first else later(first, 1), later(last, 1) if whole_last else last)
    added = [*([] if whole_first else [start]), *([] if whole_last else [end])]
    subtracted = [*([before] if whole_first else []), *([after] if whole_last else [])]
    return MonthCover(
        months, tuple(it for it in added if it.count), tuple(it for it in subtracted if it.count)
    )


def later(month: date, months: int) -> date:
    """Return the month so many months on."""
    number = _number(month) + months
    return date(number // 12, number % 12 + 1, 1)


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _number(month: date) -> int:
    return month.year * 12 + month.month - 1
