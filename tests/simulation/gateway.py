"""Whoever moves the money: true books, and at times no answer, a late one, or look-ups that lag behind."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

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
from tests.simulation.faults import Fault
from tests.simulation.network import Network
from tests.simulation.story import label

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.invariants import Watch

_LONGEST_RUN = 60.0
_BANK_TAKES = {"pending": (0.5, 20.0, 800.0), "bank transfer": (20.0, 1_000.0, 100_000.0, 400_000.0)}
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Charge:
    id: str
    order_id: str
    amount_minor: int
    currency: str
    made_at: float


@dataclass(frozen=True, slots=True)
class GivenBack:
    id: str
    charge_id: str
    amount_minor: int


def _label(pk: str) -> tuple[str]:
    return (label(*Key.of(pk)),)


class GatewayLedger:
    """What was really charged and given back."""

    def __init__(self) -> None:
        self.charges: dict[str, Charge] = {}
        self.refunds: dict[str, GivenBack] = {}
        self.declined: set[str] = set()
        self.pending: set[str] = set()
        self.voided: set[str] = set()
        self.intents = 0

    def open_charges(self) -> list[Charge]:
        return [
            charge for charge in self.charges.values() if self.given_back(charge.id) < charge.amount_minor
        ]

    def given_back(self, charge_id: str) -> int:
        return sum(refund.amount_minor for refund in self.refunds.values() if refund.charge_id == charge_id)


class Gateway:
    """A PaymentGateway as payment processes reach it.

    Under some seeds it names what is to be charged, and forgets our keys; under others our key is the name,
    nothing can be voided, and look-ups lag behind.
    """

    def __init__(self, gateway_ledger: GatewayLedger, network: Network, watch: "Watch") -> None:
        self._books = gateway_ledger
        self._scheduler = network.scheduler
        self._network = network
        self._story = network.story
        self._watch = watch
        self.on_decision: Callable[[Key, bool], None] = lambda _key, _succeeded: None
        """Hears of every charge that is made or declined, whether its call was answered or not."""
        self._down_until = 0.0
        self.names_intents = network.random.random() < 0.5
        self._lag = 0.0 if self.names_intents else network.random.choice((0.0, 4.0, 90.0))
        self._latest = network.random.choice((1.0, 30.0, 90.0))
        """How long a call that was given up may still take effect."""

    @property
    def settles_within(self) -> timedelta:
        longest_run = 0.0 if self.names_intents else _LONGEST_RUN
        return timedelta(seconds=self._lag + self._latest + longest_run)

    def prepare(self, request: ChargeRequest) -> str | None:
        if not self.names_intents:
            return None
        self._reach("prepare")
        self._books.intents += 1
        intent = f"intent-{self._books.intents}"
        self._answer("prepare", _label(request.key))
        return intent

    def charge(self, request: ChargeRequest) -> Answer:
        self._reach("charge")
        self._watch.on_charge(request, self.names_intents)
        name = request.intent_id or request.key
        if self._network.strikes(Fault.GATEWAY_LATE, "gateway charge", _label(request.key)):
            delay = self._network.random.uniform(0, self._latest)
            self._scheduler.after(delay, lambda: self._charge(name, request))
            return Unknown("the call was given up")
        answer = self._charge(name, request)
        self._answer("charge", _label(request.key))
        return answer

    def void(self, request: ChargeRequest) -> Answer | NotFound:
        self._reach("void")
        answer = self._void(request.intent_id or request.key, request)
        self._answer("void", ())
        return answer

    def refund(self, request: RefundRequest) -> str:
        self._reach("refund")
        made = self._books.refunds.get(request.key)
        if made is None:
            made = self._make_refund(request)
        self._answer("refund", ())
        return made.id

    def _make_refund(self, request: RefundRequest) -> GivenBack:
        charge = next((one for one in self._books.charges.values() if one.id == request.charge_id), None)
        made = GivenBack(f"re-{len(self._books.refunds) + 1}", request.charge_id, request.amount_minor)
        self._books.refunds[request.key] = made
        self._story.info(f"the gateway gives back {made.amount_minor} of {made.charge_id} as {made.id}")
        given_back = self._books.given_back(made.charge_id)
        if charge is None or charge.currency != request.currency or given_back > charge.amount_minor:
            self._watch.report("no more is given back than was paid", f"{given_back} of {charge}")
        else:
            self._watch.on_refund(charge.order_id, made)
        return made

    def _charge(self, name: str, request: ChargeRequest) -> Answer:
        if name in self._books.voided:
            return Declined("voided")
        if charge := self._books.charges.get(name):
            return Charged(charge.id)
        match request.method:
            case "never answered":
                return Unknown("this one never answers")
            case "declined":
                return self._decline(request)
            case "pending" | "bank transfer":
                return self._wait_for_the_bank(name, request)
            case _:
                return self._make_charge(name, request)

    def _decline(self, request: ChargeRequest) -> Declined:
        if request.key not in self._books.declined:
            self._books.declined.add(request.key)
            self.on_decision(Key.of(request.key), False)
        self._story.info("the gateway declines", _label(request.key))
        return Declined("card_declined")

    def _wait_for_the_bank(self, name: str, request: ChargeRequest) -> Answer:
        if request.key in self._books.declined:
            return Declined("card_declined")
        if name not in self._books.pending:
            self._books.pending.add(name)
            self._scheduler.after(
                self._network.random.choice(_BANK_TAKES[request.method or ""]),
                lambda: self._bank_decides(name, request),
            )
        return Pending()

    def _bank_decides(self, name: str, request: ChargeRequest) -> None:
        if name in self._books.pending and name not in self._books.voided:
            self._books.pending.discard(name)
            if self._network.random.random() < 0.3:
                self._decline(request)
            else:
                self._make_charge(name, request)

    def _make_charge(self, name: str, request: ChargeRequest) -> Charged:
        number = len(self._books.charges) + 1
        charge = Charge(
            f"ch-{number}", request.order_id, request.amount_minor, request.currency, self._scheduler.now
        )
        self._books.charges[name] = charge
        self._story.info(
            f"the gateway charges {charge.amount_minor} {charge.currency} as {charge.id}", _label(request.key)
        )
        self.on_decision(Key.of(request.key), True)
        return Charged(charge.id)

    def _void(self, name: str, request: ChargeRequest) -> Answer | NotFound:
        charge = self._books.charges.get(name)
        if charge and self._scheduler.now >= charge.made_at + self._lag:
            return Charged(charge.id)
        if self.names_intents:
            # Without an intent nothing was charged, and nothing will be.
            if request.intent_id:
                self._books.voided.add(name)
            return Declined("voided")
        return Pending() if name in self._books.pending else NotFound()

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
