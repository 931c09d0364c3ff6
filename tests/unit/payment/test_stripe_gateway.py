"""What StripeGateway makes of answers in the shapes of the current API, which the local server does not have.

The shapes were written after https://docs.stripe.com/api for the version that the package is pinned to.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import pytest
import stripe

from services.payment.gateway import Answer, Charged, ChargeRequest, Declined, Pending, RefundRequest, Unknown
from services.payment.stripe_gateway import StripeGateway
from services.shared.errors import GatewayUnavailableError
from tests.unit.payment.test_stripe_webhook import BODY, SECRET, signed

REQUEST = ChargeRequest("default#order-1", "order-1", 2_000, "EUR", "pm_1", "pi_1")


def intent(status: str, **more: object) -> dict[str, Any]:
    return {
        "id": "pi_1",
        "object": "payment_intent",
        "amount": 2_000,
        "currency": "eur",
        "status": status,
        "latest_charge": "py_1",
        "capture_method": "automatic_async",
        "metadata": {"tenant_id": "default", "order_id": "order-1"},
        **more,
    }


def error(kind: str, code: str | None = None, **more: object) -> dict[str, Any]:
    return {"error": {"type": kind, "message": "as told", **({"code": code} if code else {}), **more}}


TIMED_OUT = stripe.APIConnectionError("timed out")  # type: ignore[no-untyped-call]
UNEXPECTED = 400, error("invalid_request_error", "payment_intent_unexpected_state")


class Recorded(stripe.HTTPClient):
    """Gives recorded answers, in order, and remembers what was asked."""

    name = "recorded"

    def __init__(self, *answers: tuple[int, Mapping[str, Any]] | Exception) -> None:
        super().__init__()
        self.answers = list(answers)
        self.requested: list[str] = []
        self.sent: list[dict[str, list[str]]] = []
        self.keys: list[str | None] = []

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: str | None = None,
        **_: object,
    ) -> tuple[str, int, Mapping[str, str]]:
        self.requested.append(f"{method} {url.removeprefix('https://api.stripe.com/v1')}".partition("?")[0])
        self.sent.append(parse_qs(post_data or ""))
        self.keys.append((headers or {}).get("Idempotency-Key") if method == "post" else None)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return json.dumps(answer[1]), answer[0], {"request-id": "req_1"}


def gateway(recorded: Recorded, *, is_test: bool = False) -> StripeGateway:
    client = stripe.StripeClient("sk_live_x", http_client=recorded, max_network_retries=0)
    return StripeGateway(lambda: client, is_test=lambda: is_test)


def test_an_intent_is_created_with_the_parameters_of_the_current_api() -> None:
    recorded = Recorded((200, intent("requires_confirmation")))

    assert gateway(recorded).prepare(REQUEST) == "pi_1"

    assert (recorded.requested, recorded.keys) == (["post /payment_intents"], ["default#order-1/intent"])
    assert recorded.sent == [
        {
            "amount": ["2000"],
            "currency": ["eur"],
            "payment_method": ["pm_1"],
            "allowed_payment_method_types[0]": ["card"],
            "allowed_payment_method_types[1]": ["sepa_debit"],
            "payment_method_options[card][capture_method]": ["manual"],
            "metadata[tenant_id]": ["default"],
            "metadata[order_id]": ["order-1"],
        }
    ]


@pytest.mark.parametrize(
    ("method", "order_id", "sent"),
    [
        (None, "order-1", "pm_card_visa"),
        ("sim_ok", "order-1", "pm_card_visa"),
        ("sim_declined", "order-1", "pm_card_chargeDeclined"),
        ("pm_1", "order-1", "pm_1"),
        ("sim_ok", "test-failure-1", "pm_card_chargeDeclined"),
    ],
)
def test_in_test_mode_our_payment_methods_are_stripes_of_the_same_meaning(
    method: str | None, order_id: str, sent: str
) -> None:
    recorded = Recorded((200, intent("requires_confirmation")))
    request = ChargeRequest(f"default#{order_id}", order_id, 2_000, "EUR", method)

    gateway(recorded, is_test=True).prepare(request)

    assert recorded.sent[0]["payment_method"] == [sent]


def test_a_payment_method_that_does_not_exist_leaves_an_intent_without_one() -> None:
    unknown = error("invalid_request_error", "resource_missing", param="payment_method")
    recorded = Recorded((400, unknown), (200, intent("requires_payment_method")))

    assert gateway(recorded).prepare(REQUEST) == "pi_1"
    assert "payment_method" not in recorded.sent[1]


@pytest.mark.parametrize(
    "answer",
    [
        (400, error("invalid_request_error", "amount_too_small", param="amount")),
        (401, error("invalid_request_error")),
        (409, error("idempotency_error", "idempotency_key_in_use")),
        (429, error("invalid_request_error", "lock_timeout")),
        (500, error("api_error")),
        TIMED_OUT,
    ],
)
def test_what_cannot_be_prepared_is_retried(answer: tuple[int, Mapping[str, Any]] | Exception) -> None:
    with pytest.raises(GatewayUnavailableError) as raised:
        gateway(Recorded(answer)).prepare(REQUEST)

    assert "as told" not in str(raised.value)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([(200, intent("succeeded"))], Charged("py_1")),
        ([(200, intent("succeeded", latest_charge={"id": "ch_1", "object": "charge"}))], Charged("ch_1")),
        ([(200, intent("requires_capture")), (200, intent("succeeded"))], Charged("py_1")),
        # Captured by an earlier delivery, whose answer was lost.
        ([(200, intent("requires_capture")), UNEXPECTED, (200, intent("succeeded"))], Charged("py_1")),
        ([UNEXPECTED, (200, intent("succeeded"))], Charged("py_1")),
        ([UNEXPECTED, (200, intent("canceled"))], Declined("voided")),
        ([(200, intent("processing"))], Pending()),
        ([(200, intent("requires_action", next_action={"type": "use_stripe_sdk"}))], Pending()),
        (
            [
                (402, error("card_error", "card_declined", decline_code="insufficient_funds")),
                (200, intent("canceled")),
            ],
            Declined("insufficient_funds"),
        ),
        (
            [(402, error("card_error", "expired_card")), (200, intent("canceled"))],
            Declined("expired_card"),
        ),
        # Told that it was declined, and yet it succeeded.
        (
            [(402, error("card_error", "card_declined")), UNEXPECTED, (200, intent("succeeded"))],
            Charged("py_1"),
        ),
        (
            [
                UNEXPECTED,
                (200, intent("requires_payment_method", last_payment_error={"code": "debit_not_authorized"})),
                (200, intent("canceled")),
            ],
            Declined("debit_not_authorized"),
        ),
        (
            [UNEXPECTED, (200, intent("requires_payment_method")), (200, intent("canceled"))],
            Declined("payment_method_missing"),
        ),
        (
            [(200, intent("requires_capture"))] + [UNEXPECTED, (200, intent("requires_capture"))] * 4,
            Unknown("the intent stays in state requires_capture"),
        ),
        (
            [(200, intent("a state of a later version"))],
            Unknown("the intent stays in state a state of a later version"),
        ),
    ],
)
def test_a_charge_follows_the_states_of_its_intent(
    answers: list[tuple[int, Mapping[str, Any]]], expected: Answer
) -> None:
    recorded = Recorded(*answers)

    assert gateway(recorded).charge(REQUEST) == expected
    assert recorded.answers == []
    assert recorded.keys[0] == "pi_1/confirm"


def test_a_pending_charge_is_read_because_answers_to_repeated_requests_are_old() -> None:
    recorded = Recorded((200, intent("succeeded")))
    request = ChargeRequest("default#order-1", "order-1", 2_000, "EUR", "pm_1", "pi_1", pending=True)

    assert gateway(recorded).charge(request) == Charged("py_1")
    assert recorded.requested == ["get /payment_intents/pi_1"]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([(200, intent("canceled"))], Declined("voided")),
        ([UNEXPECTED, (200, intent("canceled"))], Declined("voided")),
        ([UNEXPECTED, (200, intent("succeeded"))], Charged("py_1")),
        ([UNEXPECTED, (200, intent("processing"))], Pending()),
        ([UNEXPECTED, (200, intent("requires_capture"))], Unknown("the intent is not cancelled")),
    ],
)
def test_a_void_says_what_became_of_the_intent(
    answers: list[tuple[int, Mapping[str, Any]]], expected: Answer
) -> None:
    assert gateway(Recorded(*answers)).void(REQUEST) == expected


@pytest.mark.parametrize("status", [401, 409, 429, 500, 503])
def test_no_usable_answer_is_no_answer(status: int) -> None:
    for call in ("charge", "void"):
        with pytest.raises(GatewayUnavailableError):
            getattr(gateway(Recorded((status, error("api_error")))), call)(REQUEST)


def listed(*refunds: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
    return 200, {"object": "list", "url": "/v1/refunds", "has_more": False, "data": list(refunds)}


def refund(refund_id: str, key: str) -> dict[str, Any]:
    return {
        "id": refund_id,
        "object": "refund",
        "status": "pending",
        "amount": 500,
        "metadata": {"key": key},
    }


def test_a_refund_is_looked_up_before_it_is_made() -> None:
    requested = RefundRequest("key-1", "py_1", 500, "EUR")

    found = Recorded(listed(refund("re_0", "key-0"), refund("re_1", "key-1")))
    assert gateway(found).refund(requested) == "re_1"

    made = Recorded(listed(refund("re_0", "key-0")), (200, refund("re_2", "key-1")))
    assert gateway(made).refund(requested) == "re_2"
    assert made.sent[1] == {"charge": ["py_1"], "amount": ["500"], "metadata[key]": ["key-1"]}
    assert made.keys == [None, "key-1/refund"]


def test_our_signatures_are_those_that_the_package_verifies() -> None:
    assert stripe.WebhookSignature.verify_header(BODY.decode(), signed(BODY, SECRET), SECRET)
