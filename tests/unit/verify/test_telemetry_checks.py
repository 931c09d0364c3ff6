"""How the verification handles HTTP responses, and when it takes a new rule to be active."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest

from scripts.common.clock import Clock
from scripts.environment.environment import Clients, Environment
from scripts.environment.topology import Topology
from scripts.verify.bus_probe import PROBES_PER_ROUND, BusProbe
from scripts.verify.checks import CheckFailedError, CheckSkippedError, Poller
from scripts.verify.endpoints import Endpoints
from scripts.verify.scenarios import Scenarios
from scripts.verify.telemetry_checks import AnalyticsChecks
from tests.support.fakes import ManualClock

NO_ORDERS = Scenarios("r42", ())


@contextmanager
def server_returning(*statuses: int) -> Iterator[str]:
    """Serve these statuses in turn, the last of them for ever."""
    remaining = list(statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(remaining.pop(0) if len(remaining) > 1 else remaining[0])
            self.end_headers()
            self.wfile.write(b'{"message": "as it is"}')

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@dataclass
class FakeBus(Clients):
    """A bus that delivers only so many events of each round to the queue."""

    delivered: Sequence[int]
    queue: list[dict[str, str]] = field(default_factory=list)

    def _client(self, service: Any) -> Any:  # noqa: ANN401 - both that are needed
        assert service in {"events", "sqs"}
        return self

    def put_events(self, Entries: Sequence[dict[str, str]]) -> None:  # noqa: N803 - AWS's
        count, *self.delivered = self.delivered
        self.queue += [
            {"Body": json.dumps({"detail-type": it["DetailType"], "detail": json.loads(it["Detail"])})}
            | {"ReceiptHandle": "r"}
            for it in Entries[:count]
        ]

    def get_queue_url(self, **_: object) -> dict[str, str]:
        return {"QueueUrl": "queue"}

    def receive_message(self, **_: object) -> dict[str, Any]:
        received, self.queue = self.queue, []
        return {"Messages": received}

    def delete_message_batch(self, **_: object) -> None: ...


@pytest.fixture
def poller() -> Poller:
    clock = ManualClock()
    return Poller(Clock(clock, lambda seconds: clock.advance(timedelta(seconds=seconds))), 10, 1)


def check_without_token(url: str, poller: Poller) -> None:
    environment = Environment("dev", Topology.load(), Clients(boto3.Session(region_name="us-east-1")))

    def no_metrics() -> Any:  # noqa: ANN401 - never called
        raise AssertionError

    AnalyticsChecks(environment, Endpoints(no_metrics, lambda: url, None), poller).orders_are_returned(
        NO_ORDERS
    )


@pytest.mark.parametrize("busy", [429, 502, 503])
def test_a_temporary_error_is_retried(poller: Poller, busy: int) -> None:
    with (
        server_returning(busy, busy, 401) as url,
        pytest.raises(CheckSkippedError, match="a token is required"),
    ):
        check_without_token(url, poller)


def test_a_lasting_error_fails_with_the_response(poller: Poller) -> None:
    with server_returning(503) as url, pytest.raises(CheckFailedError, match=r"returns 503: .*as it is"):
        check_without_token(url, poller)


def test_an_api_that_requires_no_token_fails_at_once(poller: Poller) -> None:
    started = poller.clock.now()

    with server_returning(200) as url, pytest.raises(CheckFailedError, match="returns 200 without a token"):
        check_without_token(url, poller)

    assert poller.clock.now() == started


def test_a_rule_is_active_when_all_events_of_one_round_arrived() -> None:
    bus = FakeBus([0, 3, PROBES_PER_ROUND - 1, PROBES_PER_ROUND])
    bus_probe = BusProbe(Environment("dev", Topology.load(), bus), "r42", [])

    assert [bus_probe.probe() for _ in range(4)] == [False, False, False, True]
