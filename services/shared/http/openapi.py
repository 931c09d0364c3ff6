"""The OpenAPI document of an API function, generated from the same routes that it serves."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from services.shared.http import problems
from services.shared.http.caching import Caching
from services.shared.http.params import MAX_LENGTH
from services.shared.http.problems import Problem, ProblemType
from services.shared.http.responses import ResponseModel
from services.shared.http.routes import Route

Json = dict[str, Any]

_REFERENCE: Final = "#/components/schemas/{model}"
_EVERY_ROUTE: Final = frozenset(
    {
        problems.UNAUTHENTICATED,
        problems.FORBIDDEN,
        problems.BAD_PARAMETERS,
        problems.UNEXPECTED,
        problems.UNAVAILABLE,
    }
)
_NOT_MODIFIED: Final[Json] = {"304": {"description": "Not modified"}}
_IF_NONE_MATCH: Final[Json] = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag of a response that the client has.",
    "schema": {"type": "string"},
}
_ETAG: Final[Json] = {
    "ETag": {
        "description": "Identifies this response, for If-None-Match.",
        "required": True,
        "schema": {"type": "string"},
    }
}


def document(routes: Sequence[Route], *, path: str, title: str, description: str) -> Json:
    """Describe the routes, and the document itself, which is served at `path`."""
    operations: dict[str, Json] = {path: {"get": _document_operation()}}
    for route in routes:
        operations.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1", "description": description},
        "paths": operations,
        "components": {
            "schemas": _schemas(routes),
            "responses": {kind.name: _problem_response(kind) for kind in problems.PROBLEM_TYPES},
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


def _document_operation() -> Json:
    return {
        "operationId": "document",
        "summary": "This document",
        "responses": {
            "200": {
                "description": "This document",
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            **_NOT_MODIFIED,
            **_problem_references(_EVERY_ROUTE - {problems.UNAVAILABLE}),
        },
    }


def _operation(route: Route) -> Json:
    cacheable = route.caching is Caching.REVALIDATED
    return {
        "operationId": route.path.removeprefix("/api/").translate(
            {ord("/"): "-", ord("{"): "", ord("}"): ""}
        ),
        "summary": route.summary,
        "tags": [route.tag],
        "parameters": [*_parameters(route), *([_IF_NONE_MATCH] if cacheable else [])],
        "responses": {
            "200": _success(route),
            **(_NOT_MODIFIED if cacheable else {}),
            **_problem_references(_EVERY_ROUTE | route.problem_types),
        },
    }


def _parameters(route: Route) -> list[Json]:
    properties: Json = route.params_model.model_json_schema().get("properties", {})
    return [_parameter(name, schema, route) for name, schema in properties.items()]


def _parameter(name: str, schema: Json, route: Route) -> Json:
    in_path = f"{{{name}}}" in route.path
    return {
        "name": name,
        "in": "path" if in_path else "query",
        "required": in_path,
        "description": schema["description"],
        "schema": _parameter_schema(schema),
    }


def _parameter_schema(schema: Json) -> Json:
    result = {key: value for key, value in schema.items() if key not in {"title", "description", "default"}}
    # An optional parameter may be left out; it is never sent as null.
    result.update(*[variant for variant in result.pop("anyOf", []) if variant.get("type") != "null"])
    if result.get("type") == "string" and not result.keys() & {"enum", "pattern"}:
        result.setdefault("maxLength", MAX_LENGTH)
    if schema.get("default") is not None:
        result["default"] = schema["default"]
    return result


def _success(route: Route) -> Json:
    response: Json = {
        "description": route.summary,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": sorted(route.envelope),
                    "properties": {name: _reference(model) for name, model in route.envelope.items()},
                    "additionalProperties": False,
                }
            }
        },
    }
    return {**response, "headers": _ETAG} if route.caching is Caching.REVALIDATED else response


def _problem_references(kinds: Iterable[ProblemType]) -> Json:
    return {
        str(kind.status): {"$ref": f"#/components/responses/{kind.name}"}
        for kind in sorted(kinds, key=lambda kind: kind.status)
    }


def _problem_response(kind: ProblemType) -> Json:
    return {
        "description": kind.title,
        "content": {problems.MEDIA_TYPE: {"schema": _reference(Problem)}},
    }


def _reference(model: type[ResponseModel]) -> Json:
    return {"$ref": _REFERENCE.format(model=model.__name__)}


def _schemas(routes: Sequence[Route]) -> Json:
    models: list[type[ResponseModel]] = [model for route in routes for model in route.envelope.values()]
    models = list(dict.fromkeys([*models, Problem]))
    _, schema = models_json_schema([(model, "serialization") for model in models], ref_template=_REFERENCE)
    definitions: Json = schema["$defs"]
    return {name: _without_titles(definition) for name, definition in definitions.items()}


def _without_titles(definition: Json) -> Json:
    """Drop the titles, which repeat the names."""
    properties = {
        name: {key: value for key, value in schema.items() if key != "title"}
        for name, schema in definition["properties"].items()
    }
    return {**{key: value for key, value in definition.items() if key != "title"}, "properties": properties}
