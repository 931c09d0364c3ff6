"""The difference between the rows stored and the rows derived now, and what it changes in the rollups."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from operator import add
from typing import Any

from services.analytics.db.tables import (
    CUSTOMER_MONTH,
    FULFILLMENT,
    MRR_MOVEMENTS,
    ORDER_ITEMS,
    ORDERS,
    PAYMENTS,
    SUBSCRIPTION_PERIODS,
    SUBSCRIPTIONS,
    CustomerRows,
    MovementRow,
    OrderRows,
    PeriodRow,
    Table,
)
from services.analytics.model import rollups
from services.analytics.model.rollups import Bought, Key, Totals

Customer = tuple[str, str]
"""Tenant id and customer id."""


class RowDiff:
    def __init__(self) -> None:
        self.put: defaultdict[Table, list[tuple[Any, ...]]] = defaultdict(list)
        self.removed: defaultdict[Table, list[Key]] = defaultdict(list)
        self.totals = Totals()

    def order(self, before: OrderRows | None, after: OrderRows) -> None:
        self.put[ORDERS].append(after.order)
        if after.payment:
            self.put[PAYMENTS].append(after.payment)
        elif before and before.payment:
            # The order was imported; a newer file, or its first own event, knows of no payment.
            self.removed[PAYMENTS].append(before.order[:2])
        if after.fulfillment:
            self.put[FULFILLMENT].append(after.fulfillment)
        self._replace(ORDER_ITEMS, before.items if before else (), after.items)
        self.totals.add(rollups.of_order(after))
        if before:
            self.totals.subtract(rollups.of_order(before))

    def undo_order(self, before: OrderRows, after: OrderRows | None) -> None:
        """Replace the rows of an order with those of fewer events, or of none."""
        # Removed first: a row never gives way to one made from fewer events.
        self.removed[ORDERS].append(before.order[:2])
        if before.payment:
            self.removed[PAYMENTS].append(before.order[:2])
        if before.fulfillment:
            self.removed[FULFILLMENT].append(before.order[:2])
        if after:
            self.order(before, after)
            return
        self._replace(ORDER_ITEMS, before.items, ())
        self.totals.subtract(rollups.of_order(before))

    def subscriptions(
        self, periods: Iterable[PeriodRow], movements: Iterable[MovementRow], after: CustomerRows
    ) -> None:
        """Replace the stored rows of a customer, which are read from the tables and not derived again.

        Exchange rates may have been corrected meanwhile: what is subtracted has to be what was added.
        """
        self.put[SUBSCRIPTIONS].extend(after.subscriptions)
        self._replace(SUBSCRIPTION_PERIODS, periods, after.periods)
        movements = list(movements)
        self._replace(MRR_MOVEMENTS, movements, after.movements)
        self.totals.add(rollups.of_movements(after.movements))
        self.totals.subtract(rollups.of_movements(movements))

    def customers(self) -> AbstractSet[Customer]:
        """Return the customers whose confirmed orders changed."""
        return {(tenant_id, customer_id) for tenant_id, customer_id, *_ in self.totals.of(CUSTOMER_MONTH)}

    def cohorts(self, before: Mapping[Customer, Bought]) -> None:
        """Move customers and their revenue between cohorts, given what they had bought before."""
        after = {customer: dict(before.get(customer, {})) for customer in self.customers()}
        for (tenant_id, customer_id, *key), amounts in self.totals.of(CUSTOMER_MONTH).items():
            bought, (month, currency) = after[tenant_id, customer_id], key
            known = bought.get((month, currency), (0, 0, 0))
            bought[month, currency] = tuple(map(add, known, amounts))
        for customer, bought in after.items():
            self.totals.add(rollups.of_bought(customer[0], bought))
            self.totals.subtract(rollups.of_bought(customer[0], before.get(customer, {})))

    def _replace(
        self, table: Table, before: Iterable[tuple[Any, ...]], after: Iterable[tuple[Any, ...]]
    ) -> None:
        """Put the rows that differ, and remove those that are gone."""
        size = table.key_size
        gone = {row[:size]: row for row in before}
        for row in after:
            if gone.pop(row[:size], None) != row:
                self.put[table].append(row)
        self.removed[table].extend(gone)
