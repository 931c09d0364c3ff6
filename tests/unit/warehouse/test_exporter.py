"""Which days an export writes, and in which portions."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from services.warehouse.exporter import Selection, chunks, due_days
from services.warehouse.manifest import ExportedDay, Manifest, ManifestUnreadableError, Totals, parse_manifest
from services.warehouse.tables import ORDERS

FIRST = date(2026, 1, 1)
DAYS = [FIRST + timedelta(days=at) for at in range(10)]
DATABASE = {day: Totals(5, {"units": Decimal(7)}) for day in DAYS}


def _exported(day: date, *, rows: int = 5, units: int = 7, shape: str = ORDERS.shape) -> ExportedDay:
    return ExportedDay(
        day=day,
        version="20260101T000000.000000Z",
        file=f"files/{day}.parquet",
        bytes=1,
        sha256="",
        shape=shape,
        rows=rows,
        sums={"units": Decimal(units)},
    )


def _manifest(*days: ExportedDay) -> Manifest:
    return Manifest(table="orders").with_days([_exported(day) for day in DAYS]).with_days(days)


def test_without_a_manifest_every_day_is_due() -> None:
    assert due_days(ORDERS, Manifest(table="orders"), DATABASE, Selection()) == DAYS


def test_the_newest_three_days_are_always_due() -> None:
    assert due_days(ORDERS, _manifest(), DATABASE, Selection()) == DAYS[-3:]


@pytest.mark.parametrize(
    "exported",
    [
        _exported(FIRST, rows=4),
        _exported(FIRST, units=8),
        _exported(FIRST, shape="another"),
    ],
    ids=["rows", "a sum", "columns"],
)
def test_an_older_day_is_due_when_it_differs(exported: ExportedDay) -> None:
    assert due_days(ORDERS, _manifest(exported), DATABASE, Selection()) == [FIRST, *DAYS[-3:]]


def test_a_day_whose_rows_are_gone_is_due() -> None:
    without = {day: DATABASE[day] for day in DAYS[1:]}

    assert due_days(ORDERS, _manifest(), without, Selection()) == [FIRST, *DAYS[-3:]]


def test_a_range_is_due_whether_it_changed_or_not() -> None:
    assert due_days(ORDERS, _manifest(), DATABASE, Selection(first=DAYS[1], last=DAYS[2])) == DAYS[1:3]
    assert due_days(ORDERS, _manifest(), DATABASE, Selection(first=DAYS[8])) == DAYS[8:]


def test_of_an_empty_database_nothing_is_due() -> None:
    assert due_days(ORDERS, Manifest(table="orders"), {}, Selection()) == []


def test_days_are_written_in_portions_and_never_divided() -> None:
    sizes = {day: Totals(rows) for day, rows in zip(DAYS, [4, 4, 30, 1, 1, 9, 1, 0, 0, 0], strict=True)}

    portions = list(chunks(DAYS, sizes, 10))

    assert [day for portion in portions for day in portion] == DAYS
    assert [sum(sizes[day].rows for day in portion) for portion in portions] == [8, 30, 2, 10]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"format": 2, "table": "orders"}',
        b'{"table": "payments"}',
        b'{"table": "orders", "days": [1]}',
    ],
)
def test_a_manifest_that_cannot_be_understood_is_refused(content: bytes) -> None:
    with pytest.raises(ManifestUnreadableError, match="orders"):
        parse_manifest("orders", content)


def test_a_manifest_is_read_as_it_was_written() -> None:
    manifest = _manifest(_exported(FIRST, units=10**30))

    assert parse_manifest("orders", manifest.model_dump_json().encode()) == manifest
