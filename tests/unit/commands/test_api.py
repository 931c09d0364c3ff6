"""Commands over HTTP: what is accepted once, what is refused, and what the bus gets."""

from datetime import timedelta
from typing import Any

import pytest

from services.shared.events import OrderPlaced
from services.shared.ledger import Key, Line, Order, Payment, Refund, Status, Transition
from tests.support.commands import ORDER, CommandsApi
from tests.support.fakes import START


@pytest.fixture
def api() -> CommandsApi:
    return CommandsApi()


def stored(api: CommandsApi, order_id: str, status: Status, **changed: Any) -> Order:  # noqa: ANN401 - fields of Order
    order = Order(
        **{
            "key": Key("acme", order_id),
            "status": status,
            "customer_id": "ann",
            "lines": (Line("prod-001", 2, 500),),
            "amount_minor": 1_000,
            "currency": "USD",
            "placed_at": START,
            "history": (Transition(status, START, "event-1"),),
            **changed,
        }
    )
    api.store.orders[order.key] = order
    return order


# --- placing


def test_an_order_is_accepted_with_an_id_a_location_and_an_event(api: CommandsApi) -> None:
    reply = api.post("/api/orders", {**ORDER, "region": "EU"})

    order_id = reply.data["orderId"]
    assert reply.status == 202
    assert reply.data["status"] == "RECEIVED"
    assert reply.headers["location"] == f"/api/orders/{order_id}"
    (event,) = api.bus.published
    assert isinstance(event, OrderPlaced)
    assert (event.tenant_id, event.order_id, event.customer_id, event.region) == (
        "acme",
        order_id,
        "ann",
        "EU",
    )
    assert event.placed_at == event.occurred_at == START


def test_the_same_request_again_is_the_same_order_and_the_same_event(api: CommandsApi) -> None:
    first = api.post("/api/orders", ORDER)
    api.clock.advance(timedelta(hours=1))
    # Members in another order, and nulls, are the same body.
    again = api.post("/api/orders", {"region": None, "items": ORDER["items"], "customerId": "ann"})

    assert (again.status, again.body, again.headers["location"]) == (
        202,
        first.body,
        first.headers["location"],
    )
    assert api.bus.published[0] == api.bus.published[1]


def test_another_body_under_the_same_key_is_a_conflict(api: CommandsApi) -> None:
    api.post("/api/orders", ORDER)

    reply = api.post("/api/orders", {**ORDER, "customerId": "ben"})

    assert (reply.status, reply.problem) == (409, "key-reused")
    assert len(api.bus.published) == 1


def test_the_key_of_another_tenant_is_another_order(api: CommandsApi) -> None:
    api.join("eve", "editor", tenant="globex")
    ours = api.post("/api/orders", ORDER)

    theirs = api.post(
        "/api/orders", {**ORDER, "customerId": "eve"}, by=api.claims("eve", "editor", tenant="globex")
    )

    assert theirs.status == 202
    assert theirs.data["orderId"] != ours.data["orderId"]
    assert api.bus.published[1].tenant_id == "globex"


def test_after_the_receipt_expired_the_order_itself_is_compared(api: CommandsApi) -> None:
    order_id = api.post("/api/orders", ORDER).data["orderId"]
    stored(api, order_id, Status.CONFIRMED)
    del api.console.items["org#acme", f"receipt#{order_id}"]

    same = api.post("/api/orders", ORDER)
    del api.console.items["org#acme", f"receipt#{order_id}"]
    other = api.post("/api/orders", {**ORDER, "items": [{"sku": "prod-001", "quantity": 3}]})

    assert same.data["orderId"] == order_id
    assert api.bus.published[0] == api.bus.published[1]
    assert (other.status, other.problem) == (409, "key-reused")
    assert ("org#acme", f"receipt#{order_id}") not in api.console.items


def test_when_the_bus_refuses_the_caller_retries_and_nothing_is_forgotten(api: CommandsApi) -> None:
    api.bus.down = True
    refused = api.post("/api/orders", ORDER)
    api.bus.down = False

    accepted = api.post("/api/orders", ORDER)

    assert refused.status == 503
    assert int(refused.headers["retry-after"]) > 0
    assert accepted.status == 202
    assert [it.event_id for it in api.bus.published] != []


@pytest.mark.parametrize("key", [None, "", "two words", "ümlaut", "x" * 129])
def test_a_key_is_required(api: CommandsApi, key: str | None) -> None:
    reply = api.post("/api/orders", ORDER, key=key)

    assert (reply.status, reply.problem) == (400, "missing-idempotency-key")
    assert api.bus.published == []


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"items": ORDER["items"]}, "customerId"),
        ({**ORDER, "items": []}, "items"),
        ({**ORDER, "items": [{"sku": "prod-001", "quantity": 0}]}, "items.0.quantity"),
        ({**ORDER, "items": [{"sku": "prod-001", "quantity": 1.5}]}, "items.0.quantity"),
        ({**ORDER, "items": [{"sku": "a#b", "quantity": 1}]}, "items.0.sku"),
        ({**ORDER, "items": [{"sku": "prod-001", "quantity": 1, "price": 1}]}, "items.0.price"),
        ({**ORDER, "tenantId": "globex"}, "tenantId"),
        ({**ORDER, "orderId": "mine"}, "orderId"),
        ({**ORDER, "items": [{"sku": f"sku-{n}", "quantity": 1} for n in range(91)]}, "body"),
        ([ORDER], "body"),
    ],
)
def test_what_is_wrong_with_a_body_is_named(api: CommandsApi, body: object, named: str) -> None:
    reply = api.post("/api/orders", body)

    assert reply.status == 422
    assert named in {it["parameter"] for it in reply.body["errors"]}
    assert api.bus.published == []
    assert not [key for key in api.console.items if key[1].startswith("receipt#")]


@pytest.mark.parametrize(
    "text", ["{", '{"customerId": NaN}', '{"customerId": "ann", "customerId": "ben"}', "[" * 100_000]
)
def test_what_is_no_json_is_refused(api: CommandsApi, text: str) -> None:
    reply = api.post("/api/orders", text)

    assert (reply.status, reply.problem) == (400, "bad-body")


def test_a_body_of_another_media_type_is_refused(api: CommandsApi) -> None:
    reply = api.post("/api/orders", ORDER, headers={"content-type": "text/plain"})

    assert (reply.status, reply.problem) == (415, "wrong-media-type")


def test_a_body_of_more_than_256_kb_is_refused(api: CommandsApi) -> None:
    reply = api.post("/api/orders", {**ORDER, "region": "x" * 256 * 1_024})

    assert (reply.status, reply.problem) == (413, "too-large")


# --- who may


def test_a_viewer_may_not_write(api: CommandsApi) -> None:
    reply = api.post("/api/orders", ORDER, by=api.claims("vic", "viewer"))

    assert reply.status == 403
    assert "admin or editor" in reply.body["detail"]
    assert api.bus.published == []


def test_a_machine_writes_orders_with_the_scope_and_nothing_else(api: CommandsApi) -> None:
    machine = api.claims("mac", "machine", "orders:write")

    assert api.post("/api/orders", ORDER, by=machine).status == 202
    refused = api.post("/api/inventory/prod-001/adjust", {"delta": 1}, by=machine)

    assert refused.status == 403
    assert "inventory:write" in refused.body["detail"]


def test_a_machine_without_scopes_writes_nothing(api: CommandsApi) -> None:
    assert api.post("/api/orders", ORDER, by=api.claims("mac", "machine")).status == 403


def test_a_removed_member_s_writes_end_at_once(api: CommandsApi) -> None:
    token = api.claims("ann", "editor")
    assert api.post("/api/orders", ORDER, by=token).status == 202

    del api.console.items["user#ann", "org#acme"]

    assert api.post("/api/orders", ORDER, by=token).status == 403
    assert len(api.bus.published) == 1


def test_a_role_taken_away_ends_writes_though_the_token_still_has_it(api: CommandsApi) -> None:
    api.join("ann", "viewer")

    assert api.post("/api/orders", ORDER, by=api.claims("ann", "editor")).status == 403


def test_a_token_for_another_organization_gives_nothing_without_membership_there(api: CommandsApi) -> None:
    assert api.post("/api/orders", ORDER, by=api.claims("ann", "editor", tenant="globex")).status == 403


def test_a_caller_writes_100_at_once_and_then_20_a_second(api: CommandsApi) -> None:
    statuses = [api.post("/api/orders", ORDER).status for _ in range(101)]
    refused = api.post("/api/orders", ORDER)
    others = api.post("/api/orders", ORDER, by=api.claims("adam", "admin"))
    api.clock.advance(timedelta(seconds=1))
    later = [api.post("/api/orders", ORDER).status for _ in range(21)]

    assert statuses == [202] * 100 + [429]
    assert refused.problem == "too-many-requests"
    assert refused.headers["retry-after"] == "1"
    assert others.status == 202
    assert later == [202] * 20 + [429]


# --- cancelling and refunding


def test_a_reserved_order_is_cancelled(api: CommandsApi) -> None:
    stored(api, "ord-1", Status.RESERVED)

    reply = api.post("/api/orders/ord-1/cancel", {"reason": "changed my mind"})

    assert (reply.status, reply.data) == (202, {"orderId": "ord-1", "requested": "cancellation"})
    (event,) = api.bus.published
    assert (event.detail_type(), event.tenant_id) == ("OrderCancellationRequested", "acme")
    assert '"reason":"changed my mind"' in event.wire()


@pytest.mark.parametrize(("seconds", "status"), [(-1, 409), (1, 202)])
def test_a_paid_order_is_cancelled_only_as_long_as_it_may_be(
    api: CommandsApi, seconds: int, status: int
) -> None:
    until = api.clock() + timedelta(seconds=seconds)
    stored(api, "paid", Status.CONFIRMED, cancellable_until=until)
    stored(api, "unpaid", Status.RESERVED, cancellable_until=until)

    assert api.post("/api/orders/paid/cancel").status == status
    assert api.post("/api/orders/unpaid/cancel").status == 202


def test_an_order_says_what_its_customer_was_shown_and_until_when_it_is_cancellable(api: CommandsApi) -> None:
    shown = {"expectedAmountMinor": 1_000, "cancellableUntil": "2026-02-01T12:00:00.000Z"}

    assert api.post("/api/orders", {**ORDER, **shown}).status == 202
    assert api.post("/api/orders", {**ORDER, "expectedAmountMinor": -1}, key="k-2").status == 422

    (event,) = api.bus.published
    assert '"expectedAmountMinor":1000' in event.wire()
    assert '"cancellableUntil":"2026-02-01T12:00:00.000Z"' in event.wire()


def test_an_order_that_is_only_received_can_be_cancelled(api: CommandsApi) -> None:
    order_id = api.post("/api/orders", ORDER).data["orderId"]

    assert api.post(f"/api/orders/{order_id}/cancel").status == 202
    assert api.post(f"/api/orders/{order_id}/refund").status == 409


def test_a_confirmed_order_is_refunded_and_asking_twice_is_the_same_request(api: CommandsApi) -> None:
    stored(api, "ord-1", Status.CONFIRMED)

    for _ in range(2):
        assert api.post("/api/orders/ord-1/refund", {"restock": True}).status == 202

    first, second = api.bus.published
    assert first.detail_type() == "RefundRequested"
    assert first.event_id == second.event_id
    assert '"restock":true' in first.wire()


def test_a_part_is_refunded_under_an_idempotency_key(api: CommandsApi) -> None:
    stored(api, "ord-1", Status.CONFIRMED)

    for key in ("k-1", "k-1", "k-2"):
        reply = api.post("/api/orders/ord-1/refund", {"amountMinor": 100}, key=key)
        assert reply.status == 202

    first, again, other = api.bus.published
    assert first.event_id == again.event_id != other.event_id
    assert '"amountMinor":100' in first.wire()


def test_a_part_without_an_idempotency_key_could_be_refunded_twice_and_is_refused(api: CommandsApi) -> None:
    stored(api, "ord-1", Status.CONFIRMED)

    reply = api.post("/api/orders/ord-1/refund", {"amountMinor": 100}, key=None)

    assert (reply.status, reply.problem) == (400, "missing-idempotency-key")
    assert api.bus.published == []


@pytest.mark.parametrize("amount", [0, -1, 1.5, "100"])
def test_an_amount_is_a_positive_whole_number(api: CommandsApi, amount: object) -> None:
    stored(api, "ord-1", Status.CONFIRMED)

    assert api.post("/api/orders/ord-1/refund", {"amountMinor": amount}).status == 422


def test_more_than_is_left_is_refused_with_what_is_left(api: CommandsApi) -> None:
    stored(api, "ord-1", Status.CONFIRMED, payment=Payment("ch", refunds=(Refund("r", 500, "broken"),)))

    assert api.post("/api/orders/ord-1/refund", {"amountMinor": 500}, key="k").status == 202
    reply = api.post("/api/orders/ord-1/refund", {"amountMinor": 501}, key="k-2")

    assert (reply.status, reply.problem) == (409, "wrong-state")
    assert "Only 500 of 1000" in reply.body["detail"]


def test_a_key_of_a_refund_is_not_used_for_another_amount(api: CommandsApi) -> None:
    stored(api, "ord-1", Status.CONFIRMED)
    api.post("/api/orders/ord-1/refund", {"amountMinor": 500}, key="k")
    request_id = api.bus.published[0].event_id
    stored(api, "ord-1", Status.CONFIRMED, payment=Payment("ch", refunds=(Refund(request_id, 500, "r"),)))

    assert api.post("/api/orders/ord-1/refund", {"amountMinor": 500}, key="k").status == 202
    reply = api.post("/api/orders/ord-1/refund", {"amountMinor": 600}, key="k")

    assert (reply.status, reply.problem) == (409, "key-reused")


@pytest.mark.parametrize(
    ("action", "status"),
    [
        ("cancel", Status.REJECTED),
        ("cancel", Status.REFUNDED),
        ("refund", Status.RESERVED),
        ("refund", Status.CANCELLED),
        ("refund", Status.REJECTED),
    ],
)
def test_a_request_without_effect_is_refused_with_the_order_s_status(
    api: CommandsApi, action: str, status: Status
) -> None:
    stored(api, "ord-1", status)

    reply = api.post(f"/api/orders/ord-1/{action}")

    assert (reply.status, reply.problem) == (409, "wrong-state")
    assert status in reply.body["detail"]
    assert api.bus.published == []


@pytest.mark.parametrize("action", ["cancel", "refund"])
def test_an_order_of_another_tenant_does_not_exist(api: CommandsApi, action: str) -> None:
    stored(api, "theirs", Status.CONFIRMED, key=Key("globex", "theirs"))

    assert api.post(f"/api/orders/theirs/{action}").status == 404
    assert api.bus.published == []


# --- stock


def test_stock_is_adjusted_and_told(api: CommandsApi) -> None:
    reply = api.post("/api/inventory/prod-001/adjust", {"delta": -3})

    assert reply.status == 200
    assert reply.data == {"sku": "prod-001", "stock": 6, "reserved": 2, "available": 4, "published": True}
    assert api.bus.published[0].detail_type() == "InventoryAdjusted"


def test_no_more_is_taken_than_is_available(api: CommandsApi) -> None:
    reply = api.post("/api/inventory/prod-001/adjust", {"delta": -8})

    assert (reply.status, reply.problem) == (409, "wrong-state")
    assert "7 of 9" in reply.body["detail"]


def test_an_unknown_product_is_not_found(api: CommandsApi) -> None:
    assert api.post("/api/inventory/prod-009/adjust", {"delta": 1}).status == 404


# --- events

STARTED = {
    "subscriptionId": "sub-1",
    "customerId": "ann",
    "plan": "team",
    "interval": "month",
    "amountMinor": 900,
    "currency": "USD",
}


def test_an_event_of_the_shop_is_published_for_the_caller_s_tenant(api: CommandsApi) -> None:
    body = {"type": "SubscriptionStarted", "detail": {**STARTED, "tenantId": "globex", "eventId": "mine"}}

    replies = [api.post("/api/events", body) for _ in range(2)]

    first, second = api.bus.published
    assert first == second
    assert first.tenant_id == "acme"
    assert [it.data["eventId"] for it in replies] == [first.event_id] * 2
    assert first.event_id != "mine"


@pytest.mark.parametrize(
    "name",
    [
        *("OrderPlaced", "PaymentRequested", "PaymentProcessed", "PaymentFailed", "OrderConfirmed"),
        *("OrderRejected", "OrderCancelled", "OrderCancellationRequested", "RefundRequested"),
        *("RefundProcessed", "InventoryAdjusted", "Nonsense"),
    ],
)
def test_nobody_publishes_what_another_function_tells(api: CommandsApi, name: str) -> None:
    reply = api.post("/api/events", {"type": name, "detail": {}})

    assert reply.status == 422
    assert api.bus.published == []


def test_what_is_wrong_with_an_event_is_named(api: CommandsApi) -> None:
    reply = api.post("/api/events", {"type": "SubscriptionStarted", "detail": {**STARTED, "amountMinor": -1}})

    assert {it["parameter"] for it in reply.body["errors"]} == {"detail.amountMinor"}
