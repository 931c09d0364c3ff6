"""The OpenAPI document, made from the same table that requests are answered by."""

import json
from functools import cache
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from services.analytics.api import responses
from services.analytics.api.caching import Keeping
from services.analytics.api.params import MAX_LENGTH, Asking
from services.analytics.api.routes import DOCUMENT, ROUTES, Route
from services.shared.http import problems

Json = dict[str, Any]

_REFERENCE: Final = "#/components/schemas/{model}"
_EVERYWHERE: Final = (
    problems.UNAUTHENTICATED,
    problems.FORBIDDEN,
    problems.BAD_PARAMETERS,
    problems.UNEXPECTED,
    problems.UNAVAILABLE,
)


@cache
def text() -> str:
    """Return the document, the same on every run."""
    return json.dumps(document(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def document() -> Json:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "PulseQueue analytics",
            "version": "1",
            "description": "Orders, sales and recurring revenue of one tenant: the one that the token names. "
            "Days and months are UTC, and ranges go from the first until before the last. "
            "Money is in minor units, never added up across currencies.",
        },
        "paths": {
            DOCUMENT: {"get": _own_operation()},
            **{route.path: {"get": _operation(route)} for route in ROUTES},
        },
        "components": {
            "schemas": _schemas(),
            "responses": {kind.name: _problem(kind) for kind in problems.KINDS},
            "securitySchemes": {
                "idToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "An ID token of the user pool, of a user with a tenant and a role.",
                }
            },
        },
        "security": [{"idToken": []}],
    }


def _own_operation() -> Json:
    return {
        "operationId": "document",
        "summary": "This document",
        "responses": {
            "200": {
                "description": "This document",
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            "304": {"description": "What you have is still good"},
            **_refusals(
                problems.UNAUTHENTICATED, problems.FORBIDDEN, problems.BAD_PARAMETERS, problems.UNEXPECTED
            ),
        },
    }


def _operation(route: Route) -> Json:
    kept = route.keeping is Keeping.REVALIDATED
    possible = {*_EVERYWHERE}
    if route.paged:
        possible.add(problems.BAD_CURSOR)
    if "{" in route.path:
        possible.add(problems.NOT_FOUND)
    return {
        "operationId": route.path.removeprefix("/api/").translate(
            {ord("/"): "-", ord("{"): "", ord("}"): ""}
        ),
        "summary": route.summary,
        "tags": [route.metric],
        "parameters": [*_parameters(route), *([_IF_NONE_MATCH] if kept else [])],
        "responses": {
            "200": _answer(route),
            **({"304": {"description": "What you have is still good"}} if kept else {}),
            **_refusals(*possible),
        },
    }


_IF_NONE_MATCH: Final[Json] = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag of an answer you have.",
    "schema": {"type": "string"},
}


def _parameters(route: Route) -> list[Json]:
    return [_parameter(name, schema, route) for name, schema in _properties(route.asks).items()]


def _properties(model: type[Asking]) -> Json:
    properties: Json = model.model_json_schema().get("properties", {})
    return properties


def _parameter(name: str, schema: Json, route: Route) -> Json:
    in_path = f"{{{name}}}" in route.path
    told = {key: value for key, value in schema.items() if key not in {"title", "description", "default"}}
    # What may be left out is still never sent as null.
    spelled = [one for one in told.pop("anyOf", []) if one.get("type") != "null"]
    told.update(*spelled)
    if told.get("type") == "string" and not told.keys() & {"enum", "pattern"}:
        told.setdefault("maxLength", MAX_LENGTH)
    if schema.get("default") is not None:
        told["default"] = schema["default"]
    return {
        "name": name,
        "in": "path" if in_path else "query",
        "required": in_path,
        "description": schema["description"],
        "schema": told,
    }


def _answer(route: Route) -> Json:
    properties = {"data": _reference(route.tells), "meta": _reference(responses.Meta)}
    if route.paged:
        properties["page"] = _reference(responses.Page)
    answer: Json = {
        "description": route.summary,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": sorted(properties),
                    "properties": properties,
                    "additionalProperties": False,
                }
            }
        },
    }
    if route.keeping is Keeping.REVALIDATED:
        answer["headers"] = {
            "ETag": {
                "description": "Names this answer, for If-None-Match.",
                "required": True,
                "schema": {"type": "string"},
            }
        }
    return answer


def _refusals(*kinds: problems.Kind) -> Json:
    return {
        str(kind.status): {"$ref": f"#/components/responses/{kind.name}"}
        for kind in sorted(kinds, key=lambda kind: kind.status)
    }


def _problem(kind: problems.Kind) -> Json:
    return {
        "description": kind.title,
        "content": {problems.MEDIA_TYPE: {"schema": _reference(responses.ProblemTold)}},
    }


def _reference(model: type[responses.Telling]) -> Json:
    return {"$ref": _REFERENCE.format(model=model.__name__)}


def _schemas() -> Json:
    told: list[type[responses.Telling]] = [route.tells for route in ROUTES]
    told += [responses.Meta, responses.Page, responses.ProblemTold]
    _, schema = models_json_schema([(model, "serialization") for model in told], ref_template=_REFERENCE)
    definitions: Json = schema["$defs"]
    return {name: _without_titles(definition) for name, definition in definitions.items()}


def _without_titles(definition: Json) -> Json:
    """Drop the titles that repeat the names."""
    properties = {
        name: {key: value for key, value in schema.items() if key != "title"}
        for name, schema in definition["properties"].items()
    }
    return {**{key: value for key, value in definition.items() if key != "title"}, "properties": properties}
