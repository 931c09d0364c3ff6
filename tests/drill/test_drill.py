"""After losing every table and the database, every order is there again, and the audit finds nothing."""

from pathlib import Path

import pytest

from tests.drill.run import Drill


@pytest.mark.stack
@pytest.mark.heavy
def test_everything_comes_back_from_a_backup_and_the_archive(tmp_path: Path) -> None:
    report = Drill(tmp_path / "stack", print).run(orders=40, tail=20)

    assert (report.backed_up_orders, report.orders) == (40, 60)
    assert report.lost == []
    assert report.stock_differs == []
    assert report.rows_after == report.rows_before
    assert report.audit_is_clean
