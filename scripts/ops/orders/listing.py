"""Lists orders from the orders table, which every environment has."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import nlargest
from typing import TYPE_CHECKING

from scripts.common.errors import ToolError
from scripts.ops.context import OpsContext
from services.shared.ledger import Order, Status

if TYPE_CHECKING:
    from services.shared.adapters.dynamodb_items import Unreadable


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders are listed; an empty field selects all."""

    tenant: str
    statuses: frozenset[Status] = frozenset()
    customer: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        if self.since and self.until and self.since >= self.until:
            raise ToolError("--from must be before --to.", exit_code=2)

    def matches(self, order: Order) -> bool:
        return (
            order.key.tenant_id == self.tenant
            and (not self.statuses or order.status in self.statuses)
            and self.customer in (None, order.customer_id)
            and (self.since is None or order.placed_at >= self.since)
            and (self.until is None or order.placed_at <= self.until)
        )


def status_of(name: str) -> Status:
    try:
        return Status(name.upper())
    except ValueError:
        known = ", ".join(Status)
        raise ToolError(f"status {name!r} not found; choose one of {known}.", exit_code=2) from None


def newest(
    ops: OpsContext, selected: OrderFilter, limit: int, unreadable: "Callable[[Unreadable], object]"
) -> tuple[list[Order], int]:
    """Return the newest orders that match, and how many match; reads the whole table."""
    matching = 0

    def counted() -> Iterator[Order]:
        nonlocal matching
        for order in ops.store.scan_orders(unreadable):
            if selected.matches(order):
                matching += 1
                yield order

    found = nlargest(limit, counted(), key=lambda order: (order.placed_at, order.key))
    return found, matching
