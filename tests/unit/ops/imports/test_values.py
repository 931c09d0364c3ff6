"""Cells become exact values, or are refused; nothing is guessed and nothing rounded."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from scripts.ops.imports import values
from scripts.ops.imports.values import ValueRefusedError


@pytest.mark.parametrize(
    ("text", "mark", "expected"),
    [
        ("12", ".", "12"),
        ("-1,234.50", ".", "-1234.50"),
        ("1.234,5", ",", "1234.5"),
        ("1 234,50 €", ",", "1234.50"),
        ("€ 12.5", ".", "12.5"),
        ("GBP 12.50", ".", "12.50"),
        ("-$0.05", ".", "-0.05"),
        ("$-0.05", ".", "-0.05"),
        ("(12.00)", ".", "-12.00"),
        ("1'234.5", ".", "1234.5"),
        (".5", ".", "0.5"),
        ("0.1000000000000000055", ".", "0.1000000000000000055"),
    ],
)
def test_numbers_are_read_exactly(text: str, mark: str, expected: str) -> None:
    assert values.number(text, mark) == Decimal(expected)  # type: ignore[arg-type]  # one of two marks


@pytest.mark.parametrize(
    "text", ["x", "1,2", "12,34,567", "1.2.3", "(5", "5)", "--5", "1e3", "", "NaN", "5%"]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueRefusedError, match=r"not a number such as 1234\.56"):
        values.number(text, ".")


def test_amounts_have_the_decimals_of_their_currency() -> None:
    assert values.minor(Decimal("12.5"), "EUR") == 1_250
    assert values.minor(Decimal(1_200), "JPY") == 1_200
    assert values.minor(Decimal("1.234"), "KWD") == 1_234
    with pytest.raises(ValueRefusedError, match=r"0\.5 has more decimals than JPY has"):
        values.minor(Decimal("0.5"), "JPY")
    assert [values.amount(123_450, it) for it in ("EUR", "JPY", "KWD")] == ["1,234.50", "123,450", "123.450"]


@pytest.mark.parametrize(
    ("text", "order", "expected"),
    [
        ("2026-03-01", "ymd", (2026, 3, 1)),
        ("01/03/2026", "dmy", (2026, 3, 1)),
        ("01/03/2026 9:05", "mdy", (2026, 1, 3, 9, 5)),
        ("2026-03-01T23:30:15.25Z", "ymd", (2026, 3, 1, 23, 30, 15, 250_000)),
        ("2026-03-01 23:30 -02:00", "ymd", (2026, 3, 2, 1, 30)),
        ("2026-03-01 00:30:00+0100", "ymd", (2026, 2, 28, 23, 30)),
    ],
)
def test_times_are_read_in_the_order_given_and_are_utc(
    text: str, order: str, expected: tuple[int, ...]
) -> None:
    assert values.moment(text, order) == datetime(*expected, tzinfo=UTC)  # type: ignore[arg-type, misc]  # a table


@pytest.mark.parametrize(
    "text", ["2026-02-30", "2026-13-01", "soon", "2026-01-01 25:00", "0001-01-01 00:00+10:00"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueRefusedError):
        values.moment(text, "ymd")
