"""Anything JSON can say, and events that are valid, or almost."""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from services.shared.events import CATALOGUE, MAX_QUANTITY, MAX_SKUS
from tests.fuzz.world import SKUS, Record

Json = dict[str, Any]

NAMES = tuple(model.detail_type() for model in CATALOGUE)
CONSUMED = {
    "order": ("OrderPlaced", "OrderCancellationRequested"),
    "payment": ("PaymentRequested", "OrderCancelled", "RefundRequested"),
    "expiry": ("PaymentRequested",),
}

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()  # NaN and infinities too: Python writes them, JSON does not know them
    | st.text(max_size=20)
)
any_json = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)

_NASTY: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 1.0, 1.5, 1e308, 10**18, 10**30, -(2**63), MAX_QUANTITY, MAX_QUANTITY + 1),
    *("", " ", "a ", " a", "\n", "a\n", "a\x00b", "a#b", "#", "x" * 128, "x" * 129, "1", "null", "NaN"),
    *(
        "\u00e9" * 128,
        "\U0001f4a9" * 128,
        "\u202eabc",
        "\ufeff",
        "\u00a0a",
        "\u2028",
        "\ud800",
        "\x85",
        "\x1c",
    ),
    *("2026-01-31T12:00:00Z", "2026-01-31 12:00:00+00:00", "2026-02-30T00:00:00Z", "2026-01-31T12:00:00"),
    *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "1769860800"),
    *("2026-01-31T12:00:60Z", "2026-01-31T12:00:00.1234567891Z", "2026-01-31T12:00:00+24:00"),
    *([], {}, [[]], [{}], [None], {"sku": "apple", "quantity": 1}, "x" * 5_000),
    [{"sku": f"s{n}", "quantity": 1} for n in range(MAX_SKUS + 1)],
    [{"sku": "apple", "quantity": MAX_QUANTITY}] * 2,
    [{"sku": "apple", "quantity": 1}] * 1_001,
)
nasty = st.sampled_from(_NASTY).map(deepcopy) | any_json

ORDERS = ("order-1", "order-2", "\u00fcber bestellung")
_ids = st.sampled_from([*ORDERS, "o", "test-failure-1"])
_instants = st.datetimes().map(lambda moment: moment.isoformat() + "Z") | st.sampled_from(
    ["2026-01-31T12:00:00+05:45", "2026-01-31t12:00:00.123456z", "9999-12-31T23:59:59Z"]
)
_labels = st.none() | st.sampled_from(["sim_ok", "EU", "\u6771\u4eac", "a b"])
_amounts = st.integers(0, 10**12)
_skus = st.sampled_from([*SKUS, *SKUS, "ghost", "\U0001f34f"])
_items = st.fixed_dictionaries({"sku": _skus, "quantity": st.integers(1, 5)})
_priced = st.fixed_dictionaries(
    {"sku": _skus, "quantity": st.integers(1, 5), "unitPriceMinor": st.integers(0, 10**9)}
)
_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "amountMinor": _amounts,
    "available": _amounts,
    "cancellableUntil": st.none() | _instants,
    "channel": _labels,
    "chargeId": st.just("ch_1"),
    "correlationId": _ids,
    "currency": st.sampled_from(["USD", "EUR"]),
    "customerId": _ids,
    "delta": st.integers(),
    "differences": st.lists(st.sampled_from(["customer", "items", "payment_method"]), max_size=2),
    "effectiveAt": st.none() | _instants,
    "eventId": st.uuids().map(str),
    "expectedAmountMinor": st.none() | _amounts,
    "expiresAt": _instants,
    "interval": st.sampled_from(["month", "year"]),
    "name": st.none() | st.just("An apple"),
    "occurredAt": _instants,
    "orderId": _ids,
    "paymentMethod": _labels,
    "placedAt": _instants,
    "placedEventId": st.uuids().map(str),
    "plan": st.just("team"),
    "refundId": st.just("re_1"),
    "region": _labels,
    "restock": st.booleans(),
    "restocked": st.booleans(),
    "schemaVersion": st.integers(1, 5),
    "sku": _skus,
    "skus": st.lists(_skus, max_size=3),
    "stock": _amounts,
    "subscriptionId": _ids,
    "tenantId": st.sampled_from(["default", "default", "acme"]),
    "unitPriceMinor": _amounts,
}
_REASONS: dict[str, st.SearchStrategy[Any]] = {
    "OrderRejected": st.sampled_from(["out_of_stock", "unknown_sku", "currency_mismatch", "price_changed"]),
    "OrderCancelled": st.sampled_from(["payment_failed", "reservation_expired", "customer_request"]),
}
# An amount to give back is at least one minor unit.
_NARROWER = {("RefundRequested", "amountMinor"): st.none() | st.integers(1, 10**12)}
_FILLED = {"eventId", "occurredAt", "correlationId"}


def details(name: str) -> st.SearchStrategy[Json]:
    """Draw details that the event's model accepts, once the envelope has filled what is left out."""
    model = next(model for model in CATALOGUE if model.detail_type() == name)
    required: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for field, info in model.model_fields.items():
        alias = info.alias or field
        if alias == "items":
            drawn = st.lists(_items if name == "OrderPlaced" else _priced, min_size=1, max_size=4)
        elif alias == "reason":
            drawn = _REASONS.get(name, st.just("because"))
        else:
            drawn = _NARROWER.get((name, alias), _FIELDS[alias])
        must = info.is_required() and alias not in _FILLED
        (required if must else optional)[alias] = drawn
    return st.fixed_dictionaries(required, optional=optional)


@st.composite
def envelopes(draw: st.DrawFn, names: tuple[str, ...]) -> Json:
    """Draw a valid event as the bus delivers it."""
    name = draw(st.sampled_from(names))
    return {
        "version": "0",
        "id": draw(st.uuids().map(str)),
        "detail-type": name,
        "source": "tests.fuzz",
        "time": "2026-01-31T12:00:00Z",
        "resources": [],
        "detail": draw(details(name)),
    }


@st.composite
def spoilt(draw: st.DrawFn, good: st.SearchStrategy[Json], *, most: int = 3) -> Json:
    """Draw something valid and do one thing or a few to it."""
    document = deepcopy(draw(good))
    for _ in range(draw(st.integers(1, most))):
        place = draw(st.sampled_from(_objects(document)))
        draw(st.sampled_from((_replace, _drop, _rename, _add)))(draw, place)
    return document


def _objects(node: object) -> list[Json]:
    """List the objects within a document that something can be done to, the outermost first."""
    if isinstance(node, list):
        return [found for part in node for found in _objects(part)]
    if not isinstance(node, dict):
        return []
    return [node, *(found for part in node.values() for found in _objects(part))]


Spoil = Callable[[st.DrawFn, Json], None]


def _replace(draw: st.DrawFn, place: Json) -> None:
    if place:
        place[draw(st.sampled_from(sorted(place)))] = draw(nasty)


def _drop(draw: st.DrawFn, place: Json) -> None:
    if place:
        del place[draw(st.sampled_from(sorted(place)))]


def _rename(draw: st.DrawFn, place: Json) -> None:
    if place:
        name = draw(st.sampled_from(sorted(place)))
        change = draw(st.sampled_from((str.upper, str.lower, _snake, lambda text: f"{text} ")))
        place[change(name)] = place.pop(name)


def _add(draw: st.DrawFn, place: Json) -> None:
    place[draw(st.sampled_from(sorted(_FIELDS)) | st.text(max_size=8))] = draw(nasty)


def _snake(name: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name)


@st.composite
def texts(draw: st.DrawFn, document: st.SearchStrategy[Any]) -> str:
    """Write a document as JSON, or as what almost is JSON."""
    text = json.dumps(draw(document), ensure_ascii=True)
    match draw(st.sampled_from(("whole", "whole", "whole", "cut", "twice", "nested", "padded"))):
        case "cut":
            return text[: draw(st.integers(0, len(text)))]
        case "twice":
            name = draw(st.sampled_from(("detail", "detail-type", "id", "orderId")))
            return text.replace("{", f'{{"{name}": {json.dumps(draw(nasty))}, ', draw(st.integers(1, 2)))
        case "nested":
            depth = draw(st.sampled_from((10, 190, 10_000)))
            return text.replace("{", '{"x": ' + "[" * depth + "]" * depth + ", ", 1)
        case "padded":
            return draw(st.sampled_from((" ", "\ufeff", "\x00", "\n", "0"))) + text
        case _:
            return text


@dataclass(frozen=True, slots=True)
class Draw:
    """A record, and the event it brings when that is known to be valid."""

    record: Record
    valid: Json | None = None


@st.composite
def batches(draw: st.DrawFn, consumer: str) -> list[Draw]:
    """Draw a batch as SQS hands it over: valid events among anything else."""
    good = envelopes(CONSUMED[consumer])
    bad = (
        texts(spoilt(good))
        | texts(spoilt(good))
        | texts(envelopes(NAMES))
        | texts(any_json)
        | st.text(max_size=50)
        | st.sampled_from(("", "null", "[]", "{}", '""', "\ud800", '"\\ud800"'))
    )
    drawn = draw(st.lists(st.booleans(), min_size=1, max_size=6))
    batch = []
    for n, is_good in enumerate(drawn):
        envelope = draw(good) if is_good else None
        body = draw(bad) if envelope is None else json.dumps(envelope, ensure_ascii=False)
        batch.append(Draw(sqs_record(n, body), envelope))
    return batch


def sqs_record(n: int, body: str) -> Record:
    return {
        "messageId": f"m{n}",
        "receiptHandle": "r",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
    }


no_batches = any_json | st.fixed_dictionaries(
    {
        "Records": any_json
        | st.lists(
            any_json | st.fixed_dictionaries({}, optional={"messageId": any_json, "body": any_json}),
            max_size=3,
        )
    }
)
"""Payloads that may be no batch of SQS messages at all, or one whose records lack something."""
