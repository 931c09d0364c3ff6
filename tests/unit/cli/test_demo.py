"""`pulsequeue demo` places orders of the sample catalogue until its time is over, or Ctrl-C."""

import json
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from scripts.cli.inventory import CATALOGUE
from scripts.common.clock import Clock
from scripts.ops import inventory
from scripts.ops.orders.demo_orders import demo_orders
from scripts.ops.orders.order_input import check
from tests.support.fakes import START, RecordingBus
from tests.support.ops_context import MemoryOpsContext
from tests.unit.conftest import CommandLine

PRODUCTS = inventory.products(json.loads(CATALOGUE.read_bytes()), CATALOGUE.name)
CURRENCY_OF = {it.sku: it.currency for it in PRODUCTS}


def placed(ops: MemoryOpsContext) -> list[dict[str, Any]]:
    events = [event for event in ops.bus.published if event.detail_type() == "OrderPlaced"]
    return [json.loads(event.wire()) for event in events]


def test_it_stops_when_its_time_is_over(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    ran = pulsequeue("demo", "--minutes", "2", "--rate", "0.5", "--json")

    assert (ran.code, ran.json) == (0, {"placed": 60, "refused": 0, "interrupted": False})
    assert timedelta(seconds=118) <= ops.time.now - START <= timedelta(seconds=122)
    assert len({it["orderId"] for it in placed(ops)}) == 60


def test_it_says_how_long_it_goes_on_and_how_to_stop_it(pulsequeue: CommandLine) -> None:
    ran = pulsequeue("demo", "--minutes", "1", "--rate", "1")

    assert "Placing 60 orders in 1 min, 1 per second; Ctrl-C stops it." in ran.err
    assert "Done: 60 orders were placed." in ran.out


def test_ctrl_c_ends_it_without_an_error(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    def interrupt(seconds: float) -> None:
        if len(placed(ops)) == 3:
            raise KeyboardInterrupt
        ops.time.advance(timedelta(seconds=seconds))

    ops.clock = Clock(now=ops.time, sleep=interrupt)

    ran = pulsequeue("demo")

    assert ran.code == 0
    assert ran.out == "Stopped: 3 orders were placed.\n"


def test_products_that_are_missing_are_added_first(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    pulsequeue("demo", "--minutes", "0.1")

    assert {stock.key.id for stock in ops.store.scan_stock()} == set(CURRENCY_OF)


class _Refusing(RecordingBus):
    def publish(self, events: Any) -> Any:  # noqa: ANN401 - as its base
        return [event for event in events if event.detail_type() == "OrderPlaced"]


def test_a_bus_that_refuses_orders_is_an_error(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    ops.bus = _Refusing()

    ran = pulsequeue("demo")

    assert ran.code == 1
    assert "the bus refused some orders (1); see `pulsequeue status`, then run it again." in ran.err


@pytest.mark.parametrize(
    "options", [("--minutes", "0"), ("--rate", "21"), ("--minutes", "soon"), ("--env", "dev")]
)
def test_what_makes_no_sense_is_refused(
    pulsequeue: CommandLine, ops: MemoryOpsContext, options: tuple[str, ...]
) -> None:
    assert pulsequeue("demo", *options).code == 2
    assert ops.bus.published == []


def test_its_orders_are_valid_varied_and_of_one_currency_each() -> None:
    orders = list(demo_orders("demo", 2_000, PRODUCTS, Random(7)))  # noqa: S311 - the same on every run

    check(orders, START)
    currencies = [{CURRENCY_OF[item["sku"]] for item in it.detail["items"]} for it in orders]
    assert all(len(it) == 1 for it in currencies)
    for name, least in (("region", 3), ("channel", 3), ("paymentMethod", 4), ("customerId", 40)):
        assert len({it.detail[name] for it in orders}) == least
    assert {item["sku"] for it in orders for item in it.detail["items"]} == set(CURRENCY_OF)
