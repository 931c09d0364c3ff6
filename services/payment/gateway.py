"""The port to the payment provider: requests and answers."""

from dataclasses import dataclass
from datetime import timedelta
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
    intent_id: str | None = None
    """The provider's id of what is to be charged, from `prepare`; it is in the order before any charge."""
    pending: bool = False
    """Whether the last answer was Pending."""


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """`key` makes the refund idempotent: requested twice, it is made once."""

    key: str
    charge_id: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Charged:
    charge_id: str

    def __post_init__(self) -> None:
        require_valid_id(self.charge_id)


@dataclass(frozen=True, slots=True)
class Declined:
    """Nothing was charged, and nothing will be."""

    reason: str

    @property
    def presentable(self) -> str:
        return _presentable(self.reason) or "declined"


@dataclass(frozen=True, slots=True)
class Pending:
    """The customer's bank has not decided; the answer comes later."""


@dataclass(frozen=True, slots=True)
class NotFound:
    """The gateway knows of no charge. It may still come to know of one, for as long as `settles_within`."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """No usable answer: the charge may or may not have been made, or may still be."""

    why: str


Answer = Charged | Declined | Pending | Unknown


def require_valid_id(provider_id: str) -> str:
    """Reject an id that no event could carry, before an order is settled by it."""
    if not provider_id or provider_id != _presentable(provider_id):
        raise GatewayUnavailableError("the gateway returned an id that is empty, too long or not printable")
    return provider_id


class PaymentGateway(Protocol):
    """A call that raises GatewayUnavailableError has answered Unknown."""

    @property
    def settles_within(self) -> timedelta:
        """How long after its order was released a charge may still be made, or not be shown by `void`.

        Later, NotFound is final. Where `prepare` returns None it includes the longest invocation (60 s): a
        charge may start as late as that after its order was read.
        """

    def prepare(self, request: ChargeRequest) -> str | None:
        """Create what is to be charged and return its id; it moves no money.

        None: the provider names charges by our key, and nothing has to be created.
        """

    def charge(self, request: ChargeRequest) -> Answer:
        """Charge, or return what became of it when it was requested before."""

    def void(self, request: ChargeRequest) -> Answer | NotFound:
        """Give up a charge that is not made yet; returns what became of it: Charged when it is too late."""

    def refund(self, request: RefundRequest) -> str:
        """Give back a charge or a part of it, once for each key; returns the refund's id."""
