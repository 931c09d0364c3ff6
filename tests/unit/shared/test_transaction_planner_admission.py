"""Who is admitted to a pack, and what it then writes."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from services.shared.ledger import (
    Delta,
    Key,
    OrderWrite,
    Price,
    Status,
    StockWrite,
)
from services.shared.transaction_planner import Entry, Knowledge, admit, writes
from tests.support.builders import a_key, placement, reserved
from tests.support.fakes import START

USD = Price(1_000, "USD")
A, B, C = a_key("a"), a_key("b"), a_key("c")


def decided(
    known: Knowledge, *requested_skus: dict[str, int]
) -> list[tuple[str, str | None, tuple[str, ...]]]:
    entries = admit([placement(f"order-{n}", skus) for n, skus in enumerate(requested_skus)], known)
    return [(entry.after.status.value, entry.after.reason, entry.after.blamed) for entry in entries]


ADMITTED = ("RESERVED", None, ())


def test_a_sku_whose_level_is_unknown_counts_as_plentiful() -> None:
    assert decided(Knowledge({A: USD}), {"a": 1_000_000}) == [ADMITTED]


def test_orders_are_admitted_in_order_of_arrival_as_far_as_the_stock_reaches() -> None:
    assert decided(Knowledge({A: USD}, {A: 3}), {"a": 2}, {"a": 1}, {"a": 1}) == [
        ADMITTED,
        ADMITTED,
        ("REJECTED", "out_of_stock", ("a",)),
    ]


def test_an_order_that_does_not_fit_does_not_hold_up_a_smaller_one_behind_it() -> None:
    assert decided(Knowledge({A: USD}, {A: 3}), {"a": 4}, {"a": 3}) == [
        ("REJECTED", "out_of_stock", ("a",)),
        ADMITTED,
    ]


def test_an_order_gets_all_its_skus_or_takes_none() -> None:
    known = Knowledge({A: USD, B: USD}, {A: 1, B: 0})

    assert decided(known, {"a": 1, "b": 1}, {"a": 1}) == [("REJECTED", "out_of_stock", ("b",)), ADMITTED]


def test_every_sku_that_is_short_is_blamed() -> None:
    known = Knowledge({A: USD, B: USD, C: USD}, {A: 0, B: 9, C: 1})

    assert decided(known, {"a": 1, "b": 1, "c": 2}) == [("REJECTED", "out_of_stock", ("a", "c"))]


def test_a_sku_nobody_knows_matters_more_than_mixed_currencies_or_short_stock() -> None:
    known = Knowledge({A: USD, B: Price(900, "EUR"), C: None}, {A: 0})

    assert decided(known, {"a": 1, "b": 1, "c": 1}) == [("REJECTED", "unknown_sku", ("c",))]


def test_mixed_currencies_matter_more_than_short_stock() -> None:
    known = Knowledge({A: USD, B: Price(900, "EUR")}, {A: 0})

    assert decided(known, {"a": 1, "b": 1}) == [("REJECTED", "currency_mismatch", ("a", "b"))]


def test_an_admitted_order_is_priced() -> None:
    (entry,) = admit([placement("order-1", {"a": 2, "b": 1})], Knowledge({A: USD, B: Price(50, "USD")}))

    assert (entry.after.amount_minor, entry.after.currency) == (2_050, "USD")
    assert [line.unit_price_minor for line in entry.after.lines] == [1_000, 50]


def test_a_rejected_order_is_kept_with_what_it_wanted_but_not_priced() -> None:
    (entry,) = admit([placement("order-1", {"a": 2})], Knowledge({A: USD}, {A: 1}))

    assert [(line.sku, line.quantity) for line in entry.after.lines] == [("a", 2)]
    assert (entry.after.amount_minor, entry.after.currency, entry.after.expires_at) == (0, None, None)


def test_the_same_sku_of_two_tenants_is_two_skus() -> None:
    other = replace(placement("order-2", {"a": 1}), key=Key("shop-2", "order-2"))
    known = Knowledge({A: USD, Key("shop-2", "a"): USD}, {A: 1})

    entries = admit([placement("order-1", {"a": 1}), other], known)

    assert [entry.after.status for entry in entries] == [Status.RESERVED, Status.RESERVED]


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(1, 4), min_size=1), max_size=12))
def test_no_more_is_admitted_than_there_is(requested_skus: list[dict[str, int]]) -> None:
    known = Knowledge({A: USD, B: USD, C: USD}, {A: 5, B: 5, C: 5})

    entries = admit([placement(f"order-{n}", skus) for n, skus in enumerate(requested_skus)], known)

    for sku in "abc":
        admitted = [entry.after for entry in entries if entry.after.status is Status.RESERVED]
        assert sum(line.quantity for order in admitted for line in order.lines if line.sku == sku) <= 5


def test_a_pack_writes_each_sku_once_with_everybodys_quantities() -> None:
    entries = admit(
        [placement("order-1", {"a": 2, "b": 1}), placement("order-2", {"a": 3})], Knowledge({A: USD, B: USD})
    )

    spelled = writes(entries)

    assert spelled == [
        OrderWrite(None, entries[0].after),
        OrderWrite(None, entries[1].after),
        StockWrite(A, Delta(reserved=5, available=-5), USD),
        StockWrite(B, Delta(reserved=1, available=-1), USD),
    ]


def test_a_rejected_order_is_written_but_touches_no_stock() -> None:
    entries = admit([placement("order-1", {"a": 2})], Knowledge({A: None}))

    assert writes(entries) == [OrderWrite(None, entries[0].after)]


def test_a_settlement_does_not_depend_on_the_price() -> None:
    before = reserved("order-1", {"a": 2})
    after = before.moved(Status.CONFIRMED, START, "paid")

    assert writes([Entry(before, after)])[1:] == [StockWrite(A, Delta(stock=-2, reserved=-2))]
