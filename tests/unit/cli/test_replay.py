"""`pulsequeue replay` counts first, sends the chosen events to the chosen consumers, and can be resumed."""

import json
from datetime import timedelta
from typing import Any

import pytest

from scripts.ops.replay.event_archive import ReplayProgress
from tests.support.fakes import START
from tests.support.ops_context import MemoryOpsContext
from tests.unit.conftest import CommandLine

SINCE = ("--from", "1h")


def _sent(ops: MemoryOpsContext) -> dict[str, list[Any]]:
    """Return the events sent to each consumer."""
    return {
        name: [json.loads(body)["detail-type"] for body in queue.bodies]
        for name, queue in ops.work_queues.items()
        if queue.bodies
    }


def test_a_dry_run_counts_the_events_of_the_window_by_type_and_sends_none(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ops.archive.add("OrderPlaced", "OrderPlaced", "PaymentRequested", "OrderConfirmed")
    ops.archive.add("OrderPlaced", at=START - timedelta(hours=2))

    ran = pulsequeue("replay", *SINCE, "--json")

    assert ran.code == 0
    assert ran.json["events"] == {"OrderConfirmed": 1, "OrderPlaced": 2, "PaymentRequested": 1}
    assert (ran.json["sent"], ran.json["started"]) == ({}, False)
    assert _sent(ops) == {}


def test_a_dry_run_leaves_nothing_behind_even_when_it_is_interrupted(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ops.archive.add(*["OrderPlaced"] * 6)
    ops.archive.fail_after_batches = 1

    assert pulsequeue("replay", *SINCE).code == 130

    assert ops.archive.queues == {}


def test_every_consumer_gets_what_it_subscribes_to_with_the_delay_of_the_bus(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ops.archive.add("OrderPlaced", "PaymentRequested", "RefundRequested", "OrderConfirmed")

    ran = pulsequeue("replay", *SINCE, "--yes", "--json")

    assert _sent(ops) == {
        "order": ["OrderPlaced"],
        "payment": ["PaymentRequested", "RefundRequested"],
        "expiry": ["PaymentRequested"],
        "projector": ["OrderPlaced", "PaymentRequested", "RefundRequested", "OrderConfirmed"],
    }
    assert ran.json["sent"] == {"expiry": 1, "order": 1, "payment": 2, "projector": 4}
    assert ops.work_queues["expiry"].delayed


def test_only_the_chosen_events_are_sent(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    ops.archive.add("OrderPlaced", "OrderCancellationRequested", "PaymentRequested", "RefundRequested")

    pulsequeue("replay", *SINCE, "--event", "RefundRequested", "--yes")

    assert _sent(ops) == {"payment": ["RefundRequested"], "projector": ["RefundRequested"]}


def test_only_the_chosen_consumers_get_events(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    ops.archive.add("OrderPlaced", "PaymentRequested")

    pulsequeue("replay", *SINCE, "--consumer", "expiry", "--yes")

    assert _sent(ops) == {"expiry": ["PaymentRequested"]}


def test_a_replay_keeps_to_its_rate(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    ops.archive.add(*["OrderPlaced"] * 10)

    pulsequeue("replay", *SINCE, "--rate", "2", "--yes")

    assert ops.time.now == START + timedelta(seconds=5)


def test_a_finished_replay_leaves_no_queue_and_two_log_lines(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ops.archive.add("OrderPlaced")

    pulsequeue("replay", *SINCE, "--yes")

    assert ops.archive.queues == {}
    assert ops.operations_log.actions() == ["replay start", "replay end"]
    assert ops.operations_log.lines[1][2]["sent"] == {"order": 1, "projector": 1}


def test_a_replay_that_was_interrupted_is_named_and_resumed_where_it_stopped(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ops.archive.add(*["OrderPlaced"] * 5, "PaymentRequested")
    ops.archive.fail_after_batches = 1
    interrupted = pulsequeue("replay", *SINCE, "--consumer", "order", "--yes")
    ops.archive.fail_after_batches = None
    (name,) = ops.archive.queues

    next_run = pulsequeue("replay", *SINCE)
    resumed = pulsequeue("replay", "--resume", name, "--json")

    assert interrupted.code == 130
    assert name in interrupted.err
    assert f"Replay {name} is unfinished" in next_run.err
    assert resumed.json["sent"] == {"order": 3}
    assert len(ops.work_queues["order"].bodies) == len(set(ops.work_queues["order"].bodies)) == 5
    assert ops.work_queues["payment"].bodies == []
    assert ops.archive.queues == {}


def test_refused_events_stay_in_the_replay(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    ops.archive.add("PaymentRequested", "RefundRequested")
    refused = ops.archive.archived[0][2]
    ops.work_queues["payment"].refuse = {refused}

    ran = pulsequeue("replay", *SINCE, "--yes")

    (left,) = ops.archive.queues.values()
    assert [one.body for one in left] == [refused]
    assert ran.code == 1
    assert "--resume run-" in ran.err


def test_a_replay_can_be_discarded(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    ops.archive.add(*["OrderPlaced"] * 5)
    ops.archive.fail_after_batches = 1
    pulsequeue("replay", *SINCE, "--yes")
    (name,) = ops.archive.queues

    ran = pulsequeue("replay", "--discard", name)

    assert ran.code == 0
    assert ops.archive.queues == {}
    assert ops.operations_log.actions()[-1] == "replay discard"


@pytest.mark.parametrize("option", ["--resume", "--discard"])
def test_an_unknown_replay_is_neither_resumed_nor_discarded(pulsequeue: CommandLine, option: str) -> None:
    ran = pulsequeue("replay", option, "nothing")

    assert (ran.code, ran.err) == (1, "pulsequeue: unfinished replay 'nothing' not found.\n")


def test_a_failed_replay_shows_the_reason(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    ops.archive.final_progress = ReplayProgress("FAILED", "the archive is broken")

    ran = pulsequeue("replay", *SINCE, "--yes")

    assert ran.code == 1
    assert "the replay ended FAILED (the archive is broken)." in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--from", "1h", "--to", "2h"),
        ("--from", "2030-01-01T00:00:00Z", "--to", "2031-01-01T00:00:00Z"),
        ("--from", "yesterday"),
        ("--from", "1h", "--event", "Nonsense"),
        ("--from", "1h", "--resume", "x"),
        ("--from", "1h", "--rate", "0"),
    ],
)
def test_wrong_usage_exits_with_2_and_replays_nothing(
    pulsequeue: CommandLine, ops: MemoryOpsContext, arguments: tuple[str, ...]
) -> None:
    ran = pulsequeue("replay", *arguments, "--yes")

    assert ran.code == 2
    assert ops.archive.queues == {}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--consumer", "nobody"), "function 'nobody' not found"),
        (
            ("--event", "OrderConfirmed", "--consumer", "order"),
            "no consumer of order subscribes to OrderConfirmed",
        ),
        (
            ("--event", "OrderPlaced", "--consumer", "payment"),
            "no consumer of payment subscribes to OrderPlaced",
        ),
    ],
)
def test_a_replay_that_would_reach_nobody_is_refused(
    pulsequeue: CommandLine, arguments: tuple[str, ...], complaint: str
) -> None:
    ran = pulsequeue("replay", *SINCE, *arguments, "--yes")

    assert ran.code == 1
    assert complaint in ran.err


def test_a_dry_run_does_not_speak_of_replayed_events(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    ops.archive.add("OrderPlaced")

    dry, sent = pulsequeue("replay", *SINCE), pulsequeue("replay", *SINCE, "--yes")

    assert "replayed" not in dry.out + dry.err.lower()
    assert dry.out.split()[:2] == ["event", "found"]
    assert sent.out.split()[:2] == ["event", "replayed"]


@pytest.mark.usefixtures("streams_are_terminals")
@pytest.mark.parametrize("arguments", [(), ("--yes",)])
def test_a_refused_replay_draws_no_progress(pulsequeue: CommandLine, arguments: tuple[str, ...]) -> None:
    ran = pulsequeue("replay", "--from", "banana", *arguments)

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("pulsequeue: ")
    assert ran.err.count(".\n") == 1
