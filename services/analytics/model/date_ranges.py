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


def later(month: date, months: int) -> date:
    """Return the month so many months on."""
    number = _number(month) + months
    return date(number // 12, number % 12 + 1, 1)


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _number(month: date) -> int:
    return month.year * 12 + month.month - 1
