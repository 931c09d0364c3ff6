"""The door to whoever moves the money: what is asked, what may be answered."""

from dataclasses import dataclass
from typing import Protocol

from services.shared.errors import GatewayUnavailableError

_LONGEST = 256


def _presentable(text: str) -> str:
    """Fit a gateway's words into what an event may say."""
    return "".join(char for char in text if char.isprintable())[:_LONGEST]


@dataclass(frozen=True, slots=True)
class ChargeRequest:
    """`key` makes the charge idempotent: asked twice, it is made once."""

    key: str
    order_id: str
    amount_minor: int
    currency: str
    method: str | None


@dataclass(frozen=True, slots=True)
class Charged:
    charge_id: str

    def __post_init__(self) -> None:
        require_name(self.charge_id)


@dataclass(frozen=True, slots=True)
class Declined:
    reason: str

    @property
    def presentable(self) -> str:
        return _presentable(self.reason) or "declined"


def require_name(name: str) -> str:
    """Refuse an answer whose id no event could carry, before anything is settled by it."""
    if not name or name != _presentable(name):
        raise GatewayUnavailableError("the gateway answered with an unusable id")
    return name


class PaymentGateway(Protocol):
    """Every call raises GatewayUnavailableError when the answer is not known: it will be asked again."""

    def charge(self, request: ChargeRequest) -> Charged | Declined: ...

    def find(self, key: str) -> Charged | None:
        """Look up a charge that was made under this key, whether or not its answer ever reached us."""

    def refund(self, charge_id: str, amount_minor: int, currency: str) -> str:
        """Give a whole charge back, once however often asked; returns the refund's id."""
