"""The bodies and parameters of commands, and their responses."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt, StringConstraints
from pydantic.alias_generators import to_camel

from services.shared.events import MAX_LINES, Identifier, Instant, Item, Label, Minor, Text
from services.shared.http.params import RequestParams
from services.shared.http.responses import ResponseModel

MAX_DELTA = 1_000_000_000


class Body(BaseModel):
    """A body in JSON: a member that is unknown is an error, so that a misspelled one is never ignored."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, defer_build=True
    )


class OrderItem(Item):
    model_config = ConfigDict(extra="forbid")


def _some(items: tuple[OrderItem, ...]) -> tuple[OrderItem, ...]:
    if not 1 <= len(items) <= MAX_LINES:
        raise ValueError(f"must have 1 to {MAX_LINES} lines, this has {len(items)}")
    return items


class NewOrder(Body):
    customer_id: Identifier
    items: Annotated[
        tuple[OrderItem, ...],
        AfterValidator(_some),
        Field(json_schema_extra={"minItems": 1, "maxItems": MAX_LINES}),
    ]
    region: Label | None = None
    channel: Label | None = None
    payment_method: Label | None = None
    expected_amount_minor: Annotated[
        Minor | None,
        Field(description="What the customer was shown; another amount is rejected with `price_changed`."),
    ] = None
    cancellable_until: Annotated[
        Instant | None,
        Field(description="A paid order is cancelled only until then; always without it."),
    ] = None


class Cancellation(Body):
    reason: Text | None = None


class Refund(Body):
    amount_minor: Annotated[
        StrictInt | None,
        Field(
            ge=1,
            description="How much to give back, in minor units; requires an Idempotency-Key. Without it, "
            "all that is left of the payment.",
        ),
    ] = None
    restock: Annotated[
        StrictBool, Field(description="Whether the goods are back: all units return to the stock, once.")
    ] = False
    reason: Text | None = None


class Adjustment(Body):
    delta: Annotated[
        StrictInt, Field(ge=-MAX_DELTA, le=MAX_DELTA, description="Units to add, or with a minus to take.")
    ]


class ShopEvent(Body):
    type: Literal["SubscriptionStarted", "SubscriptionChanged", "SubscriptionCancelled"]
    occurred_at: Instant | None = None
    detail: Annotated[
        dict[str, Any],
        Field(description="The event's own fields; tenant and event id follow from token and key."),
    ]


IdempotencyKey = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,128}$")]


class OrderParams(RequestParams):
    order_id: Annotated[Identifier, Field(alias="orderId", description="The order's id.")]


class SkuParams(RequestParams):
    sku: Annotated[Identifier, Field(alias="sku", description="The product's SKU.")]


class AcceptedOrder(ResponseModel):
    order_id: str
    status: Literal["RECEIVED"]
    accepted_at: Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class AcceptedRequest(ResponseModel):
    order_id: str
    requested: Literal["cancellation", "refund"]


class StockLevels(ResponseModel):
    sku: str
    stock: int
    reserved: int
    available: int
    published: Annotated[
        bool, Field(description="Whether InventoryAdjusted was published; the change is made in any case.")
    ]


class AcceptedEvent(ResponseModel):
    event_id: str
    type: str
