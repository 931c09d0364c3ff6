"""An API function: routing, CORS, problem documents, the headers of every response and the request log line.

Powertools routes and answers preflights; parameters are parsed by our own models, and the OpenAPI document is
generated from the same routes (docs/adr/0012-powertools-routing-own-validation.md).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeVar

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, CORSConfig, Response

from services.shared.errors import TransientError
from services.shared.http import params, problems
from services.shared.http.caching import etag, matches
from services.shared.http.identity import caller_of
from services.shared.http.problems import ProblemError
from services.shared.http.request import Request
from services.shared.http.responses import ResponseModel
from services.shared.http.routes import JSON_MEDIA_TYPE, Route
from services.shared.log_events import LogEvent
from services.shared.telemetry import Telemetry

_HEADERS: Final = {"vary": "Accept, Authorization, Origin", "x-content-type-options": "nosniff"}

R = TypeVar("R", bound=Route)


@dataclass(kw_only=True)
class HttpApi(Generic[R]):
    """Answers the events of an HTTP API from a table of routes."""

    routes: Sequence[R]
    handle: Callable[[R, Request, Mapping[str, str]], Response[str]]
    """Answers a request, given its route and path parameters."""
    document_path: str
    """Where the OpenAPI document is, whoever serves it."""
    document_text: Callable[[], str] | None = None
    """Called on the first request for the OpenAPI document; None where another function serves it."""
    allowed_origins: Sequence[str]
    unavailable: tuple[type[Exception], ...] = ()
    """Errors that mean "retry later", beside TransientError."""
    clock: Callable[[], datetime]
    telemetry: Telemetry

    def __post_init__(self) -> None:
        self._resolver = APIGatewayHttpResolver(cors=_cors(self.allowed_origins))
        for route in self.routes:
            self._resolver.route(route.router_rule, route.method)(self._endpoint(route))
        if self.document_text is not None:
            self._resolver.get(self.document_path)(self._document)
        self._resolver.not_found(lambda _: self.on_refused(self._not_found_or_wrong_method()))
        self._resolver.exception_handler(ProblemError)(self.on_refused)
        transient: tuple[type[Exception], ...] = (TransientError, *self.unavailable)
        for error in transient:
            self._resolver.exception_handler(error)(self.on_unavailable)
        self._resolver.exception_handler(Exception)(self.on_error)

    def __call__(self, event: Mapping[str, Any], context: object) -> dict[str, Any]:
        response = self._resolver.resolve(dict(event), context)  # type: ignore[arg-type]
        self.telemetry.info(
            LogEvent.REQUEST_SERVED,
            path=self._request.path,
            status=response["statusCode"],
            request_id=self._request.request_id,
        )
        headers = {name.lower(): value for name, value in response["headers"].items()}
        return {**response, "body": response.get("body") or "", "headers": {**headers, **_HEADERS}}

    def on_refused(self, error: ProblemError) -> Response[str]:
        return Response(
            error.problem_type.status,
            problems.MEDIA_TYPE,
            json.dumps(error.problem(self._request.instance).model_dump(mode="json", exclude_none=True)),
            {"cache-control": "no-store", **error.headers},
        )

    def on_unavailable(self, error: Exception) -> Response[str]:
        self.telemetry.warning(
            LogEvent.REQUEST_UNAVAILABLE, why=str(error), request_id=self._request.request_id
        )
        return self.on_refused(problems.unavailable())

    def on_error(self, error: Exception) -> Response[str]:
        """Log the error; the caller learns nothing of what is inside."""
        self.telemetry.error(LogEvent.REQUEST_FAILED, error)
        return self.on_refused(problems.unexpected())

    @property
    def _request(self) -> Request:
        return Request.of(self._resolver.current_event)

    def _endpoint(self, route: R) -> Callable[[], Response[str]]:
        def endpoint() -> Response[str]:
            request = self._request
            path_params = route.match(request.path)
            if path_params is None:  # the router is less strict: it accepts a line break after the path
                raise self._not_found()
            return self.handle(route, request, path_params)

        return endpoint

    def _document(self) -> Response[str]:
        """Serve the OpenAPI document to any signed-in user."""
        request = self._request
        caller_of(request.claims, self.clock().astimezone(UTC))
        params.parse(params.NoParams, request.query)
        text = self.document_text() if self.document_text else ""
        tag = etag(text)
        headers = {"cache-control": "private, max-age=300", "etag": tag}
        if matches(request.headers.get("if-none-match"), tag):
            return Response(304, headers=headers)
        return Response(200, JSON_MEDIA_TYPE, text, headers)

    def _not_found_or_wrong_method(self) -> ProblemError:
        request = self._request
        methods = {route.method for route in self.routes if route.match(request.path) is not None}
        if request.path == self.document_path and self.document_text is not None:
            methods.add("GET")
        allowed = [*sorted(methods), "OPTIONS"]
        if methods and request.method not in allowed:
            return problems.wrong_method(", ".join(allowed))
        return self._not_found()

    def _not_found(self) -> ProblemError:
        return problems.not_found(f"See {self.document_path} for the available paths.")


def answer(route: Route, data: ResponseModel, headers: Mapping[str, str] | None = None) -> Response[str]:
    """Answer with data, as the route says."""
    body = json.dumps({"data": data.model_dump(mode="json")})
    return Response(
        route.status, JSON_MEDIA_TYPE, body, {"cache-control": route.caching.value, **(headers or {})}
    )


def _cors(allowed_origins: Sequence[str]) -> CORSConfig | None:
    """Let pages of these origins read the responses, and no others."""
    if not allowed_origins:
        return None
    first, *others = allowed_origins
    return CORSConfig(
        first, others, allow_headers=["If-None-Match"], expose_headers=["ETag", "Link"], max_age=600
    )
