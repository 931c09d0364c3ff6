"""`pulsequeue events` lists, validates and releases event contracts."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.ops.contracts.event_catalog import EMITTERS
from services.order.domain import events_for
from services.shared.events import CATALOGUE, IMPORTED
from services.shared.ledger import Payment, Status
from tests.support.fakes import START
from tests.support.ops_context import MemoryOpsContext, an_order
from tests.unit.conftest import CommandLine

SERVICES = Path(__file__).parents[3] / "services"
ORDER = {"orderId": "o-1", "customerId": "c-1", "items": [{"sku": "s", "quantity": 1}]}
NAMES = {model.detail_type() for model in CATALOGUE}


# --- ls ----------------------------------------------------------------------------------------------


def test_every_event_is_listed_with_who_emits_and_who_takes_it(pulsequeue: CommandLine) -> None:
    listed = {entry["event"]: entry for entry in pulsequeue("events", "ls", "--json").json}

    assert listed.keys() == NAMES
    assert listed["PaymentRequested"]["emittedBy"] == ["order"]
    assert listed["PaymentRequested"]["consumedBy"] == ["payment", "expiry", "projector"]
    assert all(entry["description"] for entry in listed.values())


def _made_by(service: str) -> set[str]:
    """Find the events that the code of a service makes, rather than only takes."""

    def calls() -> Iterator[str]:
        for path in (SERVICES / service).glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    yield node.func.id

    return set(calls()) & NAMES


def _declared_for(*names: str) -> set[str]:
    return {event for event, emitters in EMITTERS.items() if set(names) & set(emitters)}


def test_the_services_make_exactly_the_events_that_they_are_said_to_emit() -> None:
    assert _made_by("order") == _declared_for("order", "expiry")
    assert _made_by("payment") == _declared_for("payment")


def test_the_expiry_tells_only_of_what_it_released() -> None:
    released = an_order().moved(Status.CANCELLED, START, "e", reason="reservation_expired")

    assert {event.detail_type() for event in events_for(released)} == _declared_for("expiry")


def test_the_command_line_publishes_exactly_the_events_that_it_is_said_to_emit(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ops.add_orders(an_order("o-1").moved(Status.CONFIRMED, START, "e", payment=Payment(charge_id="ch")))

    pulsequeue("publish", "--item", "prod-001=1")
    pulsequeue("order", "cancel", "o-1")
    pulsequeue("order", "refund", "o-1")
    pulsequeue("inventory", "adjust", "prod-001", "1")

    assert set(ops.bus.names()) == _declared_for("cli")


def test_somebody_is_said_to_emit_every_event() -> None:
    assert EMITTERS.keys() == NAMES
    assert all(EMITTERS.values())


# --- schema ------------------------------------------------------------------------------------------


def test_one_schema_is_printed_as_it_stands_in_the_docs(pulsequeue: CommandLine) -> None:
    published = SERVICES.parent / "docs" / "events" / "OrderPlaced.json"

    ran = pulsequeue("events", "schema", "OrderPlaced")

    assert ran.out == published.read_text(encoding="utf-8")


def test_all_schemas_are_written_once_into_a_folder(pulsequeue: CommandLine, tmp_path: Path) -> None:
    first = pulsequeue("events", "schema", "--all", "--output", str(tmp_path), "--json").json
    second = pulsequeue("events", "schema", "--all", "--output", str(tmp_path), "--json").json

    assert {Path(path).stem for path in first["changed"]} == NAMES | {it.detail_type() for it in IMPORTED}
    assert second["changed"] == []


@pytest.mark.parametrize(
    "arguments", [(), ("OrderPlaced", "--all"), ("OrderPlaced", "--output", "x"), ("Nonsense",)]
)
def test_a_schema_that_was_not_clearly_named_is_refused(
    pulsequeue: CommandLine, arguments: tuple[str, ...]
) -> None:
    assert pulsequeue("events", "schema", *arguments).code == 2


# --- validate ----------------------------------------------------------------------------------------


def _validate(pulsequeue: CommandLine, document: object, *options: str) -> tuple[int, Any]:
    ran = pulsequeue("events", "validate", "-", *options, "--json", stdin=json.dumps(document))
    return ran.code, json.loads(ran.out) if ran.out else ran.err


def test_what_a_publisher_sends_at_least_is_valid(pulsequeue: CommandLine) -> None:
    code, result = _validate(pulsequeue, ORDER, "--event", "OrderPlaced")

    assert (code, result) == (0, {"event": "OrderPlaced", "valid": True, "faults": []})


def test_an_envelope_says_itself_which_event_it_holds(pulsequeue: CommandLine) -> None:
    assert _validate(pulsequeue, {"detail-type": "OrderPlaced", "detail": ORDER})[0] == 0


WRONG: dict[str, tuple[object, str]] = {
    "a field is missing": ({"orderId": "o-1", "items": ORDER["items"]}, "customerId: Field required"),
    "a line is wrong": (ORDER | {"items": [{"sku": "s", "quantity": 0}]}, "items[0].quantity: "),
    "another event": ({"detail-type": "OrderConfirmed", "detail": ORDER}, "detail-type: is"),
    "no detail": ({"detail-type": "OrderPlaced"}, "detail: should be an object"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_what_is_wrong_is_named_by_its_place(pulsequeue: CommandLine, fault: str) -> None:
    document, complaint = WRONG[fault]

    code, result = _validate(pulsequeue, document, "--event", "OrderPlaced")

    assert code == 1
    assert any(one.startswith(complaint) for one in result["faults"])


@pytest.mark.parametrize(
    ("document", "options", "code"),
    [(ORDER, (), 2), (ORDER, ("--event", "Nonsense"), 2), ([], ("--event", "OrderPlaced"), 1)],
)
def test_what_cannot_be_judged_is_refused(
    pulsequeue: CommandLine, document: object, options: tuple[str, ...], code: int
) -> None:
    assert _validate(pulsequeue, document, *options)[0] == code


# --- release -----------------------------------------------------------------------------------------


def test_a_contract_is_released_once(pulsequeue: CommandLine, tmp_path: Path) -> None:
    first = pulsequeue("events", "release", "--folder", str(tmp_path))
    second = pulsequeue("events", "release", "--folder", str(tmp_path))

    (released,) = tmp_path.iterdir()
    assert first.out == f"released as {released}.\n"
    assert second.out == "nothing changed since the last release.\n"


def test_a_release_that_somebody_edited_stops_the_next(pulsequeue: CommandLine, tmp_path: Path) -> None:
    pulsequeue("events", "release", "--folder", str(tmp_path))
    (released,) = tmp_path.iterdir()
    released.write_text(released.read_text(encoding="utf-8") + " ", encoding="utf-8")

    ran = pulsequeue("events", "release", "--folder", str(tmp_path))

    assert ran.code == 1
    assert "was edited, renamed or removed" in ran.err
