"""The OpenAPI document of an API function, generated from the same routes that it serves."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from services.shared.http import problems
from services.shared.http.caching import Caching
from services.shared.http.params import MAX_LENGTH
from services.shared.http.problems import Problem, ProblemType
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
_IDEMPOTENCY_KEY: Final[Json] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "New for each request and the same for its retries, so that none takes effect twice.",
    "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]{1,128}$"},
}
_LOCATION: Final[Json] = {
    "Location": {"description": "Where to read it.", "required": True, "schema": {"type": "string"}}
}
_LINK: Final[Json] = {
    "Link": {
        "description": 'Of CSV: where the rows that follow are, as `rel="next"`. Absent after the last row.',
        "schema": {"type": "string"},
    }
}
_ETAG: Final[Json] = {
    "ETag": {
        "description": "Identifies this response, for If-None-Match.",
        "required": True,
        "schema": {"type": "string"},
    }
}


def document(routes: Sequence[Route], *, path: str, title: str, description: str) -> Json:
    """Describe the routes of all functions, and the document itself, which is served at `path`."""
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
        "operationId": _operation_id(route),
        "summary": route.summary,
        "tags": [route.tag],
        "parameters": [
            *_parameters(route),
            *([_IF_NONE_MATCH] if cacheable else []),
            *([_IDEMPOTENCY_KEY] if route.needs_key else []),
            *([{**_IDEMPOTENCY_KEY, "required": False}] if route.takes_key else []),
        ],
        **(_request_body(route.body_model) if route.body_model else {}),
        "x-roles": list(route.roles),
        **({"x-scopes": [route.scope]} if route.scope else {}),
        "responses": {
            str(route.status): _success(route),
            **(_NOT_MODIFIED if cacheable else {}),
            **_problem_references(_EVERY_ROUTE | route.problem_types),
        },
    }


def _operation_id(route: Route) -> str:
    name = route.path.removeprefix("/api/").translate({ord("/"): "-", ord("{"): "", ord("}"): ""})
    return name if route.method == "GET" else f"{route.method.lower()}-{name}"


def _request_body(model: type[BaseModel]) -> Json:
    required = any(field.is_required() for field in model.model_fields.values())
    content = {"application/json": {"schema": _reference(model)}}
    return {"requestBody": {"required": required, "content": content}}


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
            **{media_type: {"schema": {"type": "string"}} for media_type in route.media_types},
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": sorted(route.envelope),
                    "properties": {name: _reference(model) for name, model in route.envelope.items()},
                    "additionalProperties": False,
                }
            },
        },
    }
    headers = {
        **(_ETAG if route.caching is Caching.REVALIDATED else {}),
        **(_LOCATION if route.located else {}),
        **(_LINK if route.paged and len(route.media_types) > 1 else {}),
    }
    return {**response, "headers": headers} if headers else response


def _problem_references(kinds: Iterable[ProblemType]) -> Json:
    by_status: dict[int, list[str]] = {}
    for kind in sorted(kinds, key=lambda kind: (kind.status, kind.name)):
        by_status.setdefault(kind.status, []).append(kind.name)
    return {str(status): _response_of(names) for status, names in by_status.items()}


def _response_of(names: Sequence[str]) -> Json:
    if len(names) == 1:
        return {"$ref": f"#/components/responses/{names[0]}"}
    return {
        "description": " or ".join(names),
        "content": {problems.MEDIA_TYPE: {"schema": _reference(Problem)}},
    }


def _problem_response(kind: ProblemType) -> Json:
    return {
        "description": kind.title,
        "content": {problems.MEDIA_TYPE: {"schema": _reference(Problem)}},
    }


def _reference(model: type[BaseModel]) -> Json:
    return {"$ref": _REFERENCE.format(model=model.__name__)}


def _schemas(routes: Sequence[Route]) -> Json:
    responses: list[type[BaseModel]] = [model for route in routes for model in route.envelope.values()]
    bodies = _distinct(route.body_model for route in routes if route.body_model)
    models: list[tuple[type[BaseModel], Literal["validation", "serialization"]]] = []
    models += [(model, "serialization") for model in _distinct([*responses, Problem])]
    models += [(model, "validation") for model in bodies]
    _, schema = models_json_schema(models, ref_template=_REFERENCE)
    definitions: Json = schema["$defs"]
    return {name: _without_titles(definition) for name, definition in definitions.items()}


def _distinct(models: Iterable[type[BaseModel]]) -> Sequence[type[BaseModel]]:
    return list(dict.fromkeys(models))


def _without_titles(definition: Json) -> Json:
    """Drop the titles, which repeat the names."""
    properties = {
        name: {key: value for key, value in schema.items() if key != "title"}
        for name, schema in definition.get("properties", {}).items()
    }
    return {**{key: value for key, value in definition.items() if key != "title"}, "properties": properties}
