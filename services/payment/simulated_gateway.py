"""A payment gateway that moves no money."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from threading import Lock

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

METHODS = (
    "sim_ok",
    "sim_declined",
    "sim_insufficient_funds",
    "sim_pending",
    "sim_unknown",
    "sim_slow",
    "sim_unavailable",
    "bank_transfer",
)
"""The payment methods with a meaning; any other is charged like sim_ok."""


class SimulatedGateway:
    """Decides by payment method and order id alone, so that the same order always gets the same result.

    `sim_declined` and `sim_insufficient_funds` decline, `sim_pending` and `bank_transfer` leave the answer
    open until the reservation ends, `sim_unknown` charges but never says so, `sim_unavailable` is never
    available, `sim_slow` is slow, order ids that begin with `test-failure` decline, and so does a share of
    all others set by `failure_rate`. Other charges are remembered in this process only: one of an order that
    was never settled is lost with the process.
    """

    _MAX_CHARGES = 100_000
    settles_within = timedelta(0)

    def __init__(
        self,
        *,
        failure_rate: float = 0.0,
        slow_seconds: float = 2.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._failure_rate = failure_rate
        self._slow_seconds = slow_seconds
        self._sleep = sleep
        self._charges: OrderedDict[str, Charged] = OrderedDict()
        self._lock = Lock()

    def prepare(self, request: ChargeRequest) -> None:
        """Charges are named by our key."""

    def charge(self, request: ChargeRequest) -> Answer:
        match request.method:
            case "sim_unavailable":
                raise GatewayUnavailableError(
                    "the simulated gateway is unavailable (payment method sim_unavailable)"
                )
            case "sim_declined":
                return Declined("card_declined")
            case "sim_insufficient_funds":
                return Declined("insufficient_funds")
            case "sim_pending" | "bank_transfer":
                return Pending()
            case "sim_unknown":
                return Unknown("the simulated answer was lost (payment method sim_unknown)")
            case "sim_slow":
                self._sleep(self._slow_seconds)
        if request.order_id.startswith("test-failure") or self._declines_at_random(request.key):
            return Declined("card_declined")
        charged = _charged(request.key)
        with self._lock:
            self._charges[request.key] = charged
            if len(self._charges) > self._MAX_CHARGES:
                self._charges.popitem(last=False)
        return charged

    def void(self, request: ChargeRequest) -> Answer | NotFound:
        match request.method:
            case "sim_pending" | "bank_transfer":
                return Declined("voided")
            case "sim_unknown":
                return _charged(request.key)
            case _:
                return self._charges.get(request.key, NotFound())

    def refund(self, request: RefundRequest) -> str:
        return "re_" + _digest(request.key)

    def _declines_at_random(self, key: str) -> bool:
        return int(_digest("luck " + key), 16) < self._failure_rate * 16**20


def _charged(key: str) -> Charged:
    return Charged("ch_" + _digest(key))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:20]
