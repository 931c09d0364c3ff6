"""Whoever moves the money: true books, idempotent by key, and at times no answer."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.payment.gateway import Charged, ChargeRequest, Declined
from services.shared.errors import GatewayUnavailableError
from services.shared.ledger import Key
from tests.simulation.faults import Fault
from tests.simulation.network import Network
from tests.simulation.story import label

if TYPE_CHECKING:
    from tests.simulation.invariants import Watch


@dataclass(frozen=True, slots=True)
class Charge:
    id: str
    order_id: str
    amount_minor: int
    currency: str


def _label(pk: str) -> tuple[str]:
    return (label(*Key.of(pk)),)


class GatewayLedger:
    """What was really charged and given back."""

    def __init__(self) -> None:
        self.charges: dict[str, Charge] = {}
        self.refunded: dict[str, str] = {}
        self.declined: set[str] = set()

    def open_charges(self) -> list[Charge]:
        return [charge for charge in self.charges.values() if charge.id not in self.refunded]


class Gateway:
    """A PaymentGateway as payment processes reach it."""

    def __init__(self, gateway_ledger: GatewayLedger, network: Network, watch: "Watch") -> None:
        self._gateway_ledger = gateway_ledger
        self._scheduler = network.scheduler
        self._network = network
        self._story = network.story
        self._watch = watch
        self._down_until = 0.0

    def charge(self, request: ChargeRequest) -> Charged | Declined:
        self._reach("charge")
        answer = self._charge(request)
        self._answer("charge", _label(request.key))
        return answer

    def find(self, key: str) -> Charged | None:
        self._reach("find")
        found = self._gateway_ledger.charges.get(key)
        self._answer("find", ())
        return Charged(found.id) if found else None

    def refund(self, charge_id: str, amount_minor: int, currency: str) -> str:
        self._reach("refund")
        pk, charge = next(
            ((pk, charge) for pk, charge in self._gateway_ledger.charges.items() if charge.id == charge_id),
            ("", None),
        )
        if charge is None or (charge.amount_minor, charge.currency) != (amount_minor, currency):
            self._watch.report(
                "refunds are of whole charges", f"{charge_id}: {amount_minor} {currency} of {charge}"
            )
        refund_id = self._gateway_ledger.refunded.setdefault(charge_id, f"re-{charge_id}")
        self._story.info(f"the gateway gives back {charge_id}", _label(pk) if charge else ())
        self._answer("refund", ())
        return refund_id

    def _charge(self, request: ChargeRequest) -> Charged | Declined:
        self._watch.on_charge(request.key)
        if request.method == "never answered":
            raise GatewayUnavailableError("this one never answers")
        if request.method == "declined":
            self._gateway_ledger.declined.add(request.key)
            self._story.info("the gateway declines", _label(request.key))
            return Declined("card_declined")
        charge = self._gateway_ledger.charges.get(request.key)
        if charge is None:
            number = len(self._gateway_ledger.charges) + 1
            charge = Charge(f"ch-{number}", request.order_id, request.amount_minor, request.currency)
            self._gateway_ledger.charges[request.key] = charge
            self._story.info(
                f"the gateway charges {charge.amount_minor} {charge.currency} as {charge.id}",
                _label(request.key),
            )
        return Charged(charge.id)

    def _reach(self, operation: str) -> None:
        self._network.travel(f"gateway {operation}")
        actor = self._scheduler.actor
        if self._network.strikes(Fault.GATEWAY_DOWN):
            self._down_until = self._scheduler.now + self._network.random.choice((1, 30, 1_000))
        down = self._scheduler.now < self._down_until and not (actor and actor.spared)
        if down or self._network.strikes(Fault.GATEWAY_SILENT_BEFORE, f"gateway {operation}"):
            raise GatewayUnavailableError("no answer")

    def _answer(self, operation: str, orders: tuple[str, ...]) -> None:
        self._network.return_from(f"gateway {operation}")
        if self._network.strikes(Fault.GATEWAY_SILENT_AFTER, f"gateway {operation}", orders):
            raise GatewayUnavailableError("the answer was lost")
