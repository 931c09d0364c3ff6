"""Where models and published schemas are known to differ; what goes away is taken off the list."""

import pytest
from pydantic import ValidationError

from services.shared.events import MAX_QUANTITY, MAX_SKUS, OrderPlaced
from tests.fuzz.strategies import Json
from tests.fuzz.targets import KNOWN_DIFFERENCES, PUBLISHED

ENVELOPE: Json = {"eventId": "e", "occurredAt": "2026-01-31T12:00:00Z"}
ORDER: Json = {"orderId": "o", "customerId": "c", "items": [{"sku": "apple", "quantity": 1}]}
SCHEMA = PUBLISHED["OrderPlaced"]


def _model_accepts(detail: Json) -> bool:
    try:
        OrderPlaced.model_validate({**ENVELOPE, **detail})
    except ValidationError:
        return False
    return True


TAKEN_BUT_NOT_PROMISED: dict[str, Json] = {
    "field names in snake_case": {"order_id": "o", "customer_id": "c", "items": ORDER["items"]}
}
PROMISED_BUT_NOT_TAKEN: dict[str, Json] = {
    "more SKUs than one transaction holds": {
        **ORDER,
        "items": [{"sku": f"s{n}", "quantity": 1} for n in range(MAX_SKUS + 1)],
    },
    "lines that add up to more than one line may hold": {
        **ORDER,
        "items": [{"sku": "apple", "quantity": MAX_QUANTITY}] * 2,
    },
    "a whole number written with a point": {**ORDER, "items": [{"sku": "apple", "quantity": 2.0}]},
    "a time that only looks like one": {**ORDER, "placedAt": "2026-02-30T00:00:00Z"},
    "a time that UTC has no year for": {**ORDER, "placedAt": "0001-01-01T00:00:00+23:59"},
}


@pytest.mark.parametrize("difference", TAKEN_BUT_NOT_PROMISED)
def test_the_model_takes_what_the_schema_does_not_promise(difference: str) -> None:
    detail = TAKEN_BUT_NOT_PROMISED[difference]

    assert _model_accepts(detail)
    assert not SCHEMA.is_valid(detail)
    assert KNOWN_DIFFERENCES[difference]("OrderPlaced", detail)


@pytest.mark.parametrize("difference", PROMISED_BUT_NOT_TAKEN)
def test_the_schema_cannot_say_all_that_the_model_asks_for(difference: str) -> None:
    detail = PROMISED_BUT_NOT_TAKEN[difference]

    assert SCHEMA.is_valid(detail)
    assert not _model_accepts(detail)


def test_every_difference_that_fuzzing_lets_pass_is_listed_here() -> None:
    assert KNOWN_DIFFERENCES.keys() == TAKEN_BUT_NOT_PROMISED.keys()
