"""A client of Prometheus's HTTP API; an error response raises."""

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

Labels = frozenset[tuple[str, str]]

_ADDED = {"__name__", "instance", "job", "environment"}


@dataclass(frozen=True, slots=True)
class Api:
    url: str

    def value(self, query: str, at: float | None = None) -> float:
        """Return the single value of a query."""
        results = self.instant(query, at)
        assert len(results) == 1, f"{query} gives {len(results)} results"
        return next(iter(results.values()))

    def instant(self, query: str, at: float | None = None) -> dict[Labels, float]:
        """Evaluate an instant query; values by the series' scraped labels."""
        params = {"query": query} | ({"time": f"{at:.3f}"} if at else {})
        answer = self.get("query", **params)
        if answer["resultType"] == "scalar":
            return {frozenset(): float(answer["result"][1])}
        return {_own(it["metric"]): float(it["value"][1]) for it in answer["result"]}

    def series(self, query: str, start: float, end: float, step: float = 5) -> list[list[float]]:
        """Return the values of each series over a span of time."""
        answer = self.get("query_range", query=query, start=f"{start:.3f}", end=f"{end:.3f}", step=str(step))
        return [[float(value) for _, value in it["values"]] for it in answer["result"]]

    def get(self, path: str, **parameters: str) -> Any:  # noqa: ANN401 - JSON
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - http to ourselves
                response = json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from error
        assert response["status"] == "success", response
        assert not response.get("warnings"), response["warnings"]
        return response["data"]


def _own(labels: dict[str, str]) -> Labels:
    return frozenset((name, value) for name, value in labels.items() if name not in _ADDED)
