"""A repair on a running stack: orders whose message was lost end through the usual steps and events."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from scripts.ops.dlq.dlq import peek
from scripts.ops.dlq.messages import Filter
from scripts.ops.reconcile.repair import repair
from services.order.consistency import Kind
from services.order.reconcile import reconcile
from services.shared.group_commit import GroupCommit
from services.shared.ledger import Committed, Key, Placement
from tests.conftest import RunningStack
from tests.support.pipeline_client import EventRecorder, PipelineClient

pytestmark = pytest.mark.stack

NO_GRACE = timedelta()


@pytest.fixture
def pipeline(stack: RunningStack) -> PipelineClient:
    return PipelineClient(stack.environment)


@pytest.fixture
def recorder(stack: RunningStack) -> Iterator[EventRecorder]:
    with EventRecorder(stack.environment) as watching:
        yield watching


def _reserve_untold(
    pipeline: PipelineClient, name: str, sku: str, *, ago: timedelta, hold: timedelta
) -> None:
    """Reserve as the order service does, and stop before publishing."""
    at = pipeline.ops.clock.now() - ago
    key = Key("default", pipeline.order_id(name))
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
    assert isinstance(GroupCommit(pipeline.ops.store).reserve([placement])[key], Committed)


def _found(pipeline: PipelineClient) -> dict[str, Kind]:
    result = reconcile(pipeline.ops.store, pipeline.ops.clock, grace=NO_GRACE)
    return {one.key.id: one.kind for one in result.discrepancies}


def test_a_reservation_whose_expiry_never_came_is_released(
    pipeline: PipelineClient, recorder: EventRecorder
) -> None:
    sku = pipeline.create_sku(5)
    _reserve_untold(pipeline, "forgotten", sku, ago=timedelta(minutes=20), hold=timedelta(minutes=15))
    assert _found(pipeline).get(pipeline.order_id("forgotten")) is Kind.OVERDUE

    repair(pipeline.ops, NO_GRACE)

    order = pipeline.wait_for_status("forgotten", "CANCELLED reservation_expired")
    assert [step.status.value for step in order.history] == ["RESERVED", "CANCELLED"]
    assert pipeline.levels(sku) == (5, 0, 5)
    recorder.wait_for_events(pipeline.order_id("forgotten"), "OrderCancelled")
    assert pipeline.order_id("forgotten") not in _found(pipeline)


def test_a_reservation_whose_payment_was_never_asked_for_is_paid(
    pipeline: PipelineClient, recorder: EventRecorder
) -> None:
    sku = pipeline.create_sku(5)
    _reserve_untold(pipeline, "untold", sku, ago=timedelta(minutes=2), hold=timedelta(minutes=15))

    repair(pipeline.ops, NO_GRACE)

    order = pipeline.wait_for_status("untold", "CONFIRMED")
    assert [step.status.value for step in order.history] == ["RESERVED", "CONFIRMED"]
    assert pipeline.levels(sku) == (3, 0, 3)
    recorder.wait_for_events(
        pipeline.order_id("untold"), "PaymentRequested", "PaymentProcessed", "OrderConfirmed"
    )


def test_an_order_called_off_unpaid_is_looked_up_without_any_effect(pipeline: PipelineClient) -> None:
    sku = pipeline.create_sku(5)
    pipeline.place(pipeline.order("called-off", sku, paymentMethod="sim_unavailable"))
    pipeline.wait_for_status("called-off", "RESERVED")
    pipeline.publish("OrderCancellationRequested", [{"orderId": pipeline.order_id("called-off")}])
    before = pipeline.wait_for_status("called-off", "CANCELLED customer_request")

    repaired = repair(pipeline.ops, NO_GRACE)

    marker = pipeline.order("marker", sku)
    pipeline.place(marker)
    pipeline.wait_for_status("marker", "CONFIRMED")
    about = Filter(orders=frozenset({pipeline.order_id("called-off")}))
    assert repaired.to_look_up >= 1
    assert pipeline.get("called-off") == before
    assert peek([pipeline.ops.dlq("payment")], about) == []


def test_a_row_that_cannot_be_read_is_a_finding_and_ends_neither_audit_nor_repair(
    pipeline: PipelineClient,
) -> None:
    dynamodb, table = pipeline.environment.client("dynamodb"), pipeline.environment.names.orders_table
    row = {"pk": {"S": Key("default", pipeline.order_id("odd")).pk}}
    dynamodb.put_item(TableName=table, Item={**row, "status": {"S": "NONSENSE"}})
    try:
        found = _found(pipeline)
        repair(pipeline.ops, NO_GRACE)
    finally:
        dynamodb.delete_item(TableName=table, Key=row)

    assert found.get(pipeline.order_id("odd")) is Kind.UNREADABLE
