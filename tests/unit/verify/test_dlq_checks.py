"""The malformed order must be the only dead letter of a verification."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from scripts.common.clock import Clock
from scripts.verify.checks import (
    CheckFailedError,
    Poller,
)
from scripts.verify.dlq_checks import DeadLetterChecks, order_placed_consumers
from scripts.verify.scenarios import Scenarios
from scripts.verify.suite import SCENARIOS
from tests.support.fakes import ManualClock
from tests.support.ops_context import MemoryOpsContext


@pytest.fixture
def poller() -> Poller:
    clock = ManualClock()
    return Poller(Clock(clock, lambda seconds: clock.advance(timedelta(seconds=seconds))), 10, 1)


@pytest.fixture
def scenarios() -> Scenarios:
    return Scenarios.of("r42", json.loads(SCENARIOS.read_text()))


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

    assert (
        message == "invalid_event in the dead-letter queues of order, projector, webhook-fanout; nothing else"
    )
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
