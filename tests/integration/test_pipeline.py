"""The pipeline as deployed: every way an order can go, and every fault one process can meet."""

import json
from collections.abc import Iterator

import pytest

from scripts.ops.dlq.dlq import redrive
from scripts.ops.dlq.messages import Filter
from tests.conftest import RunningStack
from tests.support.pipeline_client import EventRecorder, PipelineClient
from tests.support.polling import wait_until

pytestmark = pytest.mark.stack


@pytest.fixture
def pipeline(stack: RunningStack) -> PipelineClient:
    return PipelineClient(stack.environment)


@pytest.fixture(scope="module")
def recorder(stack: RunningStack) -> Iterator[EventRecorder]:
    with EventRecorder(stack.environment) as watching:
        yield watching


def test_a_paid_order_takes_its_stock_and_tells_every_step(
    pipeline: PipelineClient, recorder: EventRecorder
) -> None:
    sku = pipeline.create_sku(5)

    pipeline.place(pipeline.order("paid", sku, 2))

    order = pipeline.wait_for_status("paid", "CONFIRMED")
    assert (order.amount_minor, order.currency) == (1_000, "USD")
    assert pipeline.levels(sku) == (3, 0, 3)
    recorder.wait_for_events(
        pipeline.order_id("paid"), "PaymentRequested", "PaymentProcessed", "OrderConfirmed"
    )


def test_a_declined_order_gives_its_stock_back(pipeline: PipelineClient, recorder: EventRecorder) -> None:
    sku = pipeline.create_sku(5)

    pipeline.place(pipeline.order("declined", sku, 2, paymentMethod="sim_declined"))

    pipeline.wait_for_status("declined", "CANCELLED payment_failed")
    assert pipeline.levels(sku) == (5, 0, 5)
    recorder.wait_for_events(
        pipeline.order_id("declined"), "PaymentRequested", "PaymentFailed", "OrderCancelled"
    )


def test_what_is_not_there_is_not_sold(pipeline: PipelineClient, recorder: EventRecorder) -> None:
    sku = pipeline.create_sku(1)

    pipeline.place(pipeline.order("greedy", sku, 2))

    pipeline.wait_for_status("greedy", "REJECTED out_of_stock")
    assert pipeline.levels(sku) == (1, 0, 1)
    recorder.wait_for_events(pipeline.order_id("greedy"), "OrderRejected")


def test_two_lines_of_one_sku_cannot_oversell_together(pipeline: PipelineClient) -> None:
    sku = pipeline.create_sku(3)
    lines = [{"sku": sku, "quantity": 2}, {"sku": sku, "quantity": 2}]

    pipeline.place(pipeline.order("twice", sku) | {"items": lines})

    pipeline.wait_for_status("twice", "REJECTED out_of_stock")


def test_an_order_delivered_many_times_counts_once(pipeline: PipelineClient, recorder: EventRecorder) -> None:
    sku = pipeline.create_sku(5)
    order = pipeline.order("again", sku)

    pipeline.place(*[order] * 7)
    pipeline.wait_for_status("again", "CONFIRMED")
    pipeline.place(*[order] * 5)

    marker = pipeline.order("after", sku)
    pipeline.place(marker)
    pipeline.wait_for_status("after", "CONFIRMED")
    assert pipeline.levels(sku) == (3, 0, 3)
    for event in ("PaymentRequested", "PaymentProcessed", "OrderConfirmed"):
        assert len(recorder.event_ids_of(pipeline.order_id("again"), event)) == 1


def test_an_unpaid_order_is_called_off_at_once(pipeline: PipelineClient, recorder: EventRecorder) -> None:
    sku = pipeline.create_sku(5)
    pipeline.place(pipeline.order("waiting", sku, paymentMethod="sim_unavailable"))
    pipeline.wait_for_status("waiting", "RESERVED")

    pipeline.publish("OrderCancellationRequested", [{"orderId": pipeline.order_id("waiting")}])

    pipeline.wait_for_status("waiting", "CANCELLED customer_request")
    assert pipeline.levels(sku) == (5, 0, 5)
    recorder.wait_for_events(pipeline.order_id("waiting"), "OrderCancelled")


def test_a_paid_order_that_is_called_off_is_refunded_and_restocked(
    pipeline: PipelineClient, recorder: EventRecorder
) -> None:
    sku = pipeline.create_sku(5)
    pipeline.place(pipeline.order("regretted", sku))
    pipeline.wait_for_status("regretted", "CONFIRMED")

    pipeline.publish("OrderCancellationRequested", [{"orderId": pipeline.order_id("regretted")}])

    pipeline.wait_for_status("regretted", "REFUNDED")
    assert pipeline.levels(sku) == (5, 0, 5)
    recorder.wait_for_events(pipeline.order_id("regretted"), "RefundRequested", "RefundProcessed")


def test_a_refund_without_restock_leaves_the_shelf_alone(pipeline: PipelineClient) -> None:
    sku = pipeline.create_sku(5)
    pipeline.place(pipeline.order("broken", sku))
    pipeline.wait_for_status("broken", "CONFIRMED")

    pipeline.publish(
        "RefundRequested", [{"orderId": pipeline.order_id("broken"), "reason": "broken on arrival"}]
    )

    pipeline.wait_for_status("broken", "REFUNDED")
    assert pipeline.levels(sku) == (4, 0, 4)


def test_a_cancellation_that_overtakes_its_order_still_counts(pipeline: PipelineClient) -> None:
    sku = pipeline.create_sku(5)
    pipeline.publish("OrderCancellationRequested", [{"orderId": pipeline.order_id("overtaken")}])

    pipeline.place(pipeline.order("overtaken", sku))

    ended = ("CANCELLED customer_request", "REFUNDED")
    wait_until(
        lambda: (
            (order := pipeline.find("overtaken")) is not None
            and (order.status.value in ended or f"{order.status.value} {order.reason}" in ended)
        ),
        "the order is cancelled",
    )
    assert pipeline.levels(sku) == (5, 0, 5)


def test_an_order_nobody_can_charge_expires_and_its_payment_ends_as_a_dead_letter(
    pipeline: PipelineClient, recorder: EventRecorder
) -> None:
    sku = pipeline.create_sku(5)

    pipeline.place(pipeline.order("stuck", sku, 2, paymentMethod="sim_unavailable"))

    pipeline.wait_for_status("stuck", "CANCELLED reservation_expired")
    assert pipeline.levels(sku) == (5, 0, 5)
    recorder.wait_for_events(pipeline.order_id("stuck"), "OrderCancelled")


def test_a_payment_that_comes_too_late_is_refunded_and_says_so(
    pipeline: PipelineClient, recorder: EventRecorder
) -> None:
    sku = pipeline.create_sku(5)

    pipeline.place(pipeline.order("late", sku, paymentMethod="sim_slow"))

    pipeline.wait_for_status("late", "CANCELLED reservation_expired")
    wait_until(lambda: pipeline.get("late").payment is not None, "the late charge is noted")
    payment = pipeline.get("late").payment
    assert payment is not None
    assert payment.charge_id
    assert payment.refunded_minor == pipeline.get("late").amount_minor
    assert pipeline.levels(sku) == (5, 0, 5)
    recorder.wait_for_events(
        pipeline.order_id("late"), "PaymentProcessed", "RefundProcessed", "OrderCancelled"
    )


BAD_ORDERS: dict[str, dict[str, object]] = {
    "no items": {"items": []},
    "zero": {"items": [{"sku": "x", "quantity": 0}]},
    "negative": {"items": [{"sku": "x", "quantity": -1}]},
    "fraction": {"items": [{"sku": "x", "quantity": 1.5}]},
    "text": {"items": [{"sku": "x", "quantity": "2"}]},
    "enormous": {"items": [{"sku": "x", "quantity": 10**30}]},
    "not a list": {"items": {"sku": "x", "quantity": 1}},
    "too many skus": {"items": [{"sku": f"x{n}", "quantity": 1} for n in range(91)]},
    "hash": {"customerId": "a#b"},
    "control": {"customerId": "a\u0007b"},
    "too long": {"customerId": "c" * 129},
    "null": {"customerId": None},
    "bad time": {"placedAt": "yesterday"},
}


def test_orders_that_cannot_be_read_are_set_aside_and_hold_nobody_up(pipeline: PipelineClient) -> None:
    sku = pipeline.create_sku(50)
    bad = [pipeline.order(f"bad-{n}", sku) | fault for n, fault in enumerate(BAD_ORDERS.values())]
    good = [pipeline.order(f"good-{n}", sku) for n in range(5)]

    pipeline.place(*bad[:6], *good, *bad[6:])
    pipeline.environment.client("sqs").send_message(
        QueueUrl=pipeline.environment.queue_url("order"), MessageBody=f"{{not JSON {pipeline.run}"
    )

    assert {
        order.status.value for order in pipeline.wait_until_settled([f"good-{n}" for n in range(5)]).values()
    } == {"CONFIRMED"}
    wait_until(lambda: len(pipeline.dlq("order")) == len(bad) + 1, "every unreadable order is set aside")
    reasons = sorted(pipeline.dlq("order").values())
    assert reasons == ["invalid_event"] * len(bad) + ["invalid_json"]


def test_a_message_that_keeps_failing_ends_as_a_dead_letter_that_can_be_sent_again(
    pipeline: PipelineClient,
) -> None:
    sku = pipeline.create_sku(5)
    name = pipeline.order_id("early")
    pipeline.publish("RefundRequested", [{"orderId": name, "restock": True}])
    wait_until(lambda: len(pipeline.dlq("payment")) == 1, "five deliveries are enough")
    pipeline.place(pipeline.order("early", sku))
    pipeline.wait_for_status("early", "CONFIRMED")

    (body,) = pipeline.dlq("payment")
    assert json.loads(body)["detail"]["orderId"] == name
    refunds = Filter(events=frozenset({"RefundRequested"}))
    redrive(pipeline.ops, pipeline.ops.dlq("payment"), refunds, rate=None, on_progress=lambda _: None)

    pipeline.wait_for_status("early", "REFUNDED")
    assert pipeline.levels(sku) == (5, 0, 5)
