"""The gateway that moves no money."""

import pytest

from services.payment.gateway import (
    Charged,
    ChargeRequest,
    Declined,
    NotFound,
    Pending,
    RefundRequest,
    Unknown,
    require_valid_id,
)
from services.payment.simulated_gateway import SimulatedGateway
from services.shared.errors import GatewayUnavailableError


def request(method: str | None = None, order_id: str = "order-1") -> ChargeRequest:
    return ChargeRequest(
        key=f"default#{order_id}", order_id=order_id, amount_minor=1_000, currency="USD", method=method
    )


@pytest.mark.parametrize("method", ["sim_ok", None, "card"])
def test_any_usual_method_is_charged(method: str | None) -> None:
    assert isinstance(SimulatedGateway().charge(request(method)), Charged)


@pytest.mark.parametrize(
    ("method", "reason"),
    [("sim_declined", "card_declined"), ("sim_insufficient_funds", "insufficient_funds")],
)
def test_some_methods_decline(method: str, reason: str) -> None:
    assert SimulatedGateway().charge(request(method)) == Declined(reason)


def test_one_method_never_answers() -> None:
    with pytest.raises(GatewayUnavailableError):
        SimulatedGateway().charge(request("sim_unavailable"))


def test_one_method_answers_late() -> None:
    slept: list[float] = []

    answer = SimulatedGateway(slow_seconds=3.0, sleep=slept.append).charge(request("sim_slow"))

    assert isinstance(answer, Charged)
    assert slept == [3.0]


@pytest.mark.parametrize("method", ["sim_ok", "sim_slow", None])
def test_orders_made_to_fail_decline(method: str | None) -> None:
    gateway = SimulatedGateway(sleep=lambda _: None)

    assert gateway.charge(request(method, "test-failure-7")) == Declined("card_declined")


def test_the_same_order_always_fares_the_same() -> None:
    first, second = SimulatedGateway(failure_rate=0.5), SimulatedGateway(failure_rate=0.5)

    answers = [
        [gateway.charge(request(order_id=f"order-{n}")) for n in range(50)] for gateway in (first, second)
    ]

    assert answers[0] == answers[1]
    assert {type(answer) for answer in answers[0]} == {Charged, Declined}


@pytest.mark.parametrize(("rate", "kind"), [(0.0, Charged), (1.0, Declined)])
def test_a_failure_rate_reaches_from_never_to_always(rate: float, kind: type) -> None:
    gateway = SimulatedGateway(failure_rate=rate)

    assert {type(gateway.charge(request(order_id=f"order-{n}"))) for n in range(50)} == {kind}


def test_a_charge_asked_twice_is_made_once() -> None:
    gateway = SimulatedGateway()

    assert gateway.charge(request()) == gateway.charge(request())


def test_two_orders_have_two_charges() -> None:
    gateway = SimulatedGateway()

    assert gateway.charge(request()) != gateway.charge(request(order_id="order-2"))


def test_it_is_too_late_to_void_a_charge() -> None:
    gateway = SimulatedGateway()
    charge = gateway.charge(request())

    assert gateway.void(request()) == charge


def test_what_was_declined_or_never_asked_is_not_found() -> None:
    gateway = SimulatedGateway()
    gateway.charge(request("sim_declined"))

    assert gateway.void(request("sim_declined")) == NotFound()
    assert gateway.void(request(order_id="order-2")) == NotFound()


def test_one_method_leaves_the_answer_open_until_it_is_voided() -> None:
    gateway = SimulatedGateway()

    assert gateway.charge(request("sim_pending")) == Pending()
    assert gateway.void(request("sim_pending")) == Declined("voided")


def test_one_method_charges_and_never_says_so() -> None:
    gateway = SimulatedGateway()

    assert isinstance(gateway.charge(request("sim_unknown")), Unknown)
    assert isinstance(gateway.void(request("sim_unknown")), Charged)


def test_a_refund_asked_twice_is_made_once() -> None:
    gateway = SimulatedGateway()
    first, second = (RefundRequest(key, "ch_1", 400, "USD") for key in ("first", "second"))

    assert gateway.refund(first) == gateway.refund(first)
    assert gateway.refund(first) != gateway.refund(second)


@pytest.mark.parametrize("name", ["", "ch\n1", "c" * 257])
def test_an_id_that_no_event_could_carry_is_no_answer(name: str) -> None:
    with pytest.raises(GatewayUnavailableError):
        Charged(name)
    with pytest.raises(GatewayUnavailableError):
        require_valid_id(name)


@pytest.mark.parametrize(
    ("reason", "text"),
    [("", "declined"), ("\x00", "declined"), ("no\nfunds", "nofunds"), ("n" * 300, "n" * 256)],
)
def test_a_refusal_is_told_in_words_an_event_can_carry(reason: str, text: str) -> None:
    assert Declined(reason).presentable == text
