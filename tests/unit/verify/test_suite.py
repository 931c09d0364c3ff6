"""What a verification places, and how it tells a link that holds from one that does not."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from scripts.common.clock import Clock
from scripts.common.errors import ToolError
from scripts.verify.checks import (
    BrokenLinkError,
    LeftOutError,
    Link,
    Patience,
    State,
    follow,
)
from scripts.verify.diagnostics import complaint_of
from scripts.verify.dlq_checks import Letters, readers_of_placed_orders
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
def patience() -> Patience:
    clock = ManualClock()
    return Patience(Clock(clock, lambda seconds: clock.advance(timedelta(seconds=seconds))), 10, 1)


@pytest.fixture
def scenarios() -> Scenarios:
    return Scenarios.of("r42", json.loads(SCENARIOS.read_text()))


# --- the chain ----------------------------------------------------------------------------------------


def test_what_needs_a_broken_link_is_not_reached_and_the_rest_is() -> None:
    checked: list[str] = []

    def holds(name: str) -> Callable[[], str]:
        def check() -> str:
            checked.append(name)
            return "fine"

        return check

    report = follow(
        [
            Link("rule", "is on", _raises(BrokenLinkError("it is off"))),
            Link("order", "is decided", holds("order"), ("rule",)),
            Link("payment", "is made", holds("payment"), ("order",)),
            Link("metrics", "are read", holds("metrics")),
        ]
    )

    states = {it.link: it.state for it in report.findings}
    assert states == {
        "rule": State.BROKEN,
        "order": State.NOT_REACHED,
        "payment": State.NOT_REACHED,
        "metrics": State.WHOLE,
    }
    assert checked == ["metrics"]
    assert report.broken is not None
    assert (report.broken.link, report.broken.says) == ("rule", "it is off")


def test_the_first_broken_link_is_the_one_that_is_named() -> None:
    report = follow(
        [
            Link("first", "", lambda: "fine"),
            Link("second", "", _raises(ToolError("the queue is not there."))),
            Link("third", "", _raises(BrokenLinkError("later"))),
        ]
    )

    assert report.broken is not None
    assert (report.broken.link, report.broken.says) == ("second", "the queue is not there.")


def test_what_is_left_out_breaks_nothing_behind_it() -> None:
    report = follow(
        [
            Link("analytics", "", _raises(LeftOutError("nobody to ask as"))),
            Link("end", "", lambda: "fine", ("analytics",)),
        ]
    )

    assert report.broken is None
    assert [it.state for it in report.findings] == [State.LEFT_OUT, State.WHOLE]


def test_a_defect_of_the_verification_itself_is_no_broken_link() -> None:
    with pytest.raises(KeyError):
        follow([Link("any", "", _raises(KeyError("detail")))])


def test_patience_ends_with_the_reason_as_it_is_then(patience: Patience) -> None:
    looks: list[int] = []

    def look() -> str | None:
        looks.append(1)
        return None

    with pytest.raises(BrokenLinkError, match="looked 11 times"):
        patience.until(look, lambda: f"looked {len(looks)} times")


def test_patience_takes_what_comes_in_time(patience: Patience) -> None:
    answers = iter([None, None, "there"])

    assert patience.until(lambda: next(answers), lambda: "never") == "there"


def test_what_was_found_last_is_the_reason_and_nothing_is_looked_at_after_the_time(
    patience: Patience,
) -> None:
    looks: list[int] = []

    def faults() -> list[str]:
        looks.append(1)
        return [f"fault {len(looks)}"]

    with pytest.raises(BrokenLinkError, match=r"^fault 11$"):
        patience.until_whole(faults, ", ".join)

    assert len(looks) == 11


def test_patience_ends_when_nothing_is_wrong_any_more(patience: Patience) -> None:
    found = iter([["late"], []])

    patience.until_whole(lambda: next(found), ", ".join)

    assert next(found, None) is None


# --- what is placed -----------------------------------------------------------------------------------


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


def test_all_but_the_malformed_can_be_read(scenarios: Scenarios) -> None:
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


def test_what_is_left_is_what_no_confirmed_order_took(scenarios: Scenarios) -> None:
    (key,) = scenarios.skus

    assert scenarios.left(key.id) == 10 - 2 - 1  # the success takes two, the duplicate one, once


def test_counters_follow_from_the_scenarios(scenarios: Scenarios) -> None:
    moved = scenarios.counted(["order", "projector"])

    spelled = {f"{name}{dict(labels)}": by for (name, labels), by in moved.items()}
    assert spelled["orders_total{'outcome': 'reserved'}"] == 3
    assert spelled["orders_total{'outcome': 'rejected'}"] == 1
    assert spelled["orders_total{'outcome': 'duplicate'}"] == 1
    assert spelled["payments_total{'outcome': 'succeeded'}"] == 2
    assert spelled["payments_total{'outcome': 'failed'}"] == 1
    assert spelled["poison_events_total{'consumer': 'projector'}"] == 1
    assert spelled["events_published_total{'event': 'OrderConfirmed'}"] == 2


def test_a_scenario_ends_in_a_state_that_its_events_tell(scenarios: Scenarios) -> None:
    said = {
        Status.CONFIRMED: "OrderConfirmed",
        Status.CANCELLED: "OrderCancelled",
        Status.REJECTED: "OrderRejected",
    }
    for it in scenarios.readable:
        assert it.status is not None
        assert said[it.status] in it.events


# --- dead letters -------------------------------------------------------------------------------------


def _body(order_id: str) -> str:
    return json.dumps({"detail-type": "OrderPlaced", "detail": {"orderId": order_id}})


@pytest.fixture
def ops(scenarios: Scenarios) -> MemoryOpsContext:
    """A desk where the malformed order died where it had to."""
    ops = MemoryOpsContext()
    for function in readers_of_placed_orders(ops):
        ops.dlqs[function].add(
            f"m-{function}", _body(scenarios.malformed[0].order_id), reason="invalid_event"
        )
    return ops


def test_the_malformed_order_is_taken_out_and_all_others_stay(
    ops: MemoryOpsContext, scenarios: Scenarios, patience: Patience
) -> None:
    ops.dlqs["order"].add("other", _body("somebody-elses"), reason="invalid_event")

    said = Letters(ops, scenarios, patience).as_they_should()

    assert said == "invalid_event in those of order, projector; nothing else"
    assert [it.message_id for it in ops.dlqs["order"].visible] == ["other"]
    assert ops.dlqs["projector"].visible == []
    assert all(queue.hidden == [] for queue in ops.dlqs.values())


def test_another_dead_letter_of_the_run_is_told_with_its_reason_and_taken_out(
    ops: MemoryOpsContext, scenarios: Scenarios, patience: Patience
) -> None:
    ops.dlqs["payment"].add("p", _body(scenarios.all[0].order_id))

    with pytest.raises(BrokenLinkError, match=r"payment: unexpected OrderPlaced of .*retries_exhausted"):
        Letters(ops, scenarios, patience).as_they_should()

    assert ops.dlqs["payment"].visible == []


def test_a_malformed_order_under_another_reason_is_told(scenarios: Scenarios, patience: Patience) -> None:
    ops = MemoryOpsContext()
    for function in readers_of_placed_orders(ops):
        ops.dlqs[function].add("m", _body(scenarios.malformed[0].order_id))

    with pytest.raises(BrokenLinkError, match="retries_exhausted"):
        Letters(ops, scenarios, patience).as_they_should()


def test_a_malformed_order_that_nobody_buried_is_missed_where_it_should_be(
    ops: MemoryOpsContext, scenarios: Scenarios, patience: Patience
) -> None:
    ops.dlqs["projector"].visible.clear()

    with pytest.raises(BrokenLinkError, match=r"did not come to the dead-letter queue of projector$"):
        Letters(ops, scenarios, patience).as_they_should()


def test_a_letter_that_comes_while_cleaning_up_is_taken_out_too(
    scenarios: Scenarios, patience: Patience
) -> None:
    ops, clock = MemoryOpsContext(), patience.clock

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        for function in readers_of_placed_orders(ops):
            ops.dlqs[function].add("late", _body(scenarios.malformed[0].order_id), reason="invalid_event")

    Letters(ops, scenarios, replace(patience, clock=Clock(clock.now, sleep))).take_out()

    assert all(queue.visible == [] for queue in ops.dlqs.values())
    assert all(queue.hidden == [] for queue in ops.dlqs.values())


def test_cleaning_up_does_not_wait_for_ever(scenarios: Scenarios, patience: Patience) -> None:
    ops, began = MemoryOpsContext(), patience.clock.now()

    Letters(ops, scenarios, patience).take_out()

    assert patience.clock.now() - began <= timedelta(seconds=15)


# --- evidence -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "complaint"),
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
def test_a_complaint_is_told_by_its_level_and_anything_else_is_none(line: str, complaint: str | None) -> None:
    assert complaint_of(line) == complaint
