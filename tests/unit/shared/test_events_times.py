"""Times on events are such as the tables and the bus can tell again."""

import pytest
from pydantic import ValidationError

from services.shared.events import OrderPlaced

ORDER = {"orderId": "o", "customerId": "c", "items": [{"sku": "x", "quantity": 1}], "eventId": "e"}


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-01:00"])
def test_a_time_that_utc_has_no_year_for_is_refused(time: str) -> None:
    with pytest.raises(ValidationError, match="UTC"):
        OrderPlaced.model_validate({**ORDER, "occurredAt": time})


@pytest.mark.parametrize(
    ("time", "actual"),
    [
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
        ("2026-01-31 12:00:00+05:45", "2026-01-31T06:15:00.000Z"),
    ],
)
def test_a_time_is_written_in_utc(time: str, actual: str) -> None:
    event = OrderPlaced.model_validate({**ORDER, "occurredAt": time})

    assert f'"occurredAt":"{actual}"' in event.wire()
