"""A repair on a running stack: orders whose message was lost end through the usual steps and events."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from scripts.ops.dlq.dlq import peek
from scripts.ops.dlq.messages import Filter
from scripts.ops.reconcile.reconcile import audit
from scripts.ops.reconcile.repair import repair
from scripts.ops.reconcile.rules import Kind
from services.shared.group_commit import GroupCommit
from services.shared.ledger import Committed, Key, Placement
from tests.conftest import RunningStack
from tests.integration.shop import Shop, Witness

pytestmark = pytest.mark.stack

NO_GRACE = timedelta()


@pytest.fixture
def shop(stack: RunningStack) -> Shop:
    return Shop(stack.environment)


@pytest.fixture
def witness(stack: RunningStack) -> Iterator[Witness]:
    with Witness(stack.environment) as watching:
        yield watching


def _reserve_untold(shop: Shop, name: str, sku: str, *, ago: timedelta, hold: timedelta) -> None:
    """Reserve as the order service does, and die before anybody is told."""
    at = shop.ops.clock.now() - ago
    key = Key("default", shop.order_id(name))
    placement = Placement(
        key=key,
        customer_id="customer-1",
        quantities=((sku, 2),),
        placed_at=at,
        payment_method=None,
        at=at,
        expires_at=at + hold,
        event_id=f"placed-{key.id}",
    )
    assert isinstance(GroupCommit(shop.ops.books).reserve([placement])[key], Committed)


def _found(shop: Shop) -> dict[str, Kind]:
    return {one.key.id: one.kind for one in audit(shop.ops, grace=NO_GRACE).findings.all}


def test_a_reservation_whose_expiry_never_came_is_released(shop: Shop, witness: Witness) -> None:
    sku = shop.stocked(5)
    _reserve_untold(shop, "forgotten", sku, ago=timedelta(minutes=20), hold=timedelta(minutes=15))
    assert _found(shop).get(shop.order_id("forgotten")) is Kind.OVERDUE

    repair(shop.ops, NO_GRACE)

    order = shop.comes_to("forgotten", "CANCELLED reservation_expired")
    assert [step.status.value for step in order.history] == ["RESERVED", "CANCELLED"]
    assert shop.levels(sku) == (5, 0, 5)
    witness.hears(shop.order_id("forgotten"), "OrderCancelled")
    assert shop.order_id("forgotten") not in _found(shop)


def test_a_reservation_whose_payment_was_never_asked_for_is_paid(shop: Shop, witness: Witness) -> None:
    sku = shop.stocked(5)
    _reserve_untold(shop, "untold", sku, ago=timedelta(minutes=2), hold=timedelta(minutes=15))

    repair(shop.ops, NO_GRACE)

    order = shop.comes_to("untold", "CONFIRMED")
    assert [step.status.value for step in order.history] == ["RESERVED", "CONFIRMED"]
    assert shop.levels(sku) == (3, 0, 3)
    witness.hears(shop.order_id("untold"), "PaymentRequested", "PaymentProcessed", "OrderConfirmed")


def test_an_order_called_off_unpaid_is_looked_up_without_any_effect(shop: Shop) -> None:
    sku = shop.stocked(5)
    shop.place(shop.order("called-off", sku, paymentMethod="sim_unavailable"))
    shop.comes_to("called-off", "RESERVED")
    shop.say("OrderCancellationRequested", [{"orderId": shop.order_id("called-off")}])
    before = shop.comes_to("called-off", "CANCELLED customer_request")

    repaired = repair(shop.ops, NO_GRACE)

    marker = shop.order("marker", sku)
    shop.place(marker)
    shop.comes_to("marker", "CONFIRMED")
    about = Filter(orders=frozenset({shop.order_id("called-off")}))
    assert repaired.to_look_up >= 1
    assert shop.found("called-off") == before
    assert peek([shop.ops.dlq("payment")], about) == []


def test_a_row_that_cannot_be_read_is_a_finding_and_ends_neither_audit_nor_repair(shop: Shop) -> None:
    dynamodb, table = shop.environment.client("dynamodb"), shop.environment.names.orders_table
    row = {"pk": {"S": Key("default", shop.order_id("odd")).pk}}
    dynamodb.put_item(TableName=table, Item={**row, "status": {"S": "NONSENSE"}})
    try:
        found = _found(shop)
        repair(shop.ops, NO_GRACE)
    finally:
        dynamodb.delete_item(TableName=table, Key=row)

    assert found.get(shop.order_id("odd")) is Kind.UNREADABLE
