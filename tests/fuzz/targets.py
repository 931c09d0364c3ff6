"""What must hold whatever arrives. Each target takes one drawn case, and asserts."""

import json
from collections.abc import Iterable

from jsonschema import Draft202012Validator
from pydantic import ValidationError

from scripts.common.project_files import CHECKOUT
from services.order.consistency import Kind, find_discrepancies
from services.shared.errors import NotAnSqsEventError
from services.shared.events import CATALOGUE, by_name
from services.shared.ledger import Key, Status
from services.shared.messages import detail_of
from tests.fuzz.strategies import ORDERS, Draw, Json
from tests.fuzz.world import World

REASONS = {"invalid_json", "invalid_envelope", "unexpected_event", "invalid_event"}
PUBLISHED = {
    model.detail_type(): Draft202012Validator(
        json.loads((CHECKOUT / "docs" / "events" / f"{model.detail_type()}.json").read_text(encoding="utf-8"))
    )
    for model in CATALOGUE
}


def each_record_ends_one_way(consumer: str, batch: list[Draw]) -> None:
    """Each record is handled, buried with a reason, or handed back; what is valid is not held up."""
    world = World()
    if consumer != "order":
        world.open_orders(*ORDERS)
    ids = {draw.record["messageId"] for draw in batch}

    ended = world.invoke(consumer, {"Records": [draw.record for draw in batch]})

    assert {*ended.sent, *ended.retry} <= ids
    assert len(ended.sent) == len(set(ended.sent)), "a message is buried once"
    assert not ended.retry.intersection(ended.sent), "buried, and yet it comes again"
    assert {poison.reason for poison in world.dlq.sent} <= REASONS
    assert all(poison.detail for poison in world.dlq.sent), "buried without saying why"
    assert not world.telemetry.errors, f"unforeseen: {world.telemetry.errors}"
    for draw in batch:
        if draw.valid is not None:
            _is_taken(world, draw, sent=ended.sent, retry=ended.retry)
    _balances(world)
    world.settle()
    assert not world.telemetry.errors, f"unforeseen: {world.telemetry.errors}"
    _balances(world)
    assert all(order.status is not Status.RESERVED for order in world.store.orders.values())


def _is_taken(world: World, draw: Draw, *, sent: Iterable[str], retry: Iterable[str]) -> None:
    message_id, envelope = draw.record["messageId"], draw.valid or {}
    assert message_id not in sent, "a valid event was buried"
    detail = envelope["detail"]
    key = Key(detail.get("tenantId", "default"), detail["orderId"])
    if envelope["detail-type"] == "OrderPlaced":
        assert message_id not in retry, "a valid order was held up"
        assert key in world.store.orders, "a valid order was not decided"
    elif (envelope["detail-type"], detail.get("reason")) == ("OrderCancelled", "payment_failed"):
        assert message_id not in retry, "a payment that failed leaves nothing to do"
    elif key not in world.store.orders:
        assert message_id in retry, "there is no such order yet, so it has to come again"


def _balances(world: World) -> None:
    result = find_discrepancies(world.store.orders.values(), world.store.stock.values(), world.clock.now)
    assert result.by_sku == ()
    assert [one for one in result.by_order if one.kind is not Kind.OVERDUE] == []


def anything_else_is_refused_as_such(consumer: str, raw: object) -> None:
    """What is no batch of SQS messages is refused as that, and by no other error."""
    world = World()
    try:
        world.invoke(consumer, raw)
    except NotAnSqsEventError:
        assert not world.store.orders


def the_schema_accepts_what_the_model_accepts(name: str, detail: Json) -> None:
    """The published contract never refuses what the code takes, but for the differences listed here."""
    model = by_name(name)
    assert model is not None
    envelope = {"id": "e", "time": "2026-01-31T12:00:00Z", "detail": detail}
    try:
        model.model_validate(detail_of(envelope))
    except ValidationError:
        return
    if not KNOWN_DIFFERENCES["field names in snake_case"](name, detail):
        faults = [error.message for error in PUBLISHED[name].iter_errors(detail)]
        assert faults == [], f"{name}: the model accepts {json.dumps(detail)[:500]}"


def model_and_schema_accept(name: str, detail: Json) -> None:
    """What is drawn as valid is valid; or the other targets would prove little."""
    model = by_name(name)
    assert model is not None
    model.model_validate(detail_of({"id": "e", "time": "2026-01-31T12:00:00Z", "detail": detail}))
    assert [error.message for error in PUBLISHED[name].iter_errors(detail)] == []


def _has_python_names(name: str, detail: Json) -> bool:
    """Tell whether a field stands under its Python name, which the models take as well."""
    model = by_name(name)
    assert model is not None
    python_names = {field for field, info in model.model_fields.items() if info.alias != field}
    python_names |= {"unit_price_minor"}
    lines = detail.get("items", [])
    places = (
        [detail, *(line for line in lines if isinstance(line, dict))] if isinstance(lines, list) else [detail]
    )
    return any(python_names & place.keys() for place in places)


KNOWN_DIFFERENCES = {"field names in snake_case": _has_python_names}
