"""Every event on the bus, one model each: camelCase on the wire, frozen, unknown fields ignored.

An event we emit is a function of the order it tells about, down to its id, so that emitting it again
after a crash is recognisably the same event.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal, Self, TypeVar
from uuid import NAMESPACE_URL, uuid5

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictBool,
    StrictInt,
    StringConstraints,
    model_validator,
)
from pydantic.alias_generators import to_camel

T = TypeVar("T")

MAX_SKUS = 90
MAX_LINES = 1_000
MAX_QUANTITY = 1_000_000
MAX_UNIT_PRICE = 1_000_000_000

_EVENT_IDS = uuid5(NAMESPACE_URL, "urn:pulsequeue:events")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def event_id(tenant_id: str, order_id: str, event: str, transition: str) -> str:
    """Name the event that tells of one transition of one order; the same call gives the same id."""
    return str(uuid5(_EVENT_IDS, f"{tenant_id}#{order_id}#{event}#{transition}"))


def rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _only_rfc3339(value: object) -> object:
    # pydantic would also take a number, or a string of digits, for a Unix time.
    if isinstance(value, datetime) or (isinstance(value, str) and _RFC3339.fullmatch(value)):
        return value
    raise ValueError("must be an RFC 3339 time with an offset, such as 2026-01-31T12:00:00Z")


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be a time that UTC can express") from None


def _some(items: tuple[T, ...]) -> tuple[T, ...]:
    # pydantic's own length limits would also complain of a line that it dropped for another fault.
    if not 1 <= len(items) <= MAX_LINES:
        raise ValueError(f"must have 1 to {MAX_LINES} lines, this has {len(items)}")
    return items


# '#' joins tenant and id in table keys; blanks at the ends and control characters make look-alikes.
_IDENTIFIER = r"^[^\s#\x00-\x1f\x7f-\x9f]([^#\x00-\x1f\x7f-\x9f]{0,126}[^\s#\x00-\x1f\x7f-\x9f])?$"
_LABEL = r"^[^\x00-\x1f\x7f-\x9f]+$"

Identifier = Annotated[str, StringConstraints(pattern=_IDENTIFIER, min_length=1, max_length=128)]
Label = Annotated[str, StringConstraints(pattern=_LABEL, min_length=1, max_length=64)]
Text = Annotated[str, StringConstraints(pattern=_LABEL, min_length=1, max_length=256)]
Quantity = Annotated[StrictInt, Field(ge=1, le=MAX_QUANTITY)]
Minor = Annotated[StrictInt, Field(ge=0, description="An amount in minor units, such as cents.")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_only_rfc3339),
    AfterValidator(_in_utc),
    PlainSerializer(rfc3339, when_used="json"),
]


class _Model(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        populate_by_name=True,
        serialize_by_alias=True,
        # Built when first used: a function meets half of these at most, and its cold start pays for each.
        defer_build=True,
    )


class Item(_Model):
    sku: Identifier
    quantity: Quantity


class PricedItem(Item):
    unit_price_minor: Annotated[Minor, Field(le=MAX_UNIT_PRICE)]


class Event(_Model):
    """What every event says, whatever it is about."""

    event_id: Identifier
    correlation_id: Identifier
    occurred_at: Instant
    tenant_id: Identifier = "default"
    schema_version: Annotated[StrictInt, Field(ge=1)] = 1

    @classmethod
    def detail_type(cls) -> str:
        return cls.__name__

    def wire(self) -> str:
        """Return the JSON that goes into the `detail` of a bus entry."""
        return self.model_dump_json(exclude_none=True)


def _correlated(data: object, by: str) -> object:
    if isinstance(data, dict) and "correlationId" not in data and "correlation_id" not in data:
        about = data.get(to_camel(by), data.get(by))
        return data if about is None else {**data, "correlation_id": about}
    return data


class OrderEvent(Event):
    order_id: Identifier

    @model_validator(mode="before")
    @classmethod
    def _correlate(cls, data: object) -> object:
        """Publishers need not repeat the order id as the correlation id."""
        return _correlated(data, "order_id")


class OrderPlaced(OrderEvent):
    """A customer wants these items."""

    customer_id: Identifier
    items: Annotated[
        tuple[Item, ...],
        AfterValidator(_some),
        Field(json_schema_extra={"minItems": 1, "maxItems": MAX_LINES}),
    ]
    region: Label | None = None
    channel: Label | None = None
    payment_method: Label | None = None
    placed_at: Instant | None = None
    expected_amount_minor: Minor | None = None
    """What the customer was shown; another amount is rejected with `price_changed`."""
    cancellable_until: Instant | None = None
    """A paid order is cancelled at the customer's request only until then; always without it."""

    @model_validator(mode="after")
    def _fits_one_transaction(self) -> Self:
        totals: dict[str, int] = {}
        for item in self.items:
            totals[item.sku] = totals.get(item.sku, 0) + item.quantity
        if len(totals) > MAX_SKUS:
            raise ValueError(
                f"an order may name at most {MAX_SKUS} distinct SKUs, this one names {len(totals)}"
            )
        if max(totals.values()) > MAX_QUANTITY:
            raise ValueError(f"the lines of one SKU must not add up to more than {MAX_QUANTITY}")
        return self


class PaymentRequested(OrderEvent):
    """Stock is reserved until `expiresAt`; this amount is to be charged."""

    customer_id: Identifier
    items: tuple[PricedItem, ...]
    amount_minor: Minor
    currency: Currency
    payment_method: Label | None = None
    placed_at: Instant
    expires_at: Instant


class PaymentProcessed(OrderEvent):
    """The customer was charged."""

    charge_id: Text
    amount_minor: Minor
    currency: Currency


class PaymentFailed(OrderEvent):
    """The customer was not charged, and will not be for this order."""

    reason: Text
    amount_minor: Minor
    currency: Currency


class PaymentAnswered(OrderEvent):
    """The gateway says that it has decided; the payment service asks it before it believes that."""

    outcome: Literal["succeeded", "failed"]


class OrderConfirmed(OrderEvent):
    """Paid, and taken from stock."""

    customer_id: Identifier
    items: tuple[PricedItem, ...]
    amount_minor: Minor
    currency: Currency


class OrderRejected(OrderEvent):
    """Nothing was reserved."""

    customer_id: Identifier
    reason: Literal["out_of_stock", "unknown_sku", "currency_mismatch", "price_changed"]
    skus: tuple[Identifier, ...] = ()


class OrderConflicted(OrderEvent):
    """A different order was placed under an existing id, and ignored; the first one stands."""

    placed_event_id: Identifier
    customer_id: Identifier
    differences: tuple[Literal["customer", "items", "payment_method"], ...]


class OrderCancelled(OrderEvent):
    """The reservation was released."""

    customer_id: Identifier
    reason: Literal["payment_failed", "reservation_expired", "customer_request"]


class OrderCancellationRequested(OrderEvent):
    """Release the order if it is reserved; refund it if it is confirmed."""

    reason: Text | None = None


class RefundRequested(OrderEvent):
    """Give the money back, or a part of it, and put the goods back on the shelf if they have returned.

    Each event id is one refund, however often it is delivered.
    """

    amount_minor: Annotated[StrictInt, Field(ge=1)] | None = None
    """How much to give back; without it, all that is left of the payment."""
    restock: StrictBool = False
    """Whether all units of the order are back; they return to the stock once."""
    reason: Text | None = None


class RefundProcessed(OrderEvent):
    """An amount was given back: the charge, or a part of it. Several refunds never exceed the charge."""

    charge_id: Text
    refund_id: Text
    amount_minor: Minor
    currency: Currency
    restocked: StrictBool
    reason: Text


class InventoryAdjusted(Event):
    """An operator set or changed the stock of a SKU; the levels are those right after."""

    sku: Identifier
    delta: StrictInt
    stock: Annotated[StrictInt, Field(ge=0)]
    available: Annotated[StrictInt, Field(ge=0)]
    unit_price_minor: Minor
    currency: Currency
    name: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _correlate(cls, data: object) -> object:
        """Publishers need not repeat the SKU as the correlation id."""
        return _correlated(data, "sku")


class SubscriptionEvent(Event):
    """What became of a subscription; from `effectiveAt` on, or else from the moment of the event."""

    subscription_id: Identifier
    customer_id: Identifier
    effective_at: Instant | None = None

    @model_validator(mode="before")
    @classmethod
    def _correlate(cls, data: object) -> object:
        """Publishers need not repeat the subscription's id as the correlation id."""
        return _correlated(data, "subscription_id")

    @property
    def effective(self) -> datetime:
        return self.effective_at or self.occurred_at


class SubscriptionTerms(SubscriptionEvent):
    """What is paid for one interval; nothing while a subscription is on trial, or paused."""

    plan: Label
    interval: Literal["week", "month", "quarter", "year"]
    amount_minor: Minor
    currency: Currency


class SubscriptionStarted(SubscriptionTerms):
    """A customer pays for a plan, again and again."""


class SubscriptionChanged(SubscriptionTerms):
    """Other terms hold from now on."""


class SubscriptionCancelled(SubscriptionEvent):
    """The subscription ends."""

    reason: Text | None = None


class ImportedLine(_Model):
    """What was sold of a product or, with a negative quantity, came back."""

    sku: Identifier
    quantity: Annotated[StrictInt, Field(ge=-MAX_QUANTITY, le=MAX_QUANTITY)]
    total_minor: StrictInt
    """The exact amount of the line, negative where goods came back."""
    unit_price: Annotated[str, StringConstraints(pattern=r"^\d{1,12}(\.\d{1,10})?$")] | None = None
    """As the file has it; it may have more decimals than the currency, and is not calculated with."""

    @model_validator(mode="after")
    def _has_one_direction(self) -> Self:
        if not self.quantity:
            raise ValueError("a line has a quantity other than 0")
        if self.quantity * self.total_minor < 0:
            raise ValueError("quantity and total of a line are both positive, or both negative")
        return self


class OrderImported(OrderEvent):
    """An order of an earlier system, as a file tells it: never reserved, charged or sent from here.

    It is not published on the bus. Of several about one order the newest counts, and none does once the order
    has events of its own.
    """

    customer_id: Identifier
    placed_at: Instant
    status: Literal["PLACED", "CONFIRMED", "REJECTED", "CANCELLED", "REFUNDED"]
    lines: Annotated[tuple[ImportedLine, ...], AfterValidator(_some)]
    currency: Currency
    discount_minor: StrictInt = 0
    tax_minor: StrictInt = 0
    shipping_minor: StrictInt = 0
    region: Label | None = None
    channel: Label | None = None

    @model_validator(mode="after")
    def _costs_something(self) -> Self:
        if self.sold_minor + self.extras_minor < 0 and self.units:
            raise ValueError("the discount is larger than the order")
        return self

    @property
    def units(self) -> int:
        return sum(line.quantity for line in self.lines if line.quantity > 0)

    @property
    def sold_minor(self) -> int:
        return sum(line.total_minor for line in self.lines if line.quantity > 0)

    @property
    def returned_minor(self) -> int:
        return -sum(line.total_minor for line in self.lines if line.quantity < 0)

    @property
    def extras_minor(self) -> int:
        return self.tax_minor + self.shipping_minor - self.discount_minor

    @property
    def amount_minor(self) -> int:
        """What the customer paid; nothing where goods only came back."""
        return self.sold_minor + self.extras_minor if self.units else 0

    @property
    def refunded_minor(self) -> int:
        """What the customer got back."""
        if not self.units:
            return max(0, self.returned_minor - self.extras_minor)
        return max(self.returned_minor, self.amount_minor if self.status == "REFUNDED" else 0)


CATALOGUE: tuple[type[Event], ...] = (
    OrderPlaced,
    PaymentRequested,
    PaymentProcessed,
    PaymentFailed,
    OrderConfirmed,
    OrderRejected,
    OrderConflicted,
    OrderCancelled,
    OrderCancellationRequested,
    RefundRequested,
    RefundProcessed,
    InventoryAdjusted,
    SubscriptionStarted,
    SubscriptionChanged,
    SubscriptionCancelled,
)


INTERNAL: tuple[type[Event], ...] = (PaymentAnswered,)
"""Events between our own functions: the read side and other systems do not hear them."""


IMPORTED: tuple[type[Event], ...] = (OrderImported,)
"""Events made of files: they go straight to the read side, and never over the bus."""


def by_name(name: str) -> type[Event] | None:
    return _BY_NAME.get(name)


_BY_NAME = {model.detail_type(): model for model in (*CATALOGUE, *INTERNAL, *IMPORTED)}
