"""Log events are declared once, and code refers to them by their members."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeGuard

import pytest

from services.shared.log_events import LogEvent

ROOT = Path(__file__).parents[3]
DECLARATION = ROOT / "services/shared/log_events.py"
MODULES = [
    path
    for folder in ("services", "scripts", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path != DECLARATION
]
SPELLINGS = {event.value for event in LogEvent} | {event.text for event in LogEvent}
LOG_METHODS = {"info", "warning", "error"}


def literals(tree: ast.AST) -> Iterator[ast.Constant]:
    """Every text of a module, docstrings included."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))


def is_member(node: ast.expr) -> bool:
    """Whether an expression is `LogEvent.X`, or a choice between two such members."""
    if isinstance(node, ast.IfExp):
        return is_member(node.body) and is_member(node.orelse)
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == LogEvent.__name__
        and node.attr in LogEvent.__members__
    )


def is_telemetry_call(node: ast.AST) -> TypeGuard[ast.Call]:
    """Whether a call logs through telemetry: `telemetry.info`, `self._telemetry.warning` and the like."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    receiver = node.func.value
    name = getattr(receiver, "attr", getattr(receiver, "id", ""))
    return node.func.attr in LOG_METHODS and name.lstrip("_") == "telemetry"


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def spelled_out(tree: ast.Module) -> list[str]:
    return [f"{node.lineno}: {node.value!r}" for node in literals(tree) if node.value in SPELLINGS]


def other_first_arguments(tree: ast.Module) -> list[str]:
    return [
        ast.unparse(node)
        for node in ast.walk(tree)
        if is_telemetry_call(node) and not (node.args and is_member(node.args[0]))
    ]


def test_no_module_spells_out_a_code_or_a_text() -> None:
    assert {name_of(path): found for path in MODULES if (found := spelled_out(tree_of(path)))} == {}


def test_telemetry_is_called_with_members_of_log_event_alone() -> None:
    assert {name_of(path): found for path in MODULES if (found := other_first_arguments(tree_of(path)))} == {}


def test_both_rules_find_what_they_look_for() -> None:
    assert spelled_out(ast.parse('print("order.reserved")\nprint("order reserved")')) == [
        "1: 'order.reserved'",
        "2: 'order reserved'",
    ]
    assert other_first_arguments(ast.parse("self._telemetry.info(LogEvent.ORDER_RESERVED, key)")) == []
    assert other_first_arguments(ast.parse("telemetry.info('order.new', key)")) == [
        "telemetry.info('order.new', key)"
    ]
    assert other_first_arguments(ast.parse("telemetry.error(event=code)")) == ["telemetry.error(event=code)"]


def test_the_rules_look_at_the_modules_that_log() -> None:
    calls = [node for path in MODULES for node in ast.walk(tree_of(path)) if is_telemetry_call(node)]

    assert {"services/order/service.py", "services/payment/service.py"} <= set(map(name_of, MODULES))
    assert len(calls) >= 30


def test_codes_are_unique_and_no_event_is_an_alias_of_another() -> None:
    codes = [event.value for event in LogEvent]

    assert len(set(codes)) == len(codes) == len(LogEvent.__members__)


@pytest.mark.parametrize("event", LogEvent)
def test_a_code_is_a_subject_and_an_outcome_and_has_a_text(event: LogEvent) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*", event.value)
    assert event.text.strip()
    assert event.text != event.value
