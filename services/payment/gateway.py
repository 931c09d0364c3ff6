"""The port to the payment provider: requests and results."""

from dataclasses import dataclass
from typing import Protocol

from services.shared.errors import GatewayUnavailableError

_LONGEST = 256


def _presentable(text: str) -> str:
    """Fit a text of the gateway into an event: printable, at most 256 characters."""
    return "".join(char for char in text if char.isprintable())[:_LONGEST]


@dataclass(frozen=True, slots=True)
class ChargeRequest:
    """`key` makes the charge idempotent: requested twice, it is made once."""

    key: str
    order_id: str
    amount_minor: int
    currency: str
    method: str | None


@dataclass(frozen=True, slots=True)
class Charged:
    charge_id: str

    def __post_init__(self) -> None:
        require_valid_id(self.charge_id)


@dataclass(frozen=True, slots=True)
class Declined:
    reason: str

    @property
    def presentable(self) -> str:
        return _presentable(self.reason) or "declined"


def require_valid_id(provider_id: str) -> str:
    """Reject an id that no event could carry, before an order is settled by it."""
    if not provider_id or provider_id != _presentable(provider_id):
        raise GatewayUnavailableError("the gateway returned an id that is empty, too long or not printable")
    return provider_id


class PaymentGateway(Protocol):
    """Every call raises GatewayUnavailableError when its result is not known; the caller retries it."""

    def charge(self, request: ChargeRequest) -> Charged | Declined: ...

    def find(self, key: str) -> Charged | None:
        """Look up the charge made under this key, including one whose response was lost."""

    def refund(self, charge_id: str, amount_minor: int, currency: str) -> str:
        """Refund a whole charge, once however often called; returns the refund's id."""
