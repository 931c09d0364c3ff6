"""What every function's bootstrap is made of: settings, clients, ledger, bus, inbox, bound together once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from services.shared.adapters.clients import CONCURRENCY, Clients
from services.shared.adapters.dynamodb_store import DynamoDBStore
from services.shared.adapters.eventbridge import EventBridgeBus
from services.shared.adapters.sqs_backlog import SqsBacklog
from services.shared.adapters.sqs_batch import Inbox, SqsPoisonQueue, SqsRedelivery
from services.shared.adapters.sqs_delayed import SqsDelayedQueue
from services.shared.adapters.telemetry import PowertoolsTelemetry
from services.shared.backoff import Deadline, redelivery_seconds
from services.shared.events import Event
from services.shared.group_commit import GroupCommit
from services.shared.messages import Handle
from services.shared.metric_names import CapacityKind, CapacityTable, Metric
from services.shared.settings import LedgerSettings, QueueSettings

T = TypeVar("T")
R = TypeVar("R")


def utc_now() -> datetime:
    return datetime.now(UTC)


class Runtime:
    """The real ports of one process, made from its environment."""

    def __init__(self, service: str) -> None:
        self.settings = LedgerSettings.from_environment()
        self.telemetry = PowertoolsTelemetry(service, self.settings.metrics_namespace)
        self._source = f"pulsequeue.{service}"
        self._clients = Clients()
        self.deadline = Deadline()
        self._pool = ThreadPoolExecutor(max_workers=CONCURRENCY)
        self.store = DynamoDBStore(
            self._clients.dynamodb(),
            inventory_table=self.settings.inventory_table,
            orders_table=self.settings.orders_table,
            spent=self._count_capacity,
        )
        self.ledger = GroupCommit(self.store, run=self.in_parallel)
        self.bus = EventBridgeBus(
            self._clients.events(),
            bus_name=self.settings.bus_name,
            source=self._source,
            run=self.in_parallel,
        )

    def _count_capacity(self, table: CapacityTable, kind: CapacityKind, units: float) -> None:
        self.telemetry.count(Metric.CAPACITY_UNITS, units, table=table, kind=kind)

    def in_parallel(self, function: Callable[[T], R], items: Iterable[T]) -> Iterable[R]:
        """Map with several calls in flight; a lone item is not worth a thread."""
        work = list(items)
        return map(function, work) if len(work) == 1 else self._pool.map(function, work)

    @contextmanager
    def invocation(self, context: Any) -> Iterator[None]:  # noqa: ANN401 - Lambda's own
        """Bind logs, metrics and the deadline to one invocation."""
        start(self.deadline, context)
        with self.telemetry.invocation(context):
            yield

    def delayed_queue(self) -> SqsDelayedQueue:
        """The function's own queue, to send to."""
        return SqsDelayedQueue(
            self._clients.sqs(), queue_url=QueueSettings.from_environment().queue_url, source=self._source
        )

    def entry(self, accepts: Sequence[type[Event]], handle: Handle) -> Callable[[Any, Any], Any]:
        """Make the function that Lambda calls."""
        return behind_queue(
            QueueSettings.from_environment(),
            self._clients,
            self.telemetry,
            accepts,
            handle,
            deadline=self.deadline,
            run=self.in_parallel,
        )


def behind_queue(  # noqa: PLR0913 - the ports of one function
    settings: QueueSettings,
    clients: Clients,
    telemetry: PowertoolsTelemetry,
    accepts: Sequence[type[Event]],
    handle: Handle,
    *,
    deadline: Deadline | None = None,
    run: Callable[..., Iterable[Any]] = map,
) -> Callable[[Any, Any], Any]:
    """Make the function that Lambda hands the messages of a queue."""
    dlq = SqsPoisonQueue(clients.sqs(), queue_url=settings.dead_letter_queue_url, consumer=settings.consumer)
    redelivery = SqsRedelivery(
        clients.sqs(),
        queue_url=settings.queue_url,
        delay=partial(redelivery_seconds, most=settings.max_retry_seconds),
    )
    backlog = (
        SqsBacklog(
            clients.sqs(), telemetry, queue_url=settings.queue_url, batch_size=settings.batch_size, run=run
        )
        if settings.batch_size
        else None
    )
    inbox = Inbox(
        settings.consumer,
        accepts,
        handle,
        dlq,
        telemetry,
        redelivery=redelivery,
        backlog=backlog,
    )

    def invoke(event: object, context: Any) -> dict[str, list[dict[str, str]]]:  # noqa: ANN401 - Lambda's own
        if deadline is not None:
            start(deadline, context)
        with telemetry.invocation(context):
            return inbox.receive(event)

    return invoke


def start(deadline: Deadline, context: Any) -> None:  # noqa: ANN401 - Lambda's own
    """Begin an invocation; without a context, as in a probe, nothing is retried."""
    if context is not None:
        deadline.start(context.get_remaining_time_in_millis() / 1_000)
