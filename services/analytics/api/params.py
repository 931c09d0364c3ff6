"""What can be asked: the parameters of each question, and what they mean where they are left out."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated, Any, Final, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from services.analytics.model.date_ranges import Days, Months, later
from services.analytics.queries.params import (
    CohortsWanted,
    Filters,
    MonthWanted,
    OrdersWanted,
    OrderWanted,
    ProductsWanted,
)
from services.shared.events import Identifier
from services.shared.http.problems import Fault, bad_parameters

MAX_DAYS: Final = 366
MAX_MONTHS: Final = 36
MAX_LENGTH: Final = 256
MAX_CURSOR_LENGTH: Final = 1024

_DAY: Final = r"(19|2[0-9])[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_MONTH: Final = r"(19|2[0-9])[0-9]{2}-(0[1-9]|1[0-2])"


def _spelled(pattern: str, read: Callable[[str], object], otherwise: str) -> BeforeValidator:
    """Take text of one form alone: pydantic by itself would also take times, fractions and Unix times."""

    def validate(value: object) -> object:
        if isinstance(value, str) and re.fullmatch(pattern, value):
            try:
                return read(value)
            except ValueError:
                pass
        raise ValueError(otherwise)

    return BeforeValidator(validate)


Day = Annotated[
    date,
    _spelled(_DAY, date.fromisoformat, "must be a day such as 2026-01-31"),
    WithJsonSchema({"type": "string", "format": "date", "pattern": f"^{_DAY}$"}),
]
Month = Annotated[
    date,
    _spelled(_MONTH, lambda month: date.fromisoformat(f"{month}-01"), "must be a month such as 2026-01"),
    WithJsonSchema({"type": "string", "pattern": f"^{_MONTH}$"}),
]
Limit = Annotated[
    int, Field(ge=1, le=200), _spelled(r"[0-9]{1,9}", int, "must be a whole number from 1 to 200")
]
Basis = Literal["order", "subscription"]
OrderStatus = Literal["PLACED", "RESERVED", "CONFIRMED", "REJECTED", "CANCELLED", "REFUNDED"]


Wanted: TypeAlias = OrdersWanted | OrderWanted | MonthWanted | CohortsWanted | ProductsWanted | Days


class Asking(BaseModel, ABC):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    @abstractmethod
    def means(self, today: date) -> Wanted:
        """Return what is asked for with nothing left open, or refuse what cannot be meant."""


class LastMonthAsked(Asking):
    """There is nothing to choose."""

    def means(self, today: date) -> Days:
        return Days.up_to(today + timedelta(days=1))


class OrdersAsked(Asking):
    limit: Annotated[Limit, Field(description="Orders on a page.")] = 50
    cursor: Annotated[
        str | None,
        Field(
            max_length=MAX_CURSOR_LENGTH,
            description="Where the page before ended, from its `page.nextCursor`. "
            "Good for the same filters alone.",
        ),
    ] = None
    status: Annotated[OrderStatus | None, Field(description="Orders that are this now.")] = None
    customer: Annotated[Identifier | None, Field(description="Orders of this customer.")] = None
    since: Annotated[
        Day | None, Field(alias="from", description="Orders placed on this day (UTC) or later.")
    ] = None
    until: Annotated[
        Day | None,
        Field(alias="to", description="Orders placed before this day (UTC): it is not among them."),
    ] = None

    def means(self, today: date) -> OrdersWanted:
        del today
        if self.since and self.until and self.since >= self.until:
            raise bad_parameters(_BACKWARDS)
        return OrdersWanted(
            Filters(self.status, self.customer, self.since, self.until), self.limit, self.cursor
        )


class OrderAsked(Asking):
    order_id: Annotated[Identifier, Field(alias="orderId", description="The id its publisher gave it.")]

    def means(self, today: date) -> OrderWanted:
        del today
        return OrderWanted(self.order_id)


class MonthAsked(Asking):
    month: Annotated[
        Month | None, Field(description="A month (UTC), such as 2026-01; the current one unless told.")
    ] = None

    def means(self, today: date) -> MonthWanted:
        month = self.month or today.replace(day=1)
        if month > today:
            raise bad_parameters(Fault("month", "must not be in the future"))
        return MonthWanted(month)


class _DaysAsked(Asking):
    since: Annotated[
        Day | None,
        Field(alias="from", description="The first day (UTC) that counts; 30 days before `to` unless told."),
    ] = None
    until: Annotated[
        Day | None,
        Field(
            alias="to",
            description="The first day (UTC) that no longer counts; tomorrow unless told. "
            f"At most {MAX_DAYS} days after `from`.",
        ),
    ] = None

    def days(self, today: date) -> Days:
        end = self.until or today + timedelta(days=1)
        days = Days(self.since, end) if self.since else Days.up_to(end)
        _check(days.count, MAX_DAYS, "days")
        return days


class PeriodAsked(_DaysAsked):
    def means(self, today: date) -> Days:
        return self.days(today)


class ProductsAsked(_DaysAsked):
    limit: Annotated[Limit, Field(description="Products to tell of: those of which most was sold.")] = 50

    def means(self, today: date) -> ProductsWanted:
        return ProductsWanted(self.days(today), self.limit)


class CohortsAsked(Asking):
    basis: Annotated[
        Basis,
        Field(
            description="`order`: customers by the month of their first confirmed order, "
            "active in months with one. `subscription`: by the first month with recurring revenue at its "
            "end, active while there is some."
        ),
    ] = "order"
    since: Annotated[
        Month | None,
        Field(
            alias="from", description="The first month (UTC) that counts; 12 months before `to` unless told."
        ),
    ] = None
    until: Annotated[
        Month | None,
        Field(
            alias="to",
            description="The first month (UTC) that no longer counts; the next one unless told. "
            f"At most {MAX_MONTHS} months after `from`.",
        ),
    ] = None

    def means(self, today: date) -> CohortsWanted:
        end = self.until or later(today.replace(day=1), 1)
        months = Months(self.since or later(end, -12), end)
        _check(months.count, MAX_MONTHS, "months")
        return CohortsWanted(self.basis, months)


_BACKWARDS: Final = Fault("to", "must be later than `from`: it is the first that no longer counts")


def _check(count: int, most: int, what: str) -> None:
    if count < 1:
        raise bad_parameters(_BACKWARDS)
    if count > most:
        raise bad_parameters(Fault("from", f"must be at most {most} {what} before `to`"))


A = TypeVar("A", bound=Asking)


def parse(model: type[A], parameters: Sequence[tuple[str, str]]) -> A:
    """Read parameters, strictly: one that nobody knows, or that comes twice, is a mistake to tell of."""
    known = parameters_of(model)
    given = dict(parameters)
    faults = [
        *(Fault(name[:64], _known(known)) for name in given if name not in known),
        *(Fault(name, "must be given once") for name in known if _times(name, parameters) > 1),
        *(Fault(name, f"must have at most {most} characters") for name, most in _too_long(given, known)),
    ]
    if faults:
        raise bad_parameters(*faults)
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise bad_parameters(*(_fault(dict(one)) for one in error.errors())) from None


def parameters_of(model: type[Asking]) -> dict[str, int]:
    """Name the parameters of a question, each with the most characters it may have."""
    return {
        field.alias or name: MAX_CURSOR_LENGTH if name == "cursor" else MAX_LENGTH
        for name, field in model.model_fields.items()
    }


def _known(known: Mapping[str, int]) -> str:
    return f"is not known here; known are: {', '.join(known)}" if known else "is not known here: nothing is"


def _times(name: str, parameters: Sequence[tuple[str, str]]) -> int:
    return sum(1 for given, _ in parameters if given == name)


def _too_long(given: Mapping[str, str], known: Mapping[str, int]) -> list[tuple[str, int]]:
    return [
        (name, known[name]) for name, value in given.items() if name in known and len(value) > known[name]
    ]


def _fault(error: Mapping[str, Any]) -> Fault:
    told = str(error["ctx"]["error"]) if error["type"] == "value_error" else str(error["msg"])
    return Fault(".".join(map(str, error["loc"])), told[:1].lower() + told[1:])
