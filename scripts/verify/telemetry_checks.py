"""Checks the metrics page that Prometheus scrapes, and the orders that the analytics API returns."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from scripts.ops import metrics_page
from scripts.verify.checks import CheckFailedError, CheckSkippedError, listed
from scripts.verify.endpoints import http_get

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scripts.environment.environment import Environment
    from scripts.verify.checks import Poller
    from scripts.verify.endpoints import Endpoints, HttpResponse
    from scripts.verify.scenarios import MetricKey, Scenario, Scenarios

_COLLECTOR: Final = "collector"
_OK: Final = 200
_UNAUTHORIZED: Final = frozenset({401, 403})
_RETRYABLE: Final = frozenset({429, 500, 502, 503, 504})
_RETRY_SECONDS: Final = 30.0


def _require_token(poller: Poller, url: str) -> None:
    response = _get(poller, url, None)
    if response.status not in _UNAUTHORIZED:
        raise CheckFailedError(f"{url} returns {response.status} without a token, expected 401 or 403")


def _get(poller: Poller, url: str, bearer: str | None) -> HttpResponse:
    """Send a GET request; retry for a while what is overloaded or still starting."""
    retries = replace(poller, timeout=min(poller.timeout, _RETRY_SECONDS))
    last = ""

    def probe() -> HttpResponse | None:
        nonlocal last
        response = http_get(url, bearer)
        last = _describe_response(url, response)
        return None if response.status in _RETRYABLE else response

    return retries.until(probe, lambda: last)


def _describe_response(url: str, response: HttpResponse) -> str:
    return f"{url} returns {response.status}: {' '.join(str(response.body).split())}"


class MetricsChecks:
    def __init__(self, environment: Environment, endpoints: Endpoints, poller: Poller) -> None:
        self._environment = environment
        self._endpoints = endpoints
        self._poller = poller
        self._before: Mapping[MetricKey, float] = {}

    def page_is_served(self) -> str:
        """Collect the metrics, check that the page requires its token, and remember the counters."""
        self._collect()
        page = self._endpoints.metrics()
        _require_token(self._poller, page.url)
        self._before = self._counters()
        return f"{len(self._before)} counters at {page.url}"

    def counters_increased(self, expected: Mapping[MetricKey, float]) -> str:
        """Wait until each counter has increased by at least so much."""

        def problems() -> list[str]:
            self._collect()
            now = self._counters()
            return [
                f"{_describe_counter(counter)} increased by {increase:g}, expected {minimum:g}"
                for counter, minimum in expected.items()
                if (increase := now.get(counter, 0) - self._before.get(counter, 0)) < minimum
            ]

        self._poller.until_no_problems(problems, listed)
        return f"{len(expected)} counters increased"

    def _counters(self) -> Mapping[MetricKey, float]:
        page = self._endpoints.metrics()
        response = _get(self._poller, page.url, page.token)
        if response.status != _OK:
            raise CheckFailedError(_describe_response(page.url, response))
        return {
            (it.name, tuple(sorted(it.labels.items()))): it.value
            for it in metrics_page.samples(response.body, "_total")
        }

    def _collect(self) -> None:
        """Invoke the collector now instead of waiting for its schedule."""
        client, name = self._environment.client("lambda"), self._environment.names.function(_COLLECTOR)
        try:
            response = client.invoke(FunctionName=name)
        except client.exceptions.TooManyRequestsException:
            return  # it is running at this moment
        if "FunctionError" in response:
            raise CheckFailedError(f"function {name} failed: {_error_message(response['Payload'].read())}")


def _describe_counter(counter: MetricKey) -> str:
    name, labels = counter
    return f"{name}{{{', '.join(f'{label}={value}' for label, value in labels)}}}"


def _error_message(payload: bytes) -> str:
    try:
        failure: Any = json.loads(payload)
    except ValueError:
        return payload.decode("utf-8", "replace")[:200]
    return str(failure.get("errorMessage", failure)) if isinstance(failure, dict) else str(failure)


class AnalyticsChecks:
    def __init__(self, environment: Environment, endpoints: Endpoints, poller: Poller) -> None:
        self._environment = environment
        self._endpoints = endpoints
        self._poller = poller

    def orders_are_returned(self, scenarios: Scenarios) -> str:
        """Wait until the analytics API returns every order as it is in the tables."""
        if "analytics" not in self._environment.topology.functions:
            raise CheckSkippedError("this environment has no analytics")
        url = self._endpoints.api()
        _require_token(self._poller, f"{url}/api/orders")
        if self._endpoints.token is None:
            raise CheckSkippedError(
                "a token is required, as it must be; pass --user and set PULSEQUEUE_PASSWORD to check orders"
            )
        token = self._endpoints.token()
        pending = list(scenarios.readable)

        def problems() -> list[str]:
            responses = [(it, http_get(f"{url}/api/orders/{it.order_id}", token)) for it in pending]
            found = {it: problem for it, response in responses if (problem := _problem(it, response))}
            pending[:] = found
            return [f"{it.order_id} {problem}" for it, problem in found.items()]

        self._poller.until_no_problems(problems, listed)
        return f"{len(scenarios.readable)} orders returned, each with its timeline"


def _problem(scenario: Scenario, response: HttpResponse) -> str | None:
    """Compare an order as the API returns it with what the scenario expects."""
    if response.status != _OK:
        detail = response.body.get("detail", "") if isinstance(response.body, dict) else ""
        return f"is returned with {response.status}: {detail}"
    order = response.body["data"]
    if order["status"] != scenario.status:
        return f"is returned as {order['status']}, expected {scenario.status}"
    timeline: Sequence[Mapping[str, Any]] = order["timeline"]
    missing = sorted(scenario.events - {it["event"] for it in timeline})
    return f"is returned without {listed(missing)}" if missing else None
