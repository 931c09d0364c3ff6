"""Prices kept in memory may be old; what is decided on them must not be."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from services.shared.group_commit import GroupCommit
from services.shared.ledger import (
    Busy,
    Committed,
    Key,
    Placement,
    Price,
    Status,
    StockWrite,
    Verdict,
    Write,
)
from tests.support.fakes import START, MemoryStore, a_stock

APPLE, PEAR = Key("default", "apple"), Key("default", "pear")


def _placement(name: str, *skus: str) -> Placement:
    return Placement(
        key=Key("default", name),
        customer_id="customer-1",
        quantities=tuple((sku, 1) for sku in skus),
        placed_at=START,
        payment_method=None,
        at=START,
        expires_at=START + timedelta(minutes=15),
        event_id=f"event-{name}",
    )


def _status(ledger: GroupCommit, placement: Placement) -> Status:
    outcome = ledger.reserve([placement])[placement.key]
    assert isinstance(outcome, Committed)
    return outcome.order.status


def _reprice(store: MemoryStore, key: Key, currency: str) -> None:
    store.stock[key] = replace(store.stock[key], price=Price(1_000, currency))


def test_two_currencies_that_have_become_one_are_no_mismatch() -> None:
    store = MemoryStore([a_stock("apple"), a_stock("pear", currency="EUR")])
    ledger = GroupCommit(store)
    assert _status(ledger, _placement("before", "apple", "pear")) is Status.REJECTED
    _reprice(store, PEAR, "USD")

    assert _status(ledger, _placement("after", "apple", "pear")) is Status.RESERVED


class _HalfBusyStore(MemoryStore):
    """A transaction is refused for the price of one SKU, while the other SKU is held by a rival."""

    def transact(self, writes: Sequence[Write]) -> Sequence[Verdict]:
        verdicts = super().transact(writes)
        return [
            Busy() if isinstance(write, StockWrite) and write.key == PEAR else verdict
            for write, verdict in zip(writes if verdicts else (), verdicts, strict=True)
        ]


def test_one_new_price_beside_one_old_price_is_no_mismatch() -> None:
    store = _HalfBusyStore([a_stock("apple"), a_stock("pear")])
    ledger = GroupCommit(store, waits=lambda: iter([True] * 3))
    assert _status(ledger, _placement("before", "apple", "pear")) is Status.RESERVED
    _reprice(store, APPLE, "EUR")
    _reprice(store, PEAR, "EUR")

    assert _status(ledger, _placement("after", "apple", "pear")) is Status.RESERVED
