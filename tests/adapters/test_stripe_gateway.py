"""StripeGateway against a real server, behind a proxy that loses, delays and contradicts its answers."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from random import Random
from typing import cast

import pytest
from stripe import PaymentIntent, StripeClient

from services.payment.gateway import (
    Charged,
    ChargeRequest,
    Declined,
    Pending,
    RefundRequest,
)
from services.payment.stripe_gateway import StripeGateway
from services.payment.stripe_webhook import StripeWebhook
from services.shared.errors import GatewayUnavailableError
from services.shared.ledger import Status
from services.shared.wiring import utc_now
from tests.support.builders import payment_request, placement, refund_request, released
from tests.support.fakes import FakeGateway, RecordingBus, RecordingTelemetry
from tests.support.http_receiver import http_receiver
from tests.support.payment_service import PaymentFixture
from tests.support.polling import wait_until
from tests.support.stripe import Fault, Proxy, client, gateway, register_webhook, stripe_server

SECRET = "whsec_of_the_tests"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with stripe_server() as address:
        yield address


@pytest.fixture
def proxy(server: str) -> Iterator[Proxy]:
    with Proxy(server).running() as proxy:
        yield proxy


@pytest.fixture
def books(server: str) -> StripeClient:
    """Read and act past the proxy, as a person would in the dashboard."""
    return client(server)


@pytest.fixture(scope="module")
def names() -> Iterator[str]:
    """Name each order once: the server keeps the idempotency keys of all."""
    return iter(f"paid-{number}" for number in count(1))


def prepared(
    stripe: StripeGateway, name: str, method: str | None = "pm_card_visa", amount: int = 2_000
) -> ChargeRequest:
    request = ChargeRequest(f"default#{name}", name, amount, "USD", method)
    return ChargeRequest(f"default#{name}", name, amount, "USD", method, stripe.prepare(request))


def charge_of(intent: PaymentIntent) -> str:
    charge = intent.latest_charge
    assert charge is not None
    return charge if isinstance(charge, str) else charge.id


def taken(books: StripeClient, intent_id: str | None) -> dict[str, int]:
    """Say what each charge of an intent has taken and not given back."""
    return {
        charge.id: charge.amount - charge.amount_refunded
        for charge in books.v1.charges.list({"limit": 100}).auto_paging_iter()
        if charge.captured and charge.payment_intent == intent_id
    }


def after_a_fault(method: str, path: str, fault: Fault, proxy: Proxy) -> None:
    """Let the next request to a path meet a fault."""
    left = [fault]
    proxy.strikes = lambda how, where: (
        left.pop() if left and (how, where.rpartition("/")[2]) == (method, path) else None
    )


def test_a_card_is_authorised_and_then_captured(
    server: str, books: StripeClient, names: Iterator[str]
) -> None:
    stripe = gateway(server)
    request = prepared(stripe, next(names))
    intent = books.v1.payment_intents.retrieve(request.intent_id or "")
    assert (intent.status, intent.capture_method) == ("requires_confirmation", "manual")

    answer = stripe.charge(request)

    charged = books.v1.payment_intents.retrieve(request.intent_id or "")
    assert answer == Charged(charge_of(charged))
    assert (charged.status, charged.amount, charged.currency) == ("succeeded", 2_000, "usd")
    assert charged.metadata.to_dict() == {"tenant_id": "default", "order_id": request.order_id}


def test_what_is_charged_twice_is_charged_once(
    server: str, books: StripeClient, names: Iterator[str]
) -> None:
    request = prepared(gateway(server), next(names))

    answers = [gateway(server).charge(request) for _ in range(3)]

    assert len(set(answers)) == 1
    assert sum(taken(books, request.intent_id).values()) == 2_000


def test_an_intent_that_is_prepared_again_is_the_same(server: str, names: Iterator[str]) -> None:
    name = next(names)

    assert prepared(gateway(server), name) == prepared(gateway(server), name)


def test_a_declined_card_is_declined_for_good(server: str, books: StripeClient, names: Iterator[str]) -> None:
    stripe = gateway(server)
    request = prepared(stripe, next(names), "pm_card_chargeDeclined")

    assert stripe.charge(request) == Declined("card_declined")
    assert books.v1.payment_intents.retrieve(request.intent_id or "").status == "canceled"
    assert stripe.charge(request) in (Declined("card_declined"), Declined("voided"))


@pytest.mark.parametrize("method", [None, "pm_nobody_has", "sim_ok"])
def test_a_payment_method_that_stripe_does_not_know_is_declined(
    server: str, method: str | None, names: Iterator[str]
) -> None:
    stripe = gateway(server)

    assert stripe.charge(prepared(stripe, next(names), method)) == Declined("payment_method_missing")


@pytest.mark.parametrize(("method", "status"), [("pm_debit", "succeeded"), ("pm_debit_fails", "canceled")])
def test_a_bank_debit_is_pending_until_the_bank_decides(
    server: str, books: StripeClient, method: str, status: str, names: Iterator[str]
) -> None:
    stripe = gateway(server)
    request = prepared(stripe, next(names), method)

    assert stripe.charge(request) == Pending()

    again = replace(request, pending=True)
    wait_until(lambda: stripe.charge(again) != Pending(), "the bank decides")
    answer = stripe.charge(again)
    assert books.v1.payment_intents.retrieve(request.intent_id or "").status == status
    assert isinstance(answer, Charged if status == "succeeded" else Declined)


def test_a_customer_who_has_to_confirm_is_waited_for_and_then_given_up(
    server: str, names: Iterator[str]
) -> None:
    stripe = gateway(server)
    request = prepared(stripe, next(names), "pm_card_threeDSecure2Required")

    assert stripe.charge(request) == Pending()
    assert stripe.void(request) == Declined("voided")


# --- giving up ----------------------------------------------------------------------------------------


def test_what_is_voided_is_never_charged(server: str, books: StripeClient, names: Iterator[str]) -> None:
    stripe = gateway(server)
    request = prepared(stripe, next(names))

    assert stripe.void(request) == Declined("voided")
    assert stripe.void(request) == Declined("voided")
    assert stripe.charge(request) == Declined("voided")
    assert books.v1.payment_intents.retrieve(request.intent_id or "").status == "canceled"


def test_a_void_that_comes_too_late_says_what_was_charged(server: str, names: Iterator[str]) -> None:
    stripe = gateway(server)
    request = prepared(stripe, next(names))

    charged = stripe.charge(request)

    assert isinstance(charged, Charged)
    assert stripe.void(request) == charged


def test_without_an_intent_nothing_was_charged(server: str) -> None:
    assert gateway(server).void(ChargeRequest("default#o", "o", 1, "USD", None)) == Declined("voided")


def test_an_authorisation_whose_order_was_released_is_given_back_without_a_refund(
    proxy: Proxy, books: StripeClient, names: Iterator[str]
) -> None:
    stripe = gateway(proxy.address)
    request = prepared(stripe, next(names))
    after_a_fault("POST", "capture", Fault.LOST_BEFORE, proxy)
    with pytest.raises(GatewayUnavailableError):
        stripe.charge(request)

    assert stripe.void(request) == Declined("voided")
    assert books.v1.payment_intents.retrieve(request.intent_id or "").status == "canceled"


# --- refunds ------------------------------------------------------------------------------------------


def test_parts_are_given_back_once_for_each_key_and_never_more_than_was_paid(
    server: str, books: StripeClient, names: Iterator[str]
) -> None:
    stripe = gateway(server)
    name = next(names)
    charged = stripe.charge(prepared(stripe, name))
    assert isinstance(charged, Charged)
    part = RefundRequest(f"{name}/1", charged.charge_id, 500, "USD")

    assert stripe.refund(part) == gateway(server).refund(part)
    stripe.refund(RefundRequest(f"{name}/2", charged.charge_id, 1_500, "USD"))
    with pytest.raises(GatewayUnavailableError, match="charge_already_refunded"):
        stripe.refund(RefundRequest(f"{name}/3", charged.charge_id, 1, "USD"))

    amounts = [refund.amount for refund in books.v1.refunds.list({"charge": charged.charge_id}).data]
    assert sorted(amounts) == [500, 1_500]


def test_a_refund_is_found_after_stripe_has_forgotten_its_key(
    proxy: Proxy, books: StripeClient, names: Iterator[str]
) -> None:
    stripe = gateway(proxy.address)
    name = next(names)
    charged = stripe.charge(prepared(stripe, name))
    assert isinstance(charged, Charged)
    made = books.v1.refunds.create(
        {"charge": charged.charge_id, "amount": 500, "metadata": {"key": f"{name}/1"}}
    )

    assert stripe.refund(RefundRequest(f"{name}/1", charged.charge_id, 500, "USD")) == made.id


# --- answers that are lost, late or false -------------------------------------------------------------


@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize("step", ["confirm", "capture"])
def test_a_charge_is_made_once_whatever_becomes_of_an_answer(
    proxy: Proxy, books: StripeClient, step: str, fault: Fault, names: Iterator[str]
) -> None:
    stripe = gateway(proxy.address)
    request = prepared(stripe, next(names))
    after_a_fault("POST", step, fault, proxy)
    try:
        first = stripe.charge(request)
    except GatewayUnavailableError:
        first = None

    answer = stripe.charge(request)
    proxy.release()

    intent = books.v1.payment_intents.retrieve(request.intent_id or "")
    assert first is None or type(first) is type(answer)
    if isinstance(answer, Charged):
        assert (intent.status, charge_of(intent)) == ("succeeded", answer.charge_id)
    else:
        # Told that it was declined, it cancelled what was only authorised: nothing was taken.
        assert fault is Fault.DECLINED
        assert (type(answer), intent.status) == (Declined, "canceled")


class Shop(PaymentFixture):
    """The payment service with Stripe, and its messages, delivered until they are done."""

    def __init__(self, stripe: StripeGateway) -> None:
        super().__init__(gateway=cast("FakeGateway", stripe))
        self.store.stock = {
            key: type(stock)(stock.key, 10_000, stock.reserved, 10_000 - stock.reserved, stock.price)
            for key, stock in self.store.stock.items()
        }

    def reserve(self, name: str, quantity: int = 2) -> None:
        wanted = placement(name, {"prod-001": quantity})
        self.ledger.reserve([replace(wanted, payment_method="pm_card_visa")])

    def settle(self, name: str) -> None:
        """Deliver until the order is settled, and release it in the end as the expiry would."""
        for _ in range(5):
            if not self.handle(payment_request(name)):
                break
        self.clock.advance(timedelta(minutes=20))
        if self.order(name).status is Status.RESERVED:
            self.expire(name)
        for _ in range(20):
            if not self.handle(released(name)):
                return


def test_whatever_is_lost_customers_pay_for_what_they_get_and_for_nothing_else(
    proxy: Proxy, books: StripeClient, names: Iterator[str]
) -> None:
    random = Random(5)  # noqa: S311 - a plan of faults
    shop = Shop(gateway(proxy.address))
    outcomes = set()
    for number in range(40):
        name = next(names)
        shop.reserve(name)
        calm_after = random.choice((0, 2, 4, 8))
        seen = iter(range(10_000))
        proxy.strikes = lambda _method, _path, seen=seen, calm_after=calm_after: (  # type: ignore[misc]
            random.choice(list(Fault)) if next(seen) < calm_after and random.random() < 0.7 else None
        )
        shop.settle(name)
        if number % 3 == 0 and shop.order(name).status is Status.CONFIRMED:
            proxy.strikes = lambda _method, _path: None
            shop.handle(refund_request(name, amount_minor=700))
        if number % 4 == 0:
            proxy.release()
        outcomes.add(shop.order(name).status)
    proxy.release()

    assert {Status.CONFIRMED, Status.CANCELLED} <= outcomes
    for order in shop.store.orders.values():
        paid = sum(taken(books, order.payment.intent_id if order.payment else None).values())
        refunded = order.payment.refunded_minor if order.payment else 0
        owed = order.amount_minor - refunded if order.status is Status.CONFIRMED else 0
        assert (order.key.id, paid) == (order.key.id, owed)


def test_stripes_own_answer_wakes_the_payment_service(server: str, names: Iterator[str]) -> None:
    bus = RecordingBus()
    name = next(names)
    with http_receiver() as receiver:
        register_webhook(server, receiver.url, SECRET)
        request = prepared(gateway(server), name, "pm_debit")
        assert gateway(server).charge(request) == Pending()
        wait_until(lambda: name in str(receiver.bodies), "the answer arrives")

    bodies = [it for it, sent in enumerate(receiver.bodies) if name in str(sent)]
    webhook = StripeWebhook(lambda: SECRET, bus, RecordingTelemetry(), clock=utc_now)
    for index in bodies:
        webhook.handle(receiver.raw[index], receiver.headers[index]["stripe-signature"])

    assert [(event.detail_type(), event.correlation_id) for event in bus.published] == [
        ("PaymentAnswered", name)
    ]
