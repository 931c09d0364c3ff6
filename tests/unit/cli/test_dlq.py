"""`pulsequeue dlq` loses no message, and changes nothing without --yes."""

from datetime import timedelta

import pytest

from scripts.common.clock import Clock
from tests.support.fakes import START
from tests.support.ops_context import MemoryOpsContext
from tests.unit.conftest import CommandLine


def test_a_redrive_is_only_described_until_it_is_confirmed(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ops.dlqs["order"].add("m-1", '{"detail-type": "OrderPlaced", "detail": {"orderId": "o-1"}}')

    ran = pulsequeue("dlq", "redrive")

    assert "o-1" in ran.out
    assert "retries_exhausted" in ran.out
    assert ops.work_queues["order"].bodies == []
    assert len(ops.dlqs["order"].visible) == 1


def test_a_redrive_ends_though_its_messages_fail_again_at_once(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ops.dlqs["order"].always_fails = True
    for number in range(5):
        ops.dlqs["order"].add(f"m-{number}", f'"{number}"', reason="invalid_envelope")

    ran = pulsequeue("dlq", "redrive", "order", "--yes", "--json")

    assert ran.json == {"done": 5, "failed": 0, "duplicated": 0}
    assert len(ops.dlqs["order"].visible) == 5
    assert ops.operations_log.actions() == ["dlq redrive"]


def test_a_message_that_the_queue_refuses_stays_in_the_dlq(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ops.dlqs["order"].add("m-1", "bad")
    ops.dlqs["order"].add("m-2", "good")
    ops.work_queues["order"].refuse = {"bad"}

    assert pulsequeue("dlq", "redrive", "--yes").code == 1
    assert [dead_letter.message_id for dead_letter in ops.dlqs["order"].visible] == ["m-1"]


def test_the_body_of_a_dropped_message_is_in_the_operations_log(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ops.dlqs["order"].add("m-1", "its body")

    pulsequeue("dlq", "drop", "order", "--id", "m-1", "--yes")

    assert ops.dlqs["order"].visible == []
    assert [result.get("body") for _, _, result in ops.operations_log.lines] == ["its body", None]


# --- selection -------------------------------------------------------------------------


def _event(name: str, order_id: str) -> str:
    return f'{{"detail-type": "{name}", "detail": {{"orderId": "{order_id}"}}}}'


@pytest.fixture
def filled_dlqs(ops: MemoryOpsContext) -> MemoryOpsContext:
    """Four dead letters of two functions, an hour apart."""
    hours = [START - timedelta(hours=back) for back in (4, 3, 2, 1)]
    ops.dlqs["order"].add("m-1", _event("OrderPlaced", "o-1"), sent_at=hours[0], reason="invalid_event")
    ops.dlqs["order"].add("m-2", "no JSON", sent_at=hours[1], reason="invalid_json", detail="at 0")
    ops.dlqs["payment"].add("m-3", _event("PaymentRequested", "o-1"), sent_at=hours[2])
    ops.dlqs["payment"].add("m-4", _event("RefundRequested", "o-2"), sent_at=hours[3])
    return ops


FILTERS: dict[tuple[str, ...], list[str]] = {
    (): ["m-1", "m-2", "m-3", "m-4"],
    ("payment",): ["m-3", "m-4"],
    ("--reason", "invalid_json"): ["m-2"],
    ("--reason", "invalid_json", "--reason", "retries_exhausted"): ["m-2", "m-3", "m-4"],
    ("--event", "PaymentRequested"): ["m-3"],
    ("--order", "o-1"): ["m-1", "m-3"],
    ("--order", "o-1", "--event", "OrderPlaced"): ["m-1"],
    ("--older-than", "150m"): ["m-1", "m-2"],
    ("--newer-than", "150m"): ["m-3", "m-4"],
    ("--older-than", "90m", "--newer-than", "210m"): ["m-2", "m-3"],
    ("--reason", "nothing"): [],
}


@pytest.mark.parametrize("chosen", FILTERS)
@pytest.mark.usefixtures("filled_dlqs")
def test_only_the_selected_messages_are_listed_oldest_first(
    pulsequeue: CommandLine, chosen: tuple[str, ...]
) -> None:
    assert [one["messageId"] for one in pulsequeue("dlq", "ls", *chosen, "--json").json] == FILTERS[chosen]


@pytest.mark.parametrize("chosen", FILTERS)
def test_a_redrive_sends_exactly_what_its_dry_run_listed(
    pulsequeue: CommandLine, filled_dlqs: MemoryOpsContext, chosen: tuple[str, ...]
) -> None:
    listed = [one["messageId"] for one in pulsequeue("dlq", "redrive", *chosen, "--json").json]

    ran = pulsequeue("dlq", "redrive", *chosen, "--yes", "--json")

    left = [dead_letter.message_id for dead in filled_dlqs.dlqs.values() for dead_letter in dead.visible]
    assert ran.json["done"] == len(listed)
    assert sorted(listed + left) == ["m-1", "m-2", "m-3", "m-4"]


def test_a_redrive_writes_one_log_line_per_queue(
    pulsequeue: CommandLine, filled_dlqs: MemoryOpsContext
) -> None:
    pulsequeue("dlq", "redrive", "--order", "o-1", "--yes")

    lines = filled_dlqs.operations_log.lines
    assert [(action, given["function"], given["orders"]) for action, given, _ in lines] == [
        ("dlq redrive", "order", ["o-1"]),
        ("dlq redrive", "payment", ["o-1"]),
    ]
    assert [result["messageIds"] for _, _, result in lines] == [["m-1"], ["m-3"]]


def test_a_redrive_keeps_to_its_rate_and_hides_its_messages_for_as_long(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    for number in range(6):
        ops.dlqs["order"].add(f"m-{number}", f'"{number}"')

    pulsequeue("dlq", "redrive", "order", "--rate", "0.5", "--yes")

    assert ops.time.now == START + timedelta(seconds=12)
    assert ops.dlqs["order"].held_seconds == 30 + 20


def test_an_interrupted_redrive_puts_back_its_messages_and_logs_what_it_did(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    for number in range(4):
        ops.dlqs["order"].add(f"m-{number}", f'"{number}"')
    ops.clock = Clock(now=ops.time, sleep=interrupt)

    ran = pulsequeue("dlq", "redrive", "order", "--rate", "1", "--yes")

    assert ran.code == 130
    assert sorted(one.message_id for one in ops.dlqs["order"].visible) == [
        "m-1",
        "m-2",
        "m-3",
    ]
    assert ops.dlqs["order"].hidden == []
    assert [result["messageIds"] for _, _, result in ops.operations_log.lines] == [["m-0"]]


def test_a_drop_is_only_described_until_it_is_confirmed(
    pulsequeue: CommandLine, filled_dlqs: MemoryOpsContext
) -> None:
    ran = pulsequeue("dlq", "drop", "payment")

    assert "2 would be dropped" in ran.err
    assert len(filled_dlqs.dlqs["payment"].visible) == 2
    assert filled_dlqs.operations_log.lines == []


@pytest.mark.usefixtures("filled_dlqs")
@pytest.mark.parametrize("arguments", [("ls",), ("show", "order", "m-2"), ("redrive",), ("drop",)])
def test_reading_a_queue_says_that_it_counts_as_a_receive(
    pulsequeue: CommandLine, arguments: tuple[str, ...]
) -> None:
    ran = pulsequeue("dlq", *arguments)

    assert "Reading counts as a receive.\n" in ran.err


def test_an_empty_queue_says_nothing_of_receives(pulsequeue: CommandLine) -> None:
    assert pulsequeue("dlq", "ls").err == ""


# --- show --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("filled_dlqs")
def test_a_message_is_shown_by_the_beginning_of_its_id(pulsequeue: CommandLine) -> None:
    shown = pulsequeue("dlq", "show", "order", "m-2", "--json").json

    assert (shown["messageId"], shown["reason"], shown["detail"]) == ("m-2", "invalid_json", "at 0")
    assert shown["body"] == "no JSON"


@pytest.mark.usefixtures("filled_dlqs")
@pytest.mark.parametrize(
    ("message_id", "complaint"),
    [("m", "2 dead letters of order begin with 'm'"), ("x", "dead letter 'x' of order not found")],
)
def test_an_id_that_does_not_select_one_message_is_refused(
    pulsequeue: CommandLine, message_id: str, complaint: str
) -> None:
    ran = pulsequeue("dlq", "show", "order", message_id)

    assert ran.code == 1
    assert complaint in ran.err


def test_an_unknown_function_is_refused_with_the_known_ones(pulsequeue: CommandLine) -> None:
    ran = pulsequeue("dlq", "ls", "ordr")

    assert (ran.code, ran.err) == (
        1,
        (
            "pulsequeue: function 'ordr' not found; functions with a queue: order, payment, expiry, "
            "projector, webhook-fanout, webhook-delivery, webhook-retries, dataset-ingest.\n"
        ),
    )


MALFORMED_BODIES = [
    "",
    "null",
    "7",
    "[]",
    '"text"',
    '{"detail": 7}',
    '{"detail-type": 7, "detail": {"orderId": {}}}',
]
MALFORMED_BODIES += ["[" * 100_000]


@pytest.mark.parametrize("body", MALFORMED_BODIES, ids=range(len(MALFORMED_BODIES)))
def test_a_malformed_message_is_still_listed(
    pulsequeue: CommandLine, ops: MemoryOpsContext, body: str
) -> None:
    ops.dlqs["order"].add("m-1", body, reason="invalid_envelope")

    (listed,) = pulsequeue("dlq", "ls", "--json").json

    assert {name: listed[name] for name in ("messageId", "reason")} == {
        "messageId": "m-1",
        "reason": "invalid_envelope",
    }
    assert not listed.keys() & {"event", "orderId"}


LONG_IDS = ("3f2c8a6e-1b1f-4b43-8a7e-0f9d7c2b6a11", "3f2c8a6e-2b1f-4b43-8a7e-0f9d7c2b6a11")


def test_a_listed_beginning_of_an_id_selects_its_message(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    for message_id in LONG_IDS:
        ops.dlqs["order"].add(message_id, _event("OrderPlaced", "o-1"))

    listed = [line.split()[1] for line in pulsequeue("dlq", "ls").out.splitlines()[2:]]
    dry = pulsequeue("dlq", "drop", "--id", listed[0], "--json")
    ran = pulsequeue("dlq", "drop", "--id", listed[0], "--yes")

    assert listed == ["3f2c8a6e-1", "3f2c8a6e-2"]
    assert [it["messageId"] for it in dry.json] == [LONG_IDS[0]]
    assert ran.out == "1 dropped.\n"
    assert [it.message_id for it in ops.dlqs["order"].visible] == [LONG_IDS[1]]


@pytest.mark.parametrize(("given", "message"), [("3f2c8a6e", "give more of it"), ("", ""), ("nothing", "")])
def test_an_id_that_names_no_single_message_changes_nothing(
    pulsequeue: CommandLine, ops: MemoryOpsContext, given: str, message: str
) -> None:
    for message_id in LONG_IDS:
        ops.dlqs["order"].add(message_id, _event("OrderPlaced", "o-1"))

    ran = pulsequeue("dlq", "drop", "--id", given, "--yes")

    assert message in ran.err
    assert len(ops.dlqs["order"].visible) == 2
