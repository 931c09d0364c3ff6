"""Which web pages may read the answers."""

import pytest

from tests.postgres.api.client import ALLOWED_ORIGIN, ApiClient, out_of_reach

ORIGIN = "access-control-allow-origin"
STRANGERS = (
    "https://evil.example",
    "null",
    "*",
    "",
    "http://shop.example",
    "https://shop.example.evil.example",
    "https://SHOP.example",
)


@pytest.fixture
def client() -> ApiClient:
    return ApiClient(out_of_reach())


@pytest.mark.parametrize("path", ["/api/orders", "/api/orders/o-1", "/api/metrics/mrr", "/api/openapi.json"])
def test_a_page_of_ours_may_ask_and_learns_so_without_a_token(client: ApiClient, path: str) -> None:
    answer = client.ask(path, method="OPTIONS", by=None, headers={"Origin": ALLOWED_ORIGIN})

    assert (answer.status, answer.text) == (204, "")
    assert answer.headers[ORIGIN] == ALLOWED_ORIGIN
    assert set(answer.headers["access-control-allow-methods"].split(",")) == {"GET", "PATCH", "OPTIONS"}
    assert {"Authorization", "If-None-Match"} <= set(
        answer.headers["access-control-allow-headers"].split(",")
    )
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize("origin", STRANGERS)
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_a_page_of_strangers_is_told_nothing(client: ApiClient, origin: str, method: str) -> None:
    answer = client.ask("/api/openapi.json", method=method, headers={"origin": origin})

    assert ORIGIN not in answer.headers
    assert "access-control-expose-headers" not in answer.headers
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize(
    ("path", "status"), [("/api/openapi.json", 200), ("/api/metrics/mrr", 503), ("/api/nothing", 404)]
)
def test_a_page_of_ours_reads_answers_and_problems_alike(client: ApiClient, path: str, status: int) -> None:
    answer = client.ask(path, headers={"origin": ALLOWED_ORIGIN})

    assert answer.status == status
    assert answer.headers[ORIGIN] == ALLOWED_ORIGIN
    assert answer.headers["access-control-expose-headers"] == "ETag,Link"
    assert "access-control-allow-credentials" not in answer.headers


def test_whoever_is_no_page_is_told_nothing_of_pages(client: ApiClient) -> None:
    assert ORIGIN not in client.ask("/api/openapi.json").headers
