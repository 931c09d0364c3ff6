"""The preflight check, against a gateway that routes as API Gateway does: ANY catches preflights."""

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from scripts.common.clock import Clock
from scripts.environment.environment import Clients, Environment
from scripts.environment.topology import Endpoint, Topology
from scripts.verify.browser_checks import BrowserChecks
from scripts.verify.checks import CheckFailedError, CheckSkippedError, Poller
from scripts.verify.endpoints import Endpoints
from tests.support.fakes import ManualClock

ORIGIN = "https://console.test"


class GatewayClients(Clients):
    """The HTTP API as API Gateway describes it."""

    def __init__(self, origins: Sequence[str]) -> None:
        self._origins = origins

    def _client(self, service: Any) -> Any:  # noqa: ANN401 - the only one needed
        assert service == "apigatewayv2"
        return self

    def get_paginator(self, operation: str) -> Any:  # noqa: ANN401 - likewise
        assert operation == "get_apis"
        return self

    def paginate(self) -> list[dict[str, Any]]:
        api = {"Name": "dev-pulsequeue", "CorsConfiguration": {"AllowOrigins": [*self._origins]}}
        return [{"Items": [{"Name": "another"}, api]}]


@contextmanager
def gateway(
    routes: Sequence[str], *, origins: Sequence[str] = (ORIGIN,), methods: str = "GET,POST,PUT,PATCH,DELETE"
) -> Iterator[str]:
    """Serve OPTIONS as an HTTP API does whose routes all have a JWT authorizer.

    A route that takes OPTIONS is served before the CORS configuration, so its authorizer asks for a token.
    """
    patterns = [
        re.compile(re.sub(r"{[a-zA-Z]+\\\+}", ".+", re.escape(path).replace(r"\{", "{").replace(r"\}", "}")))
        for method, path in (route.split(" ") for route in routes)
        if method in {"ANY", "OPTIONS"}
    ]

    class Handler(BaseHTTPRequestHandler):
        def do_OPTIONS(self) -> None:
            if any(it.fullmatch(self.path) for it in patterns):
                self.send_response(401)
            else:
                self.send_response(204)
                if self.headers["Origin"] in origins:
                    self.send_header("Access-Control-Allow-Origin", self.headers["Origin"])
                    self.send_header("Access-Control-Allow-Methods", methods)
                    self.send_header("Access-Control-Allow-Headers", "authorization,content-type")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def topology_with(routes: Sequence[str]) -> Topology:
    """Return a topology of one endpoint with these routes, unchecked: an earlier stack may have any."""
    topology = Topology.load()
    spec = topology.endpoints["analytics"].model_copy(update={"routes": tuple(routes)})
    return topology.model_copy(update={"functions": {"analytics": spec}})


def check(url: str, topology: Topology, origins: Sequence[str] = (ORIGIN,)) -> str:
    def no_metrics() -> Any:  # noqa: ANN401 - never called
        raise AssertionError

    manual = ManualClock()
    poller = Poller(Clock(manual, lambda seconds: manual.advance(timedelta(seconds=seconds))), 10, 1)
    environment = Environment("dev", topology, GatewayClients(origins))
    return BrowserChecks(
        environment, Endpoints(no_metrics, lambda: url, None), poller
    ).preflights_need_no_token()


def test_every_route_of_the_table_passes() -> None:
    topology = Topology.load()
    endpoints: Sequence[Endpoint] = [*topology.endpoints.values()]
    routes = [route for it in endpoints if it.callers == "users" for route in it.routes]

    with gateway(routes) as url:
        summary = check(url, topology)

    assert summary == f"{len(routes)} preflights answered, for {ORIGIN}"


def test_a_route_that_catches_preflights_fails_with_its_status() -> None:
    routes = ["ANY /api/{proxy+}"]

    with (
        gateway(routes) as url,
        pytest.raises(CheckFailedError, match=rf"OPTIONS {url}/api/preflight from {ORIGIN} returns 401"),
    ):
        check(url, topology_with(routes))


def test_a_preflight_without_the_method_of_its_route_fails() -> None:
    with (
        gateway([], methods="GET") as url,
        pytest.raises(CheckFailedError, match=r"/api/orders .* without access-control-allow-methods$"),
    ):
        check(url, topology_with(["GET /api/orders", "POST /api/orders"]))


def test_an_origin_that_the_gateway_does_not_know_fails() -> None:
    with (
        gateway([], origins=[]) as url,
        pytest.raises(CheckFailedError, match="without access-control-allow-origin, access-control-allow-me"),
    ):
        check(url, topology_with(["GET /api/orders"]))


def test_without_allowed_origins_there_is_nothing_to_check() -> None:
    with pytest.raises(CheckSkippedError, match="set web_origins"):
        check("http://127.0.0.1:9", Topology.load(), origins=[])
