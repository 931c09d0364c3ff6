"""The events promise something to people we cannot ask; these tests keep the promises."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from scripts.common.errors import ToolError
from scripts.ops.contracts.schema_compatibility import breaking_changes
from scripts.ops.contracts.schema_registry import broken_releases, read_releases, release
from scripts.ops.contracts.schemas import render, schemas, write_all

DOCS = Path(__file__).parents[4] / "docs" / "events"
Change = Callable[[dict[str, Any]], None]


def _contract() -> dict[str, Any]:
    return {
        "Placed": {
            "type": "object",
            "required": ["id", "lines"],
            "$defs": {
                "Line": {
                    "type": "object",
                    "required": ["sku"],
                    "properties": {
                        "sku": {"type": "string", "pattern": "^a", "maxLength": 10, "minLength": 2},
                        "note": {"type": "string"},
                    },
                }
            },
            "properties": {
                "id": {"type": "string"},
                "at": {"type": "string", "format": "date-time"},
                "count": {"type": "integer", "minimum": 1, "maximum": 9},
                "why": {"type": "string", "enum": ["a", "b"]},
                "region": {"anyOf": [{"type": "string", "maxLength": 4}, {"type": "null"}], "default": None},
                "restock": {"type": "boolean", "default": False},
                "lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}, "maxItems": 5},
            },
        },
        "Gone": {"type": "object", "properties": {}},
    }


def _faults(change: Change) -> list[str]:
    old = _contract()
    new = copy.deepcopy(old)
    change(new)
    return breaking_changes(old, new)


def _of(contract: dict[str, Any], name: str) -> dict[str, Any]:
    schema: dict[str, Any] = contract["Placed"]["properties"][name]
    return schema


def _line(contract: dict[str, Any], name: str) -> dict[str, Any]:
    schema: dict[str, Any] = contract["Placed"]["$defs"]["Line"]["properties"][name]
    return schema


BREAKS: dict[str, tuple[Change, str]] = {
    "an event is removed": (lambda c: c.pop("Gone"), "Gone: the event was removed"),
    "a property is removed": (
        lambda c: c["Placed"]["properties"].pop("at"),
        "Placed.at: the property was removed",
    ),
    "a nested property is removed": (
        lambda c: c["Placed"]["$defs"]["Line"]["properties"].pop("note"),
        "Placed.lines[].note: the property was removed",
    ),
    "a property becomes required": (
        lambda c: c["Placed"]["required"].append("count"),
        "Placed.count: publishers need not send it, and now must",
    ),
    "a nested property becomes required": (
        lambda c: c["Placed"]["$defs"]["Line"]["required"].append("note"),
        "Placed.lines[].note: publishers need not send it, and now must",
    ),
    "a property is no longer always there": (
        lambda c: c["Placed"]["required"].remove("id"),
        "Placed.id: readers could count on it, and now cannot",
    ),
    "a type changes": (
        lambda c: _of(c, "count").update(type="string"),
        "Placed.count: the type changed from integer to string",
    ),
    "null is no longer taken": (
        lambda c: _of(c, "region").update(anyOf=[{"type": "string", "maxLength": 4}]),
        "Placed.region: the type changed from string or null to string",
    ),
    "a value may now be null": (
        lambda c: _of(c, "id").update(type=["string", "null"]),
        "Placed.id: the type changed from string to string or null",
    ),
    "a maximum is lowered": (
        lambda c: _of(c, "count").update(maximum=8),
        "Placed.count: maximum narrowed from 9 to 8",
    ),
    "a minimum is raised": (
        lambda c: _of(c, "count").update(minimum=2),
        "Placed.count: minimum narrowed from 1 to 2",
    ),
    "a limit appears": (lambda c: _of(c, "id").update(maxLength=5), "Placed.id: maxLength 5 is new"),
    "a limit inside a nullable narrows": (
        lambda c: _of(c, "region")["anyOf"][0].update(maxLength=3),
        "Placed.region: maxLength narrowed from 4 to 3",
    ),
    "a pattern changes": (
        lambda c: _line(c, "sku").update(pattern="^b"),
        "Placed.lines[].sku: pattern changed from '^a' to '^b'",
    ),
    "a pattern appears": (
        lambda c: _of(c, "id").update(pattern="^x"),
        "Placed.id: pattern changed from None to '^x'",
    ),
    "a format is dropped": (
        lambda c: _of(c, "at").pop("format"),
        "Placed.at: readers could count on format 'date-time', and now cannot",
    ),
    "a value is no longer taken": (
        lambda c: _of(c, "why").update(enum=["a", "c"]),
        "Placed.why: 'b' no longer taken",
    ),
    "free text becomes a choice": (
        lambda c: _of(c, "id").update(enum=["x"]),
        "Placed.id: any value was taken, and now only ['x']",
    ),
    "a default changes": (
        lambda c: _of(c, "restock").update(default=True),
        "Placed.restock: the default changed from False to True",
    ),
    "unknown fields are refused": (
        lambda c: c["Placed"].update(additionalProperties=False),
        "Placed: additionalProperties changed from None to False",
    ),
}


@pytest.mark.parametrize("kind", BREAKS)
def test_a_change_that_breaks_somebody_is_named(kind: str) -> None:
    change, fault = BREAKS[kind]

    assert _faults(change) == [fault]


ADDITIONS: dict[str, Change] = {
    "nothing changes": lambda _: None,
    "a new event": lambda c: c.update(New={"type": "object"}),
    "a new optional property": lambda c: c["Placed"]["properties"].update(channel={"type": "string"}),
    "a new optional property of a line": lambda c: c["Placed"]["$defs"]["Line"]["properties"].update(
        colour={"type": "string"}
    ),
    "a higher maximum": lambda c: _of(c, "count").update(maximum=10),
    "a lower minimum": lambda c: _of(c, "count").update(minimum=0),
    "a limit dropped": lambda c: _of(c, "count").pop("maximum"),
    "a pattern dropped": lambda c: _line(c, "sku").pop("pattern"),
    "longer lists": lambda c: _of(c, "lines").update(maxItems=50),
    "one more value": lambda c: _of(c, "why").update(enum=["a", "b", "c"]),
    "a better description": lambda c: _of(c, "id").update(description="The order."),
    "a definition under another name": lambda c: (
        c["Placed"]["$defs"].update(OrderLine=c["Placed"]["$defs"].pop("Line")),
        _of(c, "lines").update(items={"$ref": "#/$defs/OrderLine"}),
    )[0],
}


@pytest.mark.parametrize("kind", ADDITIONS)
def test_a_change_that_only_adds_passes(kind: str) -> None:
    assert _faults(ADDITIONS[kind]) == []


def test_the_committed_schemas_are_those_of_the_models() -> None:
    committed = {path.stem: path.read_text(encoding="utf-8") for path in DOCS.glob("*.json")}

    assert committed == {name: render(schema) for name, schema in schemas().items()}, "run `make schemas`"


def test_the_models_keep_every_promise_ever_released() -> None:
    releases = read_releases(DOCS / "released")

    assert releases, "nothing was released, so nothing is held"
    broken = broken_releases(releases, schemas())
    assert not broken, "these changes break publishers or readers:\n" + "\n".join(broken)


def test_every_schema_is_a_valid_draft_2020_12_schema() -> None:
    for schema in schemas().values():
        Draft202012Validator.check_schema(schema)


def test_the_least_a_publisher_sends_satisfies_the_schema() -> None:
    order = {"orderId": "o-1", "customerId": "c-1", "items": [{"sku": "prod-001", "quantity": 2}]}

    Draft202012Validator(schemas()["OrderPlaced"]).validate(order)


def test_writing_the_schemas_twice_changes_nothing(tmp_path: Path) -> None:
    first = write_all(tmp_path)

    assert len(first) == len(schemas())
    assert write_all(tmp_path) == []


def test_a_release_follows_on_the_last_and_the_same_contract_is_not_released_twice(tmp_path: Path) -> None:
    contract = _contract()
    wider = {**contract, "New": {"type": "object"}}

    first, again, second = (release(tmp_path, one) for one in (contract, contract, wider))

    assert first is not None
    assert again is None
    assert second is not None
    assert [one.contract for one in read_releases(tmp_path)] == [contract, wider]


def test_a_contract_that_breaks_an_earlier_release_is_refused(tmp_path: Path) -> None:
    contract = _contract()
    release(tmp_path, contract)
    del contract["Gone"]

    with pytest.raises(ToolError, match="Gone: the event was removed"):
        release(tmp_path, contract)


def test_an_edited_release_is_noticed(tmp_path: Path) -> None:
    path = release(tmp_path, _contract())
    assert path is not None
    content = json.loads(path.read_text(encoding="utf-8"))
    del content["events"]["Gone"]
    path.write_text(render(content), encoding="utf-8")

    with pytest.raises(ToolError, match="edited, renamed or removed"):
        read_releases(tmp_path)


def test_a_release_taken_out_of_the_middle_is_noticed(tmp_path: Path) -> None:
    first = release(tmp_path, _contract())
    release(tmp_path, {**_contract(), "New": {"type": "object"}})
    assert first is not None
    first.unlink()

    with pytest.raises(ToolError, match="edited, renamed or removed"):
        read_releases(tmp_path)
