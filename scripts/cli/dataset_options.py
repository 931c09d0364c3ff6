"""Options that decide how the columns of a file are read."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import typer

from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from services.datasets.domain import DateOrder, DecimalMark

ORDERS: "Final[Sequence[DateOrder]]" = ("ymd", "dmy", "mdy")
DECIMALS: "Final[Sequence[DecimalMark]]" = (".", ",")
_USAGE: Final = 2
_T = TypeVar("_T", bound=str)

DateOrders = Annotated[
    list[str] | None,
    typer.Option("--date-order", metavar="COLUMN=ORDER", help="Order of dates: ymd dmy mdy."),
]
Decimals = Annotated[
    list[str] | None, typer.Option("--decimal", metavar="COLUMN=MARK", help="Decimal mark: '.' or ','.")
]
Types = Annotated[
    list[str] | None,
    typer.Option("--type", metavar="COLUMN=TYPE", help="text, integer, number, date or timestamp."),
]


def answers(option: str, given: Sequence[str] | None, allowed: Sequence[_T]) -> Mapping[str, _T]:
    """Return what COLUMN=VALUE options say; a name may hold an equals sign."""
    found: dict[str, _T] = {}
    for text in given or ():
        column, _, value = text.rpartition("=")
        known = next((one for one in allowed if one == value), None)
        if not column or known is None:
            raise ToolError(
                f"{option} {text}: give COLUMN=VALUE, with one of {' '.join(allowed)}.", exit_code=_USAGE
            )
        found[column] = known
    return found


def chosen_answers(
    date_order: Sequence[str] | None,
    decimal: Sequence[str] | None,
    types: Sequence[str] | None,
    time: str | None,
) -> dict[str, Any]:
    """Return the answers as the API takes them; empty without any."""
    from services.datasets.domain import ColumnType

    found = {
        "dateOrders": answers("--date-order", date_order, ORDERS),
        "decimals": answers("--decimal", decimal, DECIMALS),
        "types": answers("--type", types, tuple(ColumnType)),
        "time": time,
    }
    return {name: value for name, value in found.items() if value}
