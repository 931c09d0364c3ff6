"""Orders: page by page, and one by one."""

from datetime import timedelta
from typing import Any

import pytest

from services.analytics.api.unprojected import UnprojectedOrder, find_unprojected
from services.analytics.queries.orders import MAX_EVENTS
from services.shared.ledger import Key, Line, Order, Status, Transition
from services.shared.receipts import Receipt, Receipts
from tests.postgres.api.client import ApiClient, at, claims, inbox_row, insert, order
from tests.postgres.conftest import Analytics
from tests.support.console import MemoryConsole
from tests.support.fakes import START, MemoryStore


def ids(data: Any) -> list[str]:  # noqa: ANN401 - a JSON tree
    return [one["orderId"] for one in data["orders"]]


def test_an_order_is_told_with_its_money_and_its_times(analytics: Analytics, client: ApiClient) -> None:
    insert(
        analytics,
        "orders",
        order("o-1", region="eu", channel="web", payment_method="sim_ok", confirmed_at=START),
    )

    answer = client.ask("/api/orders")

    assert answer.data == {
        "orders": [
            {
                "orderId": "o-1",
                "customerId": "ann",
                "status": "CONFIRMED",
                "reason": None,
                "region": "eu",
                "channel": "web",
                "paymentMethod": "sim_ok",
                "amount": {"amountMinor": 1000, "currency": "USD"},
                "units": 2,
                "placedAt": "2026-01-31T12:00:00.000Z",
                "reservedAt": None,
                "confirmedAt": "2026-01-31T12:00:00.000Z",
                "endedAt": None,
            }
        ]
    }
    assert answer.body["page"] == {"limit": 50, "nextCursor": None}
    assert answer.headers["cache-control"] == "no-store"


def test_an_order_without_a_price_has_no_amount(analytics: Analytics, client: ApiClient) -> None:
    insert(analytics, "orders", order("o-1", status="PLACED", amount_minor=None, currency=None))

    assert client.ask("/api/orders").data["orders"][0]["amount"] is None


def test_orders_are_told_newest_first_and_those_of_one_moment_by_their_id(
    analytics: Analytics, client: ApiClient
) -> None:
    later = START + timedelta(microseconds=1)
    insert(analytics, "orders", order("b"), order("z", later), order("a"), order("c"))

    assert ids(client.ask("/api/orders").data) == ["z", "c", "b", "a"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"status": "CANCELLED"}, ["o-2"]),
        ({"customer": "bob"}, ["o-3"]),
        ({"from": "2026-01-02"}, ["o-3", "o-2"]),
        ({"to": "2026-01-02"}, ["o-1"]),
        ({"from": "2026-01-02", "to": "2026-01-03"}, ["o-2"]),
        ({"status": "CONFIRMED", "customer": "bob", "from": "2026-01-01", "to": "2026-02-01"}, ["o-3"]),
        ({"customer": "nobody"}, []),
    ],
)
def test_filters_leave_out_what_was_not_asked_for(
    analytics: Analytics, client: ApiClient, query: dict[str, str], expected: list[str]
) -> None:
    insert(
        analytics,
        "orders",
        order("o-1", at("2026-01-01T23:59:59.999999")),
        order("o-2", at("2026-01-02T00:00:00"), status="CANCELLED"),
        order("o-3", at("2026-01-03T00:00:00"), customer_id="bob"),
    )

    assert ids(client.ask("/api/orders", query).data) == expected


def test_pages_tell_every_order_once_while_newer_ones_come_in(
    analytics: Analytics, client: ApiClient
) -> None:
    # Many share a moment, and moments differ by a microsecond: what a cursor forgets would show.
    known = [order(f"o-{n:03}", START + timedelta(microseconds=n // 4)) for n in range(50)]
    insert(analytics, "orders", *known)
    values: list[str] = []
    query: dict[str, object] = {"limit": 7}

    for page in range(20):
        answer = client.ask("/api/orders", query)
        values += ids(answer.data)
        if (cursor := answer.body["page"]["nextCursor"]) is None:
            break
        insert(analytics, "orders", order(f"new-{page}", START + timedelta(seconds=page + 1)))
        query = {"limit": 5 + page, "cursor": cursor}

    assert values == sorted((str(row["order_id"]) for row in known), reverse=True)


def test_a_page_that_is_just_full_is_the_last(analytics: Analytics, client: ApiClient) -> None:
    insert(analytics, "orders", order("o-1"), order("o-2"))

    assert client.ask("/api/orders", {"limit": 2}).body["page"] == {"limit": 2, "nextCursor": None}


@pytest.mark.parametrize(
    "changed",
    [{"status": "CONFIRMED"}, {"customer": "ann"}, {"from": "2026-01-01"}, {"to": "2026-03-01"}],
    ids=lambda changed: next(iter(changed)),
)
def test_a_cursor_is_refused_with_other_filters(
    analytics: Analytics, client: ApiClient, changed: dict[str, str]
) -> None:
    insert(analytics, "orders", order("o-1"), order("o-2"))
    cursor = client.ask("/api/orders", {"limit": 1}).body["page"]["nextCursor"]

    refused = client.ask("/api/orders", {"limit": 1, "cursor": cursor, **changed})

    assert refused.status == 400
    assert "Request the first page" in refused.body["detail"]


@pytest.mark.parametrize("cursor", ["", "x", ".", "a.b", "é.é", "%%", "e30.e30", "=.=", "\x00"])
def test_a_cursor_that_was_never_ours_is_refused(client: ApiClient, cursor: str) -> None:
    answer = client.ask("/api/orders", {"cursor": cursor})

    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_cursor_sealed_with_another_key_is_refused(analytics: Analytics, client: ApiClient) -> None:
    insert(analytics, "orders", order("o-1"), order("o-2"))
    cursor = client.ask("/api/orders", {"limit": 1}).body["page"]["nextCursor"]

    client.key = "another-key"

    assert client.ask("/api/orders", {"cursor": cursor}).status == 400


def eur(amount_minor: int) -> dict[str, object]:
    return {"amountMinor": amount_minor, "currency": "EUR"}


def test_one_order_is_told_with_all_that_is_known_of_it(analytics: Analytics, client: ApiClient) -> None:
    insert(analytics, "orders", order("a/b 50%", status="REFUNDED", amount_minor=700, currency="EUR"))
    insert(
        analytics,
        "order_items",
        *(
            {
                "tenant_id": "acme",
                "order_id": "a/b 50%",
                "sku": sku,
                "quantity": quantity,
                "unit_price_minor": price,
            }
            for sku, quantity, price in [("tea", 2, 300), ("cup", 1, 100)]
        ),
    )
    insert(
        analytics,
        "payments",
        {
            "tenant_id": "acme",
            "order_id": "a/b 50%",
            "status": "REFUNDED",
            "amount_minor": 700,
            "currency": "EUR",
            "charge_id": "ch-1",
            "refund_id": "re-1",
            "refunded_minor": 700,
            "requested_at": START,
            "version": 3,
        },
    )
    insert(
        analytics,
        "fulfillment",
        {
            "tenant_id": "acme",
            "order_id": "a/b 50%",
            "status": "RETURNED",
            "units": 3,
            "due_at": START,
            "version": 3,
        },
    )
    insert(
        analytics,
        "event_inbox",
        inbox_row("a/b 50%", "OrderConfirmed", START + timedelta(seconds=1), amountMinor=700),
        inbox_row("a/b 50%", "OrderPlaced", START, customerId="ann"),
        inbox_row("another", "OrderPlaced"),
    )

    values = client.ask("/api/orders/a/b 50%25").data

    assert values["orderId"] == "a/b 50%"
    assert values["items"] == [
        {"sku": "cup", "quantity": 1, "unitPrice": eur(100), "total": eur(100)},
        {"sku": "tea", "quantity": 2, "unitPrice": eur(300), "total": eur(600)},
    ]
    assert values["payment"] == {
        "status": "REFUNDED",
        "amount": {"amountMinor": 700, "currency": "EUR"},
        "chargeId": "ch-1",
        "reason": None,
        "refundId": "re-1",
        "refunded": {"amountMinor": 700, "currency": "EUR"},
        "requestedAt": "2026-01-31T12:00:00.000Z",
        "answeredAt": None,
        "refundedAt": None,
    }
    assert values["fulfillment"] == {
        "status": "RETURNED",
        "units": 3,
        "dueAt": "2026-01-31T12:00:00.000Z",
        "endedAt": None,
    }
    assert [(entry["event"], entry["occurredAt"], entry["detail"]) for entry in values["timeline"]] == [
        ("OrderPlaced", "2026-01-31T12:00:00.000Z", {"customerId": "ann"}),
        ("OrderConfirmed", "2026-01-31T12:00:01.000Z", {"amountMinor": 700}),
    ]


def test_an_order_of_which_little_was_heard_is_told_as_far_as_it_goes(
    analytics: Analytics, client: ApiClient
) -> None:
    insert(analytics, "orders", order("o-1", customer_id=None, status="PLACED"))

    values = client.ask("/api/orders/o-1").data

    assert (values["items"], values["payment"], values["fulfillment"], values["timeline"]) == (
        [],
        None,
        None,
        [],
    )


def test_an_unknown_order_is_not_found(client: ApiClient) -> None:
    answer = client.ask("/api/orders/o-1")

    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_whoever_may_not_see_customers_sees_none_and_cannot_ask_for_one(
    analytics: Analytics, client: ApiClient
) -> None:
    viewer = claims(role="viewer")
    insert(analytics, "orders", order("o-1", customer_id="secret-ann"))
    insert(analytics, "event_inbox", inbox_row("o-1", "OrderPlaced", customerId="secret-ann", region="eu"))

    listed = client.ask("/api/orders", by=viewer)
    one = client.ask("/api/orders/o-1", by=viewer)
    guessed = client.ask("/api/orders", {"customer": "secret-ann"}, by=viewer)

    assert listed.data["orders"][0]["customerId"] is None
    assert listed.body["meta"]["withheld"] == one.body["meta"]["withheld"] == "customers"
    assert one.data["timeline"][0]["detail"] == {"region": "eu"}
    assert guessed.status == 403
    assert "secret-ann" not in listed.text + one.text + guessed.text


def test_an_order_that_was_told_of_very_often_is_told_by_its_first_events(
    analytics: Analytics, client: ApiClient
) -> None:
    values = (
        {**inbox_row("o-1", "OrderPlaced", START + timedelta(minutes=minute)), "event_id": f"e-{minute}"}
        for minute in range(MAX_EVENTS + 5)
    )
    insert(analytics, "orders", order("o-1"))
    insert(analytics, "event_inbox", *values)

    timeline = client.ask("/api/orders/o-1").data["timeline"]

    assert len(timeline) == MAX_EVENTS
    assert [moment["eventId"] for moment in timeline[:3]] == ["e-0", "e-1", "e-2"]


RECEIVED = UnprojectedOrder("ord-1", "RECEIVED", "ann", [Line("prod-001", 2, 0)], START, region="EU")


def test_an_order_without_a_row_is_answered_as_it_was_accepted(
    analytics: Analytics, client: ApiClient
) -> None:
    insert(analytics, "orders", order("o-1"))
    client.unprojected[Key("acme", "ord-1")] = RECEIVED

    data = client.ask("/api/orders/ord-1").data

    assert (data["status"], data["customerId"], data["region"], data["units"]) == ("RECEIVED", "ann", "EU", 2)
    assert data["amount"] is None
    assert data["items"] == [{"sku": "prod-001", "quantity": 2, "unitPrice": None, "total": None}]
    assert data["timeline"] == []


def test_an_order_with_a_row_is_answered_from_it(analytics: Analytics, client: ApiClient) -> None:
    insert(analytics, "orders", order("ord-1"))
    client.unprojected[Key("acme", "ord-1")] = RECEIVED

    assert client.ask("/api/orders/ord-1").data["status"] == "CONFIRMED"


def test_an_accepted_order_of_another_tenant_is_not_found(analytics: Analytics, client: ApiClient) -> None:
    insert(analytics, "orders", order("o-1"))
    client.unprojected[Key("globex", "ord-1")] = RECEIVED

    assert client.ask("/api/orders/ord-1").status == 404


def test_an_accepted_order_hides_its_customer_from_viewers(analytics: Analytics, client: ApiClient) -> None:
    insert(analytics, "orders", order("o-1"))
    client.unprojected[Key("acme", "ord-1")] = RECEIVED

    answer = client.ask("/api/orders/ord-1", by=claims(role="viewer"))

    assert answer.data["customerId"] is None
    assert answer.body["meta"]["withheld"] == "customers"


def test_the_orders_table_is_newer_than_the_receipt() -> None:
    store, receipts = MemoryStore(), Receipts(MemoryConsole())
    key, find = Key("acme", "ord-1"), find_unprojected(store, receipts)
    assert find(key) is None

    body = {"customerId": "ann", "items": [{"sku": "prod-001", "quantity": 2}], "region": "EU"}
    receipts.keep(Receipt(key, "digest", START, body))
    accepted = find(key)
    lines = (Line("prod-001", 2, 500),)
    history = (Transition(Status.RESERVED, START, "event-1"),)
    store.orders[key] = Order(key, Status.RESERVED, "ann", lines, START, history, 1_000, "USD")
    reserved = find(key)

    assert accepted == RECEIVED
    assert reserved is not None
    assert (reserved.status, reserved.amount_minor, reserved.lines) == ("RESERVED", 1_000, lines)
