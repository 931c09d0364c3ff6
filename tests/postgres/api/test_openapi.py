"""The OpenAPI document: what is published is what is served, and describes what is there."""

import json
from pathlib import Path
from typing import Any

import openapi_spec_validator
import pytest

from scripts.ops.contracts import openapi
from scripts.ops.contracts.openapi import ROUTES, document, text
from services.analytics.api.openapi import FILE
from services.shared.http.problems import PROBLEM_TYPES
from tests.postgres.api.client import ApiClient, out_of_reach


def operations() -> dict[tuple[str, str], Any]:
    return {
        (method.upper(), path): operation
        for path, item in document()["paths"].items()
        for method, operation in item.items()
    }


def test_the_document_is_valid() -> None:
    openapi_spec_validator.validate(document())

    assert document()["openapi"].startswith("3.1")


def test_the_published_document_is_the_one_that_is_made() -> None:
    for file in (openapi.PUBLISHED, FILE):
        assert file.read_text(encoding="utf-8") == text(), "run make schemas, and look at what changed"


def test_the_published_document_is_the_one_that_is_served() -> None:
    answer = ApiClient(out_of_reach()).ask("/api/openapi.json")

    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.text == openapi.PUBLISHED.read_text(encoding="utf-8")


def test_the_document_is_not_served_again_to_whoever_has_it() -> None:
    client = ApiClient(out_of_reach())
    tag = client.ask("/api/openapi.json").headers["etag"]

    assert client.ask("/api/openapi.json", headers={"if-none-match": tag}).status == 304


def test_every_question_is_described_with_its_parameters_and_its_answer() -> None:
    described = operations()

    assert set(described) == {(it.method, it.path) for it in ROUTES} | {("GET", "/api/openapi.json")}
    for route in ROUTES:
        operation = described[route.method, route.path]
        params = {field.alias or name for name, field in route.params_model.model_fields.items()}
        success = operation["responses"][str(route.status)]["content"]["application/json"]
        values = success["schema"]["properties"]
        headers = {"If-None-Match", "Idempotency-Key"}
        assert {it["name"] for it in operation["parameters"]} - headers == params
        assert all(it["description"] for it in operation["parameters"])
        assert values["data"] == {"$ref": f"#/components/schemas/{route.response_model.__name__}"}
        assert {"401", "403", "422", "500", "503"} <= set(operation["responses"])


def test_every_question_wants_a_token_and_so_does_the_document() -> None:
    assert document()["security"] == [{"idToken": []}]
    assert not [path for path, operation in operations().items() if "security" in operation]
    assert ApiClient(out_of_reach()).ask("/api/openapi.json", by=None).status == 401


def test_every_operation_says_who_may_call_it() -> None:
    described = {path: it for path, it in operations().items() if path != ("GET", "/api/openapi.json")}

    assert all(it["x-roles"] for it in described.values())
    assert described["POST", "/api/orders"]["x-roles"] == ["admin", "editor"]
    assert described["POST", "/api/orders"]["x-scopes"] == ["orders:write"]
    assert described["GET", "/api/orders"]["x-roles"] == ["admin", "editor", "viewer"]


def test_every_problem_is_described() -> None:
    responses = document()["components"]["responses"]

    assert set(responses) == {kind.name for kind in PROBLEM_TYPES}
    assert all("application/problem+json" in response["content"] for response in responses.values())


@pytest.mark.parametrize(("name", "expected"), [("limit", (1, 200, 50)), ("month", (None, None, None))])
def test_limits_of_parameters_are_told(name: str, expected: tuple[object, ...]) -> None:
    schemas = [
        parameter["schema"]
        for operation in operations().values()
        for parameter in operation.get("parameters", ())
        if parameter["name"] == name
    ]

    assert {(it.get("minimum"), it.get("maximum"), it.get("default")) for it in schemas} == {expected}


def test_nothing_is_written_where_nothing_changed(tmp_path: Path) -> None:
    path = tmp_path / "docs" / "openapi.json"

    assert [openapi.write(path), openapi.write(path)] == [True, False]
    assert json.loads(path.read_text()) == document()
