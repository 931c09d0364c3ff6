"""Checks that pages of the allowed origins can call the API: their preflight requests need no token."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from scripts.verify.checks import CheckSkippedError, listed
from scripts.verify.endpoints import http_request

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scripts.environment.environment import Environment
    from scripts.verify.checks import Poller
    from scripts.verify.endpoints import Endpoints, HttpResponse

_REQUEST_HEADER: Final = "authorization"
_RETRY_SECONDS: Final = 30.0
_SUCCESS: Final = frozenset({200, 204})


class BrowserChecks:
    def __init__(self, environment: Environment, endpoints: Endpoints, poller: Poller) -> None:
        self._environment = environment
        self._endpoints = endpoints
        self._poller = replace(poller, timeout=min(poller.timeout, _RETRY_SECONDS))

    def preflights_need_no_token(self) -> str:
        """Send what a browser sends before a request with a token, for each route and origin."""
        origins = self._allowed_origins()
        if not origins:
            raise CheckSkippedError(
                "no page of another origin may call the API; set web_origins to allow one"
            )
        requests = [(route, origin) for route in self._routes() for origin in origins]
        url = self._endpoints.api()
        self._poller.until_no_problems(
            lambda: [it for route, origin in requests if (it := _problem(url, route, origin))], listed
        )
        return f"{len(requests)} preflights answered, for {listed(origins)}"

    def _routes(self) -> Iterator[str]:
        for endpoint in self._environment.topology.endpoints.values():
            if endpoint.callers == "users":
                yield from endpoint.routes

    def _allowed_origins(self) -> Sequence[str]:
        gateway, name = self._environment.client("apigatewayv2"), self._environment.names.api
        pages = gateway.get_paginator("get_apis").paginate()
        (api,) = [it for page in pages for it in page["Items"] if it["Name"] == name]
        return api.get("CorsConfiguration", {}).get("AllowOrigins", [])


def _problem(url: str, route: str, origin: str) -> str | None:
    method, _, path = route.partition(" ")
    example = url + path.replace("{proxy+}", "preflight").replace("{", "").replace("}", "")
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": _REQUEST_HEADER,
    }
    response = http_request("OPTIONS", example, headers)
    if response.status not in _SUCCESS:
        return f"OPTIONS {example} from {origin} returns {response.status}, expected 200 or 204"
    missing = [
        name for name, value in _expected(origin, method).items() if value not in _values(response, name)
    ]
    return f"OPTIONS {example} from {origin} is answered without {listed(missing)}" if missing else None


def _expected(origin: str, method: str) -> dict[str, str]:
    return {
        "access-control-allow-origin": origin.lower(),
        "access-control-allow-methods": method.lower(),
        "access-control-allow-headers": _REQUEST_HEADER,
    }


def _values(response: HttpResponse, name: str) -> set[str]:
    return {value.strip().lower() for value in response.headers.get(name, "").split(",")}
