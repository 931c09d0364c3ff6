"""Every table fits a terminal of 80 columns, and no id is broken over two lines."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from scripts.cli.output import Output, Table
from scripts.cli.stack_views import show_samples
from scripts.cli.status import _view as status_view
from scripts.cli.verify import _table as verify_table
from scripts.local.sample_orders import Burst, SampleOrderOutcome, SamplesResult, StockChange
from scripts.ops.environment_status import EnvironmentStatus, FunctionStatus, QueueStatus
from scripts.verify.checks import CheckOutcome, CheckReport, CheckResult
from services.shared.ledger import Payment, Status
from tests.support.fakes import START
from tests.support.ops_context import MemoryOpsContext, an_order
from tests.unit.conftest import CommandLine

LONG_ID = "order-0b8c7f3e-5a51-4a3c-9a39-0c6d1f5c3b77"
MESSAGE_ID = "3f2c8a6e-1b1f-4b43-8a7e-0f9d7c2b6a11"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def filled(ops: MemoryOpsContext) -> MemoryOpsContext:
    """Everything with long names: an order, its dead letter, an archive, an inconsistent stock."""
    order = replace(an_order(LONG_ID), customer_id="customer-" + "9" * 24)
    paid = order.moved(
        Status.CONFIRMED, START + timedelta(seconds=2), "e" * 36, payment=Payment(charge_id="c")
    )
    ops.add_orders(paid)
    body = f'{{"detail-type": "OrderCancellationRequested", "detail": {{"orderId": "{LONG_ID}"}}}}'
    ops.dlqs["payment"].add(
        MESSAGE_ID, body, reason="invalid_event", detail="items[0].quantity: Input should be greater than 0"
    )
    ops.archive.add("OrderPlaced", "OrderCancellationRequested")
    key = next(iter(ops.store.stock))
    ops.store.stock[key] = replace(
        ops.store.stock[key], reserved=3, name="A chair with a very long name " * 2
    )
    return ops


COMMANDS = (
    "order ls",
    f"order show {LONG_ID}",
    f"order show {LONG_ID} --brief",
    f"order watch {LONG_ID}",
    "inventory ls",
    "dlq ls",
    "dlq redrive",
    "dlq drop",
    f"dlq show payment {MESSAGE_ID[:8]}",
    "replay --from 1h",
    "replay --from 1h --yes",
    "audit --no-publish",
    "events ls",
    f"publish --order-id {LONG_ID} --item prod-001=1 --wait",
    "cost",
    "cost --env prod",
    "cost --explain --env prod --monitoring",
    "cost --limits",
)


@pytest.mark.parametrize("line", COMMANDS)
@pytest.mark.usefixtures("filled", "terminal")
def test_what_a_command_prints_fits_80_columns(pulsequeue: CommandLine, line: str) -> None:
    ran = pulsequeue(*line.split())

    assert ran.out, ran.err
    assert [it for it in ran.out.splitlines() if len(it) > 80] == []
    if LONG_ID in line or line in {"order ls", "dlq ls"}:
        assert LONG_ID in ran.out


def _status() -> list[Table | str]:
    name = "preview-1234-pulsequeue-payment"
    function = FunctionStatus(name, "Active", "rate(1 minute)", "Disabled")
    queue = QueueStatus(name, 100_000, 100_000, 100_000, 100_000)
    return status_view(EnvironmentStatus("preview-1234", "1" * 12, "ap-southeast-2", (function,), (queue,)))


def _verify() -> list[Table | str]:
    message = "queue preview-1234-pulsequeue-payment does not exist; function is Failed " * 3
    return [verify_table(CheckReport((CheckResult("resources", "d", CheckOutcome.FAIL, message, 1.0),)))]


VIEWS: dict[str, Callable[[], list[Table | str]]] = {"status": _status, "verify": _verify}


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.usefixtures("terminal")
def test_what_an_environment_shows_fits_80_columns(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False).show({}, *VIEWS[name]())

    assert [it for it in capsys.readouterr().out.splitlines() if len(it) > 80] == []


def test_the_samples_of_the_local_stack_fit_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    outcome = SampleOrderOutcome(
        "two-currencies", "sample-two-currencies-6b0b1ae37e9c", *["REJECTED (currency_mismatch)"] * 2
    )
    stock = StockChange("prod-002", "Filter papers, 100 pieces", 2_000, 1_998)

    burst = Burst(orders=200, confirmed=200, rates=(40.0,), load=1.0, cpus=2)

    show_samples(SamplesResult((outcome,), (stock,), burst))

    printed = capsys.readouterr().out
    assert "sample-two-currencies-6b0b1ae37e9c   REJECTED (currency_mismatch)" in printed
    assert [it for it in printed.splitlines() if len(it) > 80] == []


TABLES = {
    "narrow": ([("a", "1")], "column   other\n"),
    "text": ([("id-1", "words " * 30)], "column"),
    "ids": ([("i" * 60, "j" * 60)], "column:"),
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.usefixtures("terminal")
def test_a_wide_table_wraps_its_text_or_becomes_a_list(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows, start = TABLES[name]
    Output(as_json=False).show({}, Table(("column", "other"), rows))

    printed = capsys.readouterr().out
    assert printed.startswith(start)
    assert max(map(len, printed.splitlines())) <= 80
    assert all(word in printed for row in rows for cell in row for word in cell.split())


def test_rows_for_a_pipe_stay_on_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)

    Output(as_json=False).show({}, Table(("column", "other"), [("i" * 60, "words " * 30)]))

    assert len(capsys.readouterr().out.splitlines()) == 3


@pytest.mark.usefixtures("streams_are_terminals")
@pytest.mark.parametrize(("total", "shown"), [(None, "829"), (900, "829/900")])
def test_progress_shows_a_total_only_if_there_is_one(
    total: int | None, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with Output(as_json=False).progress("Counted", total) as advance:
        advance(829)

    err = capsys.readouterr().err
    assert shown in err
    assert ("829/" in err) == (total is not None)
