"""Webhooks over fakes: an endpoint that answers as told, and queues in lists."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from services.webhooks.delivery import Answer, Attempts, FastLane, RetriesLane
from services.webhooks.model import Endpoint, Message, Subscription
from services.webhooks.service import EndpointSpec, Webhooks, new_secret
from services.webhooks.store import WebhookStore
from tests.support.console import MemoryConsole
from tests.support.fakes import ManualClock, RecordingTelemetry

OK = Answer(0.05, 204)


@dataclass(frozen=True)
class Posted:
    url: str
    headers: Mapping[str, str]
    body: bytes


class Subscriber:
    """Answers calls with what is next in its list, then with the last of it."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers) or [OK]
        self.posted: list[Posted] = []
        self.during: Callable[[], object] | None = None
        """What happens while the next call is made."""

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self.posted.append(Posted(url, headers, body))
        during, self.during = self.during, None
        if during:
            during()
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class MemoryQueue:
    """A queue that keeps what it accepts; `down` makes it refuse."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.delays: list[int] = []
        self.down = False

    def send(self, messages: Sequence[Message], *, delay: int = 0) -> Collection[int]:
        if self.down:
            return range(len(messages))
        self.messages += messages
        self.delays += [delay] * len(messages)
        return []


@dataclass
class Shop:
    """The organisation acme, its webhooks and both lanes."""

    clock: ManualClock = field(default_factory=ManualClock)
    table: MemoryConsole = field(default_factory=MemoryConsole)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    retries: MemoryQueue = field(default_factory=MemoryQueue)
    subscriber: Subscriber = field(default_factory=Subscriber)
    telemetry: RecordingTelemetry = field(default_factory=RecordingTelemetry)

    def __post_init__(self) -> None:
        ids = count(1)
        self.store = WebhookStore(self.table)
        self.webhooks = Webhooks(
            store=self.store,
            queue=self.queue,
            clock=self.clock,
            new_id=lambda: f"{next(ids):032x}",
            new_secret=new_secret,
        )
        attempts = Attempts(
            store=self.store,
            call=self.subscriber,
            clock=self.clock,
            telemetry=self.telemetry,
            jitter=lambda low, _high: low,
        )
        self.fast = FastLane(attempts, self.retries)
        self.slow = RetriesLane(attempts)

    def add(self, url: str = "https://shop.example/hooks", **spec: object) -> Endpoint:
        return self.webhooks.add("acme", "ann", EndpointSpec(url=url, **spec))  # type: ignore[arg-type]  # a test's own

    def message(self, endpoint: Endpoint, name: str = "msg_1") -> Message:
        return Message(
            tenant_id=endpoint.tenant_id,
            endpoint_id=endpoint.id,
            id=name,
            type="order.confirmed",
            timestamp=self.clock(),
            data={"orderId": "o-1"},
        )

    def state(self, endpoint: Endpoint) -> Subscription:
        found = self.store.subscription(endpoint.tenant_id, endpoint.id)
        assert found is not None
        return found
