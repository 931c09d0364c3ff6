"""`pulsequeue inventory` changes available stock only, publishes each change, and records the operator."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.shared.adapters.dynamodb_items import Unreadable
from services.shared.events import InventoryAdjusted
from services.shared.ledger import Key
from tests.support.fakes import a_stock
from tests.support.ops_context import MemoryOpsContext
from tests.unit.conftest import CommandLine

KEY = Key("default", "prod-001")
PRODUCT: dict[str, Any] = {
    "sku": "new-1",
    "stock": 3,
    "unitPriceMinor": 250,
    "currency": "EUR",
    "name": "New",
}


def _catalogue(folder: Path, *products: object) -> str:
    path = folder / "catalogue.json"
    path.write_text(json.dumps({"products": products}), encoding="utf-8")
    return str(path)


def _levels(ops: MemoryOpsContext, sku: str = "prod-001") -> tuple[int, int, int]:
    stock = ops.store.stock[Key("default", sku)]
    return stock.stock, stock.reserved, stock.available


def _adjustments(ops: MemoryOpsContext) -> list[tuple[str, int, int]]:
    return [
        (event.sku, event.delta, event.stock)
        for event in ops.bus.published
        if isinstance(event, InventoryAdjusted)
    ]


# --- ls ----------------------------------------------------------------------------------------------


def test_every_sku_is_listed_with_its_numbers_and_its_price_as_people_write_it(
    pulsequeue: CommandLine,
) -> None:
    rows = [line.split() for line in pulsequeue("inventory", "ls").out.splitlines()]

    assert ["prod-001", "10", "0", "10", "10.00", "USD"] in rows
    assert ["prod-002", "5", "0", "5", "2.50", "EUR"] in rows


def test_only_the_skus_of_the_tenant_are_listed(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    theirs = replace(a_stock("theirs"), key=Key("acme", "theirs"))
    ops.store.stock[theirs.key] = theirs

    listed = pulsequeue("inventory", "ls", "--tenant", "acme", "--json").json

    assert [stock["sku"] for stock in listed] == ["theirs"]


def test_an_empty_inventory_says_how_to_fill_it(capsys: pytest.CaptureFixture[str]) -> None:
    ran = CommandLine(MemoryOpsContext(), capsys)("inventory", "ls")

    assert (ran.code, ran.out) == (0, "the inventory is empty; run `pulsequeue inventory seed`\n")


def test_a_row_that_cannot_be_read_is_named_after_those_that_can(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ops.store.unreadable_stock = [Unreadable(Key("default", "odd"), "KeyError: 'stock'")]

    ran = pulsequeue("inventory", "ls", "--json")

    assert [stock["sku"] for stock in ran.json] == ["prod-001", "prod-002"]
    assert (ran.code, "default#odd" in ran.err) == (1, True)


# --- seed --------------------------------------------------------------------------------------------


def test_seeding_adds_what_is_new_and_leaves_the_rest_alone(
    pulsequeue: CommandLine, ops: MemoryOpsContext, tmp_path: Path
) -> None:
    known = PRODUCT | {"sku": "prod-001", "stock": 999}

    ran = pulsequeue("inventory", "seed", _catalogue(tmp_path, PRODUCT, known), "--json")

    assert ran.json == {"new": ["new-1"], "known": 1}
    assert _levels(ops, "new-1") == (3, 0, 3)
    assert _levels(ops) == (10, 0, 10)
    assert _adjustments(ops) == [("new-1", 3, 3)]
    assert ops.operations_log.actions() == ["inventory seed"]


def test_seeding_twice_changes_and_publishes_nothing_more(
    pulsequeue: CommandLine, ops: MemoryOpsContext, tmp_path: Path
) -> None:
    catalogue = _catalogue(tmp_path, PRODUCT)

    for _ in range(2):
        pulsequeue("inventory", "seed", catalogue)

    assert len(_adjustments(ops)) == 1
    assert ops.operations_log.actions() == ["inventory seed"]


def test_a_catalogue_comes_from_standard_input(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    pulsequeue("inventory", "seed", "-", stdin=json.dumps([PRODUCT]))

    assert _levels(ops, "new-1") == (3, 0, 3)


def test_the_sample_catalogue_is_a_catalogue(pulsequeue: CommandLine) -> None:
    ran = pulsequeue("inventory", "seed", "--json")

    assert ran.code == 0
    assert ran.json["new"]


INVALID: dict[str, tuple[dict[str, Any], str]] = {
    "a stock below zero": (PRODUCT | {"stock": -1}, "[0].stock: "),
    "a stock that is a text": (PRODUCT | {"stock": "3"}, "[0].stock: "),
    "a currency in small letters": (PRODUCT | {"currency": "eur"}, "[0].currency: "),
    "a sku with a blank": (PRODUCT | {"sku": " a"}, "[0].sku: has leading or trailing blanks"),
    "a field nobody knows": (PRODUCT | {"colour": "red"}, "[0].colour: "),
}


@pytest.mark.parametrize("fault", INVALID)
def test_a_faulty_catalogue_is_refused_whole_with_the_place(
    pulsequeue: CommandLine, ops: MemoryOpsContext, tmp_path: Path, fault: str
) -> None:
    product, complaint = INVALID[fault]

    ran = pulsequeue("inventory", "seed", _catalogue(tmp_path, product, PRODUCT))

    assert ran.code == 1
    assert complaint in ran.err
    assert Key("default", "new-1") not in ops.store.stock


def test_a_catalogue_that_names_a_sku_twice_is_refused(pulsequeue: CommandLine, tmp_path: Path) -> None:
    ran = pulsequeue("inventory", "seed", _catalogue(tmp_path, PRODUCT, PRODUCT))

    assert ran.code == 1
    assert "lists new-1 more than once" in ran.err


# --- set ---------------------------------------------------------------------------------------------


def test_a_new_sku_is_made_with_a_price(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    ran = pulsequeue(
        *("inventory", "set", "new-1", "--stock", "4", "--price", "250", "--currency", "EUR", "--json")
    )

    assert (ran.json["available"], ran.json["unitPriceMinor"], ran.json["currency"]) == (4, 250, "EUR")
    assert _adjustments(ops) == [("new-1", 4, 4)]


def test_setting_one_thing_leaves_the_others(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    pulsequeue("inventory", "set", "prod-002", "--price", "300")

    stock = ops.store.stock[Key("default", "prod-002")]
    assert (stock.stock, stock.price.minor, stock.price.currency) == (5, 300, "EUR")


def test_the_stock_is_not_set_below_what_is_reserved(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    ops.store.stock[KEY] = replace(a_stock(stock=10), reserved=4, available=6)

    ran = pulsequeue("inventory", "set", "prod-001", "--stock", "3")

    assert ran.code == 1
    assert "4 units of 'prod-001' are reserved; cannot set the stock to 3" in ran.err
    assert _levels(ops) == (10, 4, 6)
    assert (ops.bus.published, ops.operations_log.lines) == ([], [])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("prod-001",), 2),
        (("prod-001", "--stock", "-1"), 2),
        (("prod-001", "--currency", "usd"), 2),
        (("prod-001", "--price", "9999999999999"), 2),
        (("a#b", "--stock", "1"), 2),
        (("new-1", "--price", "1"), 2),
        (("new-1", "--stock", "1"), 1),
    ],
)
def test_what_cannot_be_set_is_refused_and_nothing_changes(
    pulsequeue: CommandLine, ops: MemoryOpsContext, arguments: tuple[str, ...], code: int
) -> None:
    before = dict(ops.store.stock)

    ran = pulsequeue("inventory", "set", *arguments)

    assert ran.code == code
    assert ran.err
    assert ops.store.stock == before
    assert ops.bus.published == []


# --- adjust ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("delta", "left"), [("5", 15), ("-5", 5), ("-10", 0)])
def test_stock_is_changed_by_so_much_and_adjustments(
    pulsequeue: CommandLine, ops: MemoryOpsContext, delta: str, left: int
) -> None:
    ran = pulsequeue("inventory", "adjust", "prod-001", delta)

    assert ran.code == 0
    assert _levels(ops) == (left, 0, left)
    assert _adjustments(ops) == [("prod-001", int(delta), left)]
    assert ops.operations_log.lines[0][1] == {"sku": "prod-001", "tenant": "default", "delta": int(delta)}


def test_reserved_units_cannot_be_removed(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    ops.store.stock[KEY] = replace(a_stock(stock=10), reserved=4, available=6)

    ran = pulsequeue("inventory", "adjust", "prod-001", "-7")

    assert ran.code == 1
    assert "cannot remove 7 units of 'prod-001': 6 available, 4 reserved." in ran.err
    assert _levels(ops) == (10, 4, 6)


@pytest.mark.parametrize(
    ("arguments", "code"), [(("prod-001", "0"), 2), (("prod-001", "many"), 2), (("nobody", "1"), 1)]
)
def test_an_invalid_adjustment_is_refused(
    pulsequeue: CommandLine, ops: MemoryOpsContext, arguments: tuple[str, ...], code: int
) -> None:
    assert pulsequeue("inventory", "adjust", *arguments).code == code
    assert ops.bus.published == []


def test_a_change_that_is_not_published_is_made_and_fails_the_command(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ops.bus.refuse = 1

    ran = pulsequeue("inventory", "adjust", "prod-001", "1")

    assert ran.code == 1
    assert "the stock was changed, but the bus did not accept the InventoryAdjusted event" in ran.err
    assert _levels(ops) == (11, 0, 11)
    assert ops.operations_log.lines[0][2]["published"] is False
