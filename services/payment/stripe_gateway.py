"""Charges by Stripe: an intent is created, written into the order, confirmed, and what it holds is captured.

An intent is charged at most once, whoever asks and however often; one that is cancelled never is. So every
call is one step of the intent's own states, and an answer that was lost is found in it.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final, cast

import stripe
from stripe import PaymentIntent, StripeClient

from services.payment.gateway import (
    Answer,
    Charged,
    ChargeRequest,
    Declined,
    NotFound,
    Pending,
    RefundRequest,
    Unknown,
)
from services.shared.errors import GatewayUnavailableError
from services.shared.ledger import Key

TIMEOUT_SECONDS: Final = 5.0
"""A charge takes two calls, and must fit between the last moment to begin one and the function's time-out."""
_MOST_STEPS = 4
_MOST_REFUNDS = 100
"""As many as an order may have, and a page of Stripe's."""

_TEST_METHODS: Final[dict[str | None, str]] = {
    None: "pm_card_visa",
    "sim_ok": "pm_card_visa",
    "sim_slow": "pm_card_visa",
    "sim_declined": "pm_card_chargeDeclined",
    "sim_insufficient_funds": "pm_card_chargeDeclinedInsufficientFunds",
}
"""Payment methods of Stripe's test mode for ours, so that sample orders and `verify` work there."""


class StripeGateway:
    settles_within = timedelta(0)
    """What becomes of an intent is never in doubt: it is cancelled, or it is charged."""

    def __init__(self, client: Callable[[], StripeClient], *, is_test: Callable[[], bool]) -> None:
        """Take a maker of the client, and whether its key is one of the test mode."""
        self._client = client
        self._is_test = is_test

    def prepare(self, request: ChargeRequest) -> str:
        """Create the intent; with a payment method that Stripe does not know, without one: it is declined."""
        method = request.method
        if self._is_test():
            fails = request.order_id.startswith("test-failure")
            method = _TEST_METHODS["sim_declined"] if fails else _TEST_METHODS.get(method, method)
        try:
            return self._create(request, method)
        except stripe.InvalidRequestError as error:
            if method is None or error.param not in ("payment_method", None):
                raise _unavailable(error) from error
        except stripe.StripeError as error:
            raise _unavailable(error) from error
        try:
            return self._create(request, None)
        except stripe.StripeError as error:
            raise _unavailable(error) from error

    def charge(self, request: ChargeRequest) -> Answer:
        intent_id = request.intent_id or ""
        # An answer that is replayed for its idempotency key may be old: what was open is read instead.
        first = self._retrieve if request.pending else self._confirm
        try:
            return self._follow(intent_id, self._step(first, intent_id))
        except stripe.CardError as error:
            return self._declined(intent_id, error)
        except stripe.StripeError as error:
            raise _unavailable(error) from error

    def _declined(self, intent_id: str, error: stripe.CardError) -> Answer:
        reason = (error.error and error.error.to_dict().get("decline_code")) or error.code
        try:
            return self._decline(intent_id, reason)
        except stripe.StripeError as unknown:
            raise _unavailable(unknown) from unknown

    def void(self, request: ChargeRequest) -> Answer | NotFound:
        intent_id = request.intent_id
        if intent_id is None:
            # Nothing is charged before its intent is in the order.
            return Declined("voided")
        try:
            return self._final(self._step(self._cancel, intent_id)) or Unknown("the intent is not cancelled")
        except stripe.StripeError as error:
            raise _unavailable(error) from error

    def refund(self, request: RefundRequest) -> str:
        """Give back once for each key; Stripe itself forgets its idempotency keys after a day."""
        try:
            refunds = self._client().v1.refunds
            made = refunds.list({"charge": request.charge_id, "limit": _MOST_REFUNDS})
            for refund in made.data:
                if refund.metadata and refund.metadata.to_dict().get("key") == request.key:
                    return refund.id
            return refunds.create(
                {
                    "charge": request.charge_id,
                    "amount": request.amount_minor,
                    "metadata": {"key": request.key},
                },
                {"idempotency_key": f"{request.key}/refund"},
            ).id
        except stripe.StripeError as error:
            raise _unavailable(error) from error

    # --- the steps of an intent -----------------------------------------------------------------------

    def _create(self, request: ChargeRequest, method: str | None) -> str:
        key = Key.of(request.key)
        params: stripe.params.PaymentIntentCreateParams = {
            "amount": request.amount_minor,
            "currency": request.currency.lower(),
            "allowed_payment_method_types": ["card", "sepa_debit"],
            # Cards are authorised and then captured; a debit has no such step.
            "payment_method_options": {"card": {"capture_method": "manual"}},
            "metadata": {"tenant_id": key.tenant_id, "order_id": key.id},
        }
        if method is not None:
            params["payment_method"] = method
        name = "intent" if method is not None else "intent-without-method"
        options: stripe.RequestOptions = {"idempotency_key": f"{request.key}/{name}"}
        return self._client().v1.payment_intents.create(params, options).id

    def _retrieve(self, intent_id: str) -> PaymentIntent:
        return self._client().v1.payment_intents.retrieve(intent_id)

    def _confirm(self, intent_id: str) -> PaymentIntent:
        options: stripe.RequestOptions = {"idempotency_key": f"{intent_id}/confirm"}
        return self._client().v1.payment_intents.confirm(intent_id, {}, options)

    def _capture(self, intent_id: str) -> PaymentIntent:
        options: stripe.RequestOptions = {"idempotency_key": f"{intent_id}/capture"}
        return self._client().v1.payment_intents.capture(intent_id, {}, options)

    def _cancel(self, intent_id: str) -> PaymentIntent:
        return self._client().v1.payment_intents.cancel(intent_id)

    def _step(self, step: Callable[[str], PaymentIntent], intent_id: str) -> PaymentIntent:
        """Take one step; where the intent is not in the state for it, return the intent as it is."""
        try:
            return step(intent_id)
        except stripe.InvalidRequestError:
            return self._retrieve(intent_id)

    def _follow(self, intent_id: str, intent: PaymentIntent) -> Answer:
        """Go on from the state of an intent until it says what became of the charge."""
        for _ in range(_MOST_STEPS):
            match intent.status:
                case "requires_confirmation":
                    intent = self._step(self._confirm, intent_id)
                case "requires_capture":
                    intent = self._step(self._capture, intent_id)
                case "requires_payment_method":
                    error = intent.to_dict().get("last_payment_error") or {}
                    return self._decline(intent_id, error.get("decline_code") or error.get("code"))
                case _:
                    break
        return self._final(intent) or Unknown(f"the intent stays in state {intent.status}")

    def _decline(self, intent_id: str, reason: str | None) -> Answer:
        """Cancel an intent that was declined, so that nothing is charged later by it."""
        answer = self._final(self._step(self._cancel, intent_id))
        if isinstance(answer, Declined):
            return Declined(reason or "payment_method_missing")
        return answer or Unknown("a declined intent is not cancelled")

    def _final(self, intent: PaymentIntent) -> Answer | None:
        match intent.status:
            case "succeeded":
                charge = intent.latest_charge
                return Charged(charge if isinstance(charge, str) else cast("stripe.Charge", charge).id)
            case "canceled":
                return Declined("voided")
            case "processing" | "requires_action":
                return Pending()
            case _:
                return None


def gateway_of(key: Callable[[], str], url: str | None) -> StripeGateway:
    """Make the gateway; its client is made again when the key was rotated."""
    made: dict[str, StripeClient] = {}

    def client() -> StripeClient:
        secret = key()
        if secret not in made:
            made.clear()
            made[secret] = StripeClient(
                secret,
                base_addresses={"api": url} if url else {},
                http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
                # The queue retries, and every step may be taken again.
                max_network_retries=0,
            )
        return made[secret]

    return StripeGateway(client, is_test=lambda: key().startswith(("sk_test_", "rk_test_")))


def _unavailable(error: stripe.StripeError) -> GatewayUnavailableError:
    """Tell what happened by its kind: messages of Stripe may quote parts of a key."""
    what = [type(error).__name__, str(error.http_status or ""), error.code or ""]
    return GatewayUnavailableError(" ".join(part for part in what if part))
