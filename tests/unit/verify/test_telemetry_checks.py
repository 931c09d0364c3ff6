"""How the verification takes what the API answers, and when it takes a new rule to be known."""

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
from scripts.verify.bus_probe import PROBES, Listening
from scripts.verify.checks import BrokenLinkError, LeftOutError, Patience
from scripts.verify.endpoints import Doors
from scripts.verify.scenarios import Scenarios
from scripts.verify.telemetry_checks import Analytics
from tests.support.fakes import ManualClock

NO_ORDERS = Scenarios("r42", ())


@contextmanager
def answering(*statuses: int) -> Iterator[str]:
    """Serve these answers, the last of them for ever."""
    left = list(statuses)

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(left.pop(0) if len(left) > 1 else left[0])
            self.end_headers()
            self.wfile.write(b'{"message": "as it is"}')

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@dataclass
class FakeBus(Clients):
    """A bus of which a rule and its queue hear as many events at a time as is said."""

    hears: Sequence[int]
    queue: list[dict[str, str]] = field(default_factory=list)

    def _client(self, service: Any) -> Any:  # noqa: ANN401 - both that are needed
        assert service in {"events", "sqs"}
        return self

    def put_events(self, Entries: Sequence[dict[str, str]]) -> None:  # noqa: N803 - AWS's
        now, *self.hears = self.hears
        self.queue += [
            {"Body": json.dumps({"detail-type": it["DetailType"], "detail": json.loads(it["Detail"])})}
            | {"ReceiptHandle": "r"}
            for it in Entries[:now]
        ]

    def get_queue_url(self, **_: object) -> dict[str, str]:
        return {"QueueUrl": "queue"}

    def receive_message(self, **_: object) -> dict[str, Any]:
        received, self.queue = self.queue, []
        return {"Messages": received}

    def delete_message_batch(self, **_: object) -> None: ...


@pytest.fixture
def patience() -> Patience:
    clock = ManualClock()
    return Patience(Clock(clock, lambda seconds: clock.advance(timedelta(seconds=seconds))), 10, 1)


def ask_as_nobody(url: str, patience: Patience) -> None:
    environment = Environment("dev", Topology.load(), Clients(boto3.Session(region_name="us-east-1")))

    def no_metrics() -> Any:  # noqa: ANN401 - never answers
        raise AssertionError

    Analytics(environment, Doors(no_metrics, lambda: url, None), patience).tells(NO_ORDERS)


@pytest.mark.parametrize("busy", [429, 502, 503])
def test_who_is_busy_for_a_moment_is_asked_again(patience: Patience, busy: int) -> None:
    with answering(busy, busy, 401) as url, pytest.raises(LeftOutError, match="it refuses strangers"):
        ask_as_nobody(url, patience)


def test_who_stays_busy_is_broken_with_the_answer(patience: Patience) -> None:
    with answering(503) as url, pytest.raises(BrokenLinkError, match=r"answers 503: .*as it is"):
        ask_as_nobody(url, patience)


def test_who_lets_a_stranger_in_is_broken_at_once(patience: Patience) -> None:
    began = patience.clock.now()

    with answering(200) as url, pytest.raises(BrokenLinkError, match="answers 200 to whoever has no token"):
        ask_as_nobody(url, patience)

    assert patience.clock.now() == began


def test_a_rule_is_known_when_all_events_of_one_time_came_through_it() -> None:
    bus = FakeBus([0, 3, PROBES - 1, PROBES])
    listening = Listening(Environment("dev", Topology.load(), bus), "r42", [])

    assert [listening.probe() for _ in range(4)] == [False, False, False, True]
