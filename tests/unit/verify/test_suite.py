"""The checks runner, the scenarios, the dead-letter checks and the diagnostics of a verification."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from scripts.common.clock import Clock
from scripts.common.errors import ToolError
from scripts.verify.checks import (
    Check,
    CheckFailedError,
    CheckOutcome,
    CheckSkippedError,
    Poller,
    run_checks,
)
from scripts.verify.diagnostics import error_in
from scripts.verify.dlq_checks import DeadLetterChecks, order_placed_consumers
from scripts.verify.scenarios import Scenarios
from scripts.verify.suite import SCENARIOS
from services.shared.events import OrderPlaced
from services.shared.ledger import Status
from tests.support.fakes import ManualClock
from tests.support.ops_context import MemoryOpsContext


def _raises(error: Exception) -> Callable[[], str]:
    def check() -> str:
        raise error

    return check


@pytest.fixture
def poller() -> Poller:
    clock = ManualClock()
    return Poller(Clock(clock, lambda seconds: clock.advance(timedelta(seconds=seconds))), 10, 1)


@pytest.fixture
def scenarios() -> Scenarios:
    return Scenarios.of("r42", json.loads(SCENARIOS.read_text()))


# --- running checks-------------------------------------------------------------------------------------


def test_a_check_that_depends_on_a_failed_one_is_blocked_and_the_rest_run() -> None:
    ran: list[str] = []

    def passes(name: str) -> Callable[[], str]:
        def check() -> str:
            ran.append(name)
            return "fine"

        return check

    report = run_checks(
        [
            Check("rule", "is on", _raises(CheckFailedError("it is off"))),
            Check("order", "is decided", passes("order"), ("rule",)),
            Check("payment", "is made", passes("payment"), ("order",)),
            Check("metrics", "are read", passes("metrics")),
        ]
    )

    states = {it.check: it.outcome for it in report.results}
    assert states == {
        "rule": CheckOutcome.FAIL,
        "order": CheckOutcome.BLOCKED,
        "payment": CheckOutcome.BLOCKED,
        "metrics": CheckOutcome.PASS,
    }
    assert ran == ["metrics"]
    assert report.failure is not None
    assert (report.failure.check, report.failure.message) == ("rule", "it is off")


def test_the_first_failed_check_is_reported() -> None:
    report = run_checks(
        [
            Check("first", "", lambda: "fine"),
            Check("second", "", _raises(ToolError("the queue is not there."))),
            Check("third", "", _raises(CheckFailedError("later"))),
        ]
    )

    assert report.failure is not None
    assert (report.failure.check, report.failure.message) == ("second", "the queue is not there.")


def test_a_skipped_check_blocks_nothing_that_depends_on_it() -> None:
    report = run_checks(
        [
            Check("analytics", "", _raises(CheckSkippedError("no user"))),
            Check("end", "", lambda: "fine", ("analytics",)),
        ]
    )

    assert report.failure is None
    assert [it.outcome for it in report.results] == [CheckOutcome.SKIP, CheckOutcome.PASS]


def test_a_bug_in_a_check_is_raised_and_is_no_failed_check() -> None:
    with pytest.raises(KeyError):
        run_checks([Check("any", "", _raises(KeyError("detail")))])


def test_a_timeout_reports_the_state_at_that_time(poller: Poller) -> None:
    probes: list[int] = []

    def probe() -> str | None:
        probes.append(1)
        return None

    with pytest.raises(CheckFailedError, match="probed 11 times"):
        poller.until(probe, lambda: f"probed {len(probes)} times")


def test_polling_returns_what_comes_before_the_timeout(poller: Poller) -> None:
    answers = iter([None, None, "there"])

    assert poller.until(lambda: next(answers), lambda: "never") == "there"


def test_a_timeout_reports_the_last_problems_and_probes_no_more(
    poller: Poller,
) -> None:
    probes: list[int] = []

    def problems() -> list[str]:
        probes.append(1)
        return [f"problem {len(probes)}"]

    with pytest.raises(CheckFailedError, match=r"^problem 11$"):
        poller.until_no_problems(problems, ", ".join)

    assert len(probes) == 11


def test_polling_ends_when_no_problems_are_left(poller: Poller) -> None:
    found = iter([["late"], []])

    poller.until_no_problems(lambda: next(found), ", ".join)

    assert next(found, None) is None


# --- scenarios ---- -----------------------------------------------------------------------------------


def test_the_run_is_marked_in_every_id_and_sku(scenarios: Scenarios) -> None:
    for it in scenarios.all:
        assert "r42" in it.order_id
        assert "r42" in it.detail["customerId"]
        assert all("r42" in sku for sku in it.quantities)
    assert len({it.order_id for it in scenarios.all}) == len(scenarios.all)


def test_success_and_failure_are_what_publishers_send(scenarios: Scenarios) -> None:
    published = json.loads(SCENARIOS.read_text())
    by_name = {it.name: it.detail for it in scenarios.all}

    for name in ("success", "failure"):
        assert by_name[name].keys() == published[name].keys()
        assert by_name[name]["orderId"].startswith(published[name]["orderId"])
        assert [item["quantity"] for item in by_name[name]["items"]] == [
            item["quantity"] for item in published[name]["items"]
        ]


def test_all_orders_but_the_malformed_one_validate(scenarios: Scenarios) -> None:
    def readable(detail: object) -> bool:
        given = {"eventId": "e", "occurredAt": "2026-01-31T12:00:00Z"}
        try:
            OrderPlaced.model_validate({**given, **detail})  # type: ignore[dict-item]
        except ValueError:
            return False
        return True

    assert {it.name: readable(it.detail) for it in scenarios.all} == {
        it.name: it.status is not None for it in scenarios.all
    }
    assert [it.name for it in scenarios.malformed] == ["malformed"]


def test_confirmed_orders_reduce_the_stock_and_others_do_not(scenarios: Scenarios) -> None:
    (key,) = scenarios.skus

    assert scenarios.left(key.id) == 10 - 2 - 1  # the success takes two, the duplicate one, once


def test_expected_counter_increases_follow_from_the_scenarios(scenarios: Scenarios) -> None:
    increases = scenarios.counter_increases(["order", "projector"])

    spelled = {f"{name}{dict(labels)}": by for (name, labels), by in increases.items()}
    assert spelled["orders_total{'outcome': 'reserved'}"] == 3
    assert spelled["orders_total{'outcome': 'rejected'}"] == 1
    assert spelled["orders_total{'outcome': 'duplicate'}"] == 1
    assert spelled["payments_total{'outcome': 'succeeded'}"] == 2
    assert spelled["payments_total{'outcome': 'failed'}"] == 1
    assert spelled["poison_events_total{'consumer': 'projector'}"] == 1
    assert spelled["events_published_total{'event': 'OrderConfirmed'}"] == 2


def test_the_final_status_of_a_scenario_is_among_its_events(scenarios: Scenarios) -> None:
    final_events = {
        Status.CONFIRMED: "OrderConfirmed",
        Status.CANCELLED: "OrderCancelled",
        Status.REJECTED: "OrderRejected",
    }
    for it in scenarios.readable:
        assert it.status is not None
        assert final_events[it.status] in it.events


# --- dead letters -------------------------------------------------------------------------------------


def _body(order_id: str) -> str:
    return json.dumps({"detail-type": "OrderPlaced", "detail": {"orderId": order_id}})


@pytest.fixture
def ops(scenarios: Scenarios) -> MemoryOpsContext:
    """Operations on an environment with the malformed order in each expected dead-letter queue."""
    ops = MemoryOpsContext()
    for function in order_placed_consumers(ops):
        ops.dlqs[function].add(
            f"m-{function}", _body(scenarios.malformed[0].order_id), reason="invalid_event"
        )
    return ops


def test_the_malformed_order_is_removed_and_all_others_stay(
    ops: MemoryOpsContext, scenarios: Scenarios, poller: Poller
) -> None:
    ops.dlqs["order"].add("other", _body("somebody-elses"), reason="invalid_event")

    message = DeadLetterChecks(ops, scenarios, poller).only_malformed()

    assert message == "invalid_event in the dead-letter queues of order, projector; nothing else"
    assert [it.message_id for it in ops.dlqs["order"].visible] == ["other"]
    assert ops.dlqs["projector"].visible == []
    assert all(queue.hidden == [] for queue in ops.dlqs.values())


def test_another_dead_letter_of_the_run_is_reported_with_its_reason_and_removed(
    ops: MemoryOpsContext, scenarios: Scenarios, poller: Poller
) -> None:
    ops.dlqs["payment"].add("p", _body(scenarios.all[0].order_id))

    with pytest.raises(CheckFailedError, match=r"payment: unexpected OrderPlaced of .*retries_exhausted"):
        DeadLetterChecks(ops, scenarios, poller).only_malformed()

    assert ops.dlqs["payment"].visible == []


def test_a_malformed_order_with_another_reason_is_reported(scenarios: Scenarios, poller: Poller) -> None:
    ops = MemoryOpsContext()
    for function in order_placed_consumers(ops):
        ops.dlqs[function].add("m", _body(scenarios.malformed[0].order_id))

    with pytest.raises(CheckFailedError, match="retries_exhausted"):
        DeadLetterChecks(ops, scenarios, poller).only_malformed()


def test_a_malformed_order_that_is_missing_from_a_dead_letter_queue_is_reported(
    ops: MemoryOpsContext, scenarios: Scenarios, poller: Poller
) -> None:
    ops.dlqs["projector"].visible.clear()

    with pytest.raises(CheckFailedError, match=r"did not reach the dead-letter queue of projector$"):
        DeadLetterChecks(ops, scenarios, poller).only_malformed()


def test_a_dead_letter_that_arrives_during_cleanup_is_removed_too(
    scenarios: Scenarios, poller: Poller
) -> None:
    ops, clock = MemoryOpsContext(), poller.clock

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        for function in order_placed_consumers(ops):
            ops.dlqs[function].add("late", _body(scenarios.malformed[0].order_id), reason="invalid_event")

    DeadLetterChecks(ops, scenarios, replace(poller, clock=Clock(clock.now, sleep))).remove()

    assert all(queue.visible == [] for queue in ops.dlqs.values())
    assert all(queue.hidden == [] for queue in ops.dlqs.values())


def test_cleanup_does_not_wait_longer_than_its_timeout(scenarios: Scenarios, poller: Poller) -> None:
    ops, started = MemoryOpsContext(), poller.clock.now()

    DeadLetterChecks(ops, scenarios, poller).remove()

    assert poller.clock.now() - started <= timedelta(seconds=15)


# --- diagnostics----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ('{"level": "INFO", "message": "order reserved"}', None),
        (
            '{"level": "WARNING", "message": "the batch has to wait", "cause": "X", "why": "y"}',
            "the batch has to wait: X: y",
        ),
        (
            '{"level": "ERROR", "message": "failed", "exception": "Traceback\\n  in f\\nKeyError: 1\\n"}',
            "failed: KeyError: 1",
        ),
        ('{"errorMessage": "No module named x", "requestId": "1"}', "No module named x"),
        ('{"_aws": {}}', None),
        ("REPORT RequestId: 1 Duration: 5 ms", None),
        (
            "2026-01-31T12:00:00Z Task timed out after 30.00 seconds",
            "2026-01-31T12:00:00Z Task timed out after 30.00 seconds",
        ),
        ("[1, 2]", None),
        ("", None),
    ],
)
def test_an_error_is_recognised_by_its_level(line: str, error: str | None) -> None:
    assert error_in(line) == error
