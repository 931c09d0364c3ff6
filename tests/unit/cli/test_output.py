"""Every table fits a terminal of 80 columns, and no id is broken over two lines."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from scripts.cli.output import Output, Table
from scripts.cli.stack_views import samples_view, up_view
from scripts.cli.stack_views import status_view as local_status_view
from scripts.cli.status import _view as status_view
from scripts.cli.verify import _table as verify_table
from scripts.environment.local_state import StackState
from scripts.local import stack_status
from scripts.local.sample_orders import Burst, SampleOrderOutcome, SamplesResult, StockChange
from scripts.ops.environment_status import EnvironmentStatus, FunctionStatus, QueueStatus
from scripts.verify.checks import CheckOutcome, CheckReport, CheckResult
from services.shared.ledger import Payment, Status
from tests.support.fakes import START
from tests.support.ops_context import MemoryOpsContext, an_order
from tests.unit.conftest import CommandLine

STATE = StackState(
    env="local",
    aws_endpoint="http://127.0.0.1:4566",
    region="us-east-1",
    access_key_id="test",
    secret_access_key="test",
    processes=(),
    scratch="/nowhere",
    logs={},
    started_at="2026-11-28T20:00:00Z",
    postgres="postgresql://postgres@127.0.0.1:54661/pulsequeue",
    api_url="http://127.0.0.1:4566/_aws/execute-api/local-pulsequeue/$default",
    metrics_url="http://127.0.0.1:4566/_aws/execute-api/local-pulsequeue/$default/metrics",
)
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

    Output(as_json=False).show({}, *up_view(STATE, SamplesResult((outcome,), (stock,), burst)))

    printed = capsys.readouterr().out
    assert "sample-two-currencies-6b0b1ae37e9c   REJECTED (currency_mismatch)" in printed
    assert _too_wide(printed) == []


def _too_wide(printed: str) -> list[str]:
    """Return the lines of more than 80 columns that are more than one address."""
    return [it for it in printed.splitlines() if len(it) > 80 and len(it.split()) > 1]


def test_a_dead_letter_that_is_gone_is_explained_below_the_samples(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    outcome = SampleOrderOutcome(
        "malformed", "sample-malformed-1", "DEAD_LETTER", "DEAD_LETTER", "it is gone."
    )
    burst = Burst(orders=1, confirmed=1, rates=(40.0,), load=1.0, cpus=2)

    Output(as_json=False).show({}, *samples_view(SamplesResult((outcome,), (), burst)))

    assert "as expected\nsample-malformed-1: it is gone.\n" in capsys.readouterr().out


def test_the_local_status_is_rows_and_names_its_problems(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    routes = ", ".join(f"GET /api/some/long/path/{number}" for number in range(17))
    function = stack_status.FunctionStatus("local-pulsequeue-organizations", "Active", routes, "Enabled")
    problem = "the stack is incomplete (a reason of many words that takes more than one line); repair it"

    Output(as_json=False).show(
        {}, *local_status_view(stack_status.Status(False, STATE, (problem,), (function,), ()))
    )

    printed = capsys.readouterr().out
    assert printed.startswith("problem: the stack is incomplete")
    assert "local-pulsequeue-organizations   Active   17 routes   Enabled" in printed
    assert _too_wide(printed) == []


ROWS = ("order ls", "inventory ls", "events ls", "cost --limits", "audit --no-publish")


@pytest.mark.parametrize("line", ROWS)
@pytest.mark.usefixtures("filled", "terminal")
def test_the_usual_tables_are_rows_at_80_columns(pulsequeue: CommandLine, line: str) -> None:
    ran = pulsequeue(*line.split())

    # A list has a line per cell and no rule below its head.
    assert "────" in ran.out


@pytest.mark.usefixtures("terminal")
def test_dead_letters_are_rows_at_80_columns(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    body = f'{{"detail-type": "OrderCancellationRequested", "detail": {{"orderId": "{MESSAGE_ID}"}}}}'
    detail = "items[0].quantity: Input should be greater than 0"
    ops.dlqs["payment"].add(MESSAGE_ID, body, reason="invalid_event", detail=detail)

    head, rule, *row = pulsequeue("dlq", "ls").out.splitlines()

    assert head.split() == ["function", "id", "order", "reason"]
    assert rule == "─" * len(rule)
    assert row[0].split()[:3] == ["payment", MESSAGE_ID[:8], MESSAGE_ID]


@pytest.mark.usefixtures("filled", "terminal")
def test_a_narrow_terminal_loses_the_least_important_columns_and_is_told(pulsequeue: CommandLine) -> None:
    ran = pulsequeue("order", "ls")

    head, _, row = ran.out.splitlines()
    assert head.split() == ["order", "status", "reason", "age"]
    assert row.split()[:2] == [LONG_ID, "CONFIRMED"]
    assert ran.err == "Left out for lack of width: placed (UTC), customer, amount; --json shows all.\n"


def test_a_pipe_gets_all_columns(pulsequeue: CommandLine, filled: MemoryOpsContext) -> None:
    assert filled.env == "test"
    ran = pulsequeue("order", "ls")

    assert "placed (UTC)" in ran.out
    assert ran.err == ""


@pytest.mark.usefixtures("streams_are_terminals")
def test_notes_are_wrapped_at_words_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False).note("word " * 40 + "\n  an indented line " + "x" * 80)

    *prose, indented = capsys.readouterr().err.splitlines()
    assert max(map(len, prose)) <= 80
    assert " ".join(prose).split() == ["word"] * 40
    assert indented.endswith("x" * 80)


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
