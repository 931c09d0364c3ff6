"""Runs localstripe, a Stripe server, on the loopback, with what it lacks.

Added are: idempotency keys, parameters of the current API, banks that decide later, the limit of refunds,
and payment methods with known ids. Its books are in memory, and end with the process.
"""

import argparse
import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web
from localstripe import resources  # type: ignore[import-untyped]
from localstripe.errors import UserError  # type: ignore[import-untyped]
from localstripe.server import app  # type: ignore[import-untyped]

HOST: Final = "127.0.0.1"
CARDS: Final = {
    "pm_card_visa": "4242424242424242",
    "pm_card_chargeDeclined": "4000000000000341",
    "pm_card_threeDSecure2Required": "4000000000003220",
}
"""Payment methods of Stripe's test mode, under the ids that it has for them."""
DEBITS: Final = {"pm_debit": "DE89370400440532013000", "pm_debit_fails": "DE62370400440532013001"}
"""Of this server alone: bank debits that succeed, or fail, half a second later."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def complete() -> web.Application:
    """Return the server with what it lacks."""
    # It saves all it knows after each request, in a file that every server of the machine shares.
    resources.Store.dump_to_disk = lambda _self: None
    _capture_by_payment_method()
    _limit_refunds()
    _let_banks_decide_later()
    for name, number in CARDS.items():
        card = {"number": number, "exp_month": 12, "exp_year": 2099, "cvc": "123"}
        _name(resources.PaymentMethod(type="card", card=card), name)
    for name, iban in DEBITS.items():
        _name(resources.PaymentMethod(type="sepa_debit", sepa_debit={"iban": iban}), name)
    app.middlewares.insert(0, _idempotent())
    return app  # type: ignore[no-any-return]


def _name(payment_method: Any, name: str) -> None:  # noqa: ANN401 - localstripe has no types
    del resources.store[f"payment_method:{payment_method.id}"]
    payment_method.id = name
    resources.store[f"payment_method:{name}"] = payment_method


def _idempotent() -> Any:  # noqa: ANN401 - a middleware of aiohttp
    """Answer a request that is repeated under its idempotency key as the first time."""
    answers: dict[str, tuple[int, bytes]] = {}
    turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        key = request.headers.get("Idempotency-Key")
        if key is None or request.method != "POST":
            return await handler(request)
        async with turns[key]:
            if key not in answers:
                response = await handler(request)
                if not isinstance(response, web.Response) or response.status >= 500:  # noqa: PLR2004
                    return response
                answers[key] = response.status, bytes(response.body or b"")  # type: ignore[arg-type]
                return response
            status, body = answers[key]
            headers = {"Idempotent-Replayed": "true"}
            return web.Response(body=body, status=status, content_type="application/json", headers=headers)

    return middleware


def _capture_by_payment_method() -> None:
    create = resources.PaymentIntent._api_create.__func__  # noqa: SLF001 - it has no other way

    def created(cls: Any, /, payment_method_options: Any = None, **data: Any) -> Any:  # noqa: ANN401
        data.pop("allowed_payment_method_types", None)
        method = resources.store.get(f"payment_method:{data.get('payment_method')}")
        wanted = (payment_method_options or {}).get(method.type if method else "card", {})
        if wanted.get("capture_method"):
            data["capture_method"] = wanted["capture_method"]
        return create(cls, **data)

    resources.PaymentIntent._api_create = classmethod(created)  # noqa: SLF001 - as above


def _limit_refunds() -> None:
    create = resources.Refund._api_create.__func__  # noqa: SLF001 - as above

    def created(cls: Any, /, charge: Any = None, amount: Any = None, **data: Any) -> Any:  # noqa: ANN401
        found = resources.Charge._api_retrieve(charge)  # noqa: SLF001 - as above
        left = found.amount - found.amount_refunded
        if int(amount or left) > left or not left or not found.captured:
            raise UserError(400, "Less is left.", {"code": "charge_already_refunded"})
        return create(cls, charge=charge, amount=amount, **data)

    resources.Refund._api_create = classmethod(created)  # noqa: SLF001 - as above


def _let_banks_decide_later() -> None:
    initialize = resources.Charge._initialize_charge  # noqa: SLF001 - as above

    def initialized(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        initialize(self, *args, **kwargs)
        if self._authorized and self._is_async_payment_method():
            self.status = "pending"

    resources.Charge._initialize_charge = initialized  # noqa: SLF001 - as above


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    web.run_app(complete(), host=HOST, port=parser.parse_args().port, print=None, access_log=None)
