"""The functions as deployed: processes that live from run to run, each behind its queue."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, cast

from botocore.exceptions import BotoCoreError, ClientError

from services.order.audit import Audit
from services.order.reconcile import GRACE
from services.order.service import OrderService
from services.payment.service import PaymentService
from services.shared.adapters.dynamodb_store import DynamoDBStore
from services.shared.adapters.eventbridge import EventBridgeBus
from services.shared.adapters.sqs_backlog import SqsBacklog
from services.shared.adapters.sqs_batch import Inbox, SqsPoisonQueue, SqsRedelivery
from services.shared.adapters.sqs_delayed import SqsDelayedQueue
from services.shared.backoff import Deadline, redelivery_seconds
from services.shared.errors import IncompleteReadError, StoreUnavailableError
from services.shared.events import (
    Event,
    OrderCancellationRequested,
    OrderCancelled,
    OrderEvent,
    OrderPlaced,
    PaymentAnswered,
    PaymentRequested,
    RefundRequested,
)
from services.shared.group_commit import GroupCommit
from services.shared.ledger import Key, Status
from services.shared.log_events import LogEvent
from services.shared.messages import Delivery, Handle
from services.shared.metric_names import Label
from tests.simulation.dynamodb import INVENTORY, ORDERS
from tests.simulation.faults import Fault
from tests.simulation.network import UnforeseenError
from tests.simulation.queues import Message
from tests.simulation.scheduler import Actor, Killed
from tests.simulation.story import label
from tests.support.builders import sqs_record

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sqs import SQSClient

    from tests.simulation.world import World

MOST_AT_ONCE = 3
RETURNS_WITHIN = 4.0
"""Two seconds and half as much again, and then some."""
BATCH = 10
AUDIT_EVERY = 3_600.0
AUDITS = 3
"""As many as it takes for one to come after the last of the usual reservations is overdue."""
MOST_AUDITS = 75
"""The same for a hold of three days."""


_CONTENTION = {LogEvent.ORDER_DEFERRED, LogEvent.RELEASE_DEFERRED, LogEvent.PAYMENT_DEFERRED}
_AUDIT_ENDS = (ClientError, BotoCoreError, StoreUnavailableError, IncompleteReadError, UnforeseenError)


class StoryTelemetry:
    """What a process logs becomes part of the story; what it did not expect is a finding."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def info(self, event: LogEvent, key: Key | None = None, **fields: object) -> None:
        actor = self._world.scheduler.actor
        if actor and event is LogEvent.REDELIVERY_FAILED:
            actor.redelivery_failed = True
        if actor and key and event not in _CONTENTION:
            actor.logged.add(key)
        if key and event in _CONTENTION:
            self._world.watch.runs.on_deferral(key, fields.get("why"))
        text = ", ".join(f"{name} {value}" for name, value in fields.items())
        orders = (label(*key),) if key else ()
        self._world.story.info(f"logs: {event.text}{f' ({text})' if text else ''}", orders)

    def warning(self, event: LogEvent, key: Key | None = None, **fields: object) -> None:
        self.info(event, key, **fields)

    def error(self, event: LogEvent, error: BaseException) -> None:
        if isinstance(error, UnforeseenError):
            self.info(event)
            self._world.watch.runs.on_lost()
            return
        self._world.watch.report("no handler fails in an unforeseen way", f"{event.text}: {error!r}")

    def count(self, metric: str, value: float = 1, **labels: str) -> None:
        self._world.watch.runs.on_count(metric, value, labels.get(Label.OUTCOME))

    def observe(self, metric: str, seconds: float) -> None:
        """Real time has no place here."""

    def gauge(self, metric: str, level: float) -> None:
        """Levels are checked in the tables."""

    def flush(self) -> None:
        self._world.watch.runs.on_flush()


@dataclass(frozen=True, slots=True)
class Function:
    """One row of the table of functions."""

    name: str
    accepts: Sequence[type[Event]]
    handle: Callable[["World", Deadline], Handle]
    timeout: float
    visibility: float


def store(world: "World") -> DynamoDBStore:
    client = cast("DynamoDBClient", world.dynamodb)
    return DynamoDBStore(client, inventory_table=INVENTORY, orders_table=ORDERS, waits=_waits(world))


def _waits(world: "World") -> Callable[[], Iterator[bool]]:
    def waits() -> Iterator[bool]:
        for span in (0.1, 0.4):
            world.scheduler.sleep(world.random.uniform(0, span))
            yield True

    return waits


def _ledger(world: "World") -> GroupCommit:
    return GroupCommit(store(world), waits=_waits(world), max_actions=world.max_actions)


def bus_of(world: "World", source: str) -> EventBridgeBus:
    client = cast("EventBridgeClient", world.eventbridge)
    return EventBridgeBus(client, bus_name="bus", source=f"pulsequeue.{source}", waits=_waits(world))


def _deadline(world: "World") -> Deadline:
    scheduler = world.scheduler
    return Deadline(clock=lambda: scheduler.now, sleep=scheduler.sleep, jitter=world.random.uniform)


def _orders(world: "World", deadline: Deadline) -> OrderService:
    return OrderService(
        _ledger(world),
        bus_of(world, "order"),
        world.telemetry,
        clock=world.scheduler.clock,
        hold=world.hold,
        long_holds=world.long_holds,
        later=SqsDelayedQueue(
            cast("SQSClient", world.sqs),
            queue_url="expiry",
            source="pulsequeue.order",
            longest=world.longest_delay,
            waits=_waits(world),
        ),
        waits=deadline.waits,
    )


def _payments(world: "World", deadline: Deadline) -> PaymentService:
    return PaymentService(
        _ledger(world),
        bus_of(world, "payment"),
        world.gateway,
        world.telemetry,
        clock=world.scheduler.clock,
        waits=deadline.waits,
        out_of_time=deadline.passed,
    )


FUNCTIONS = (
    Function("order", (OrderPlaced, OrderCancellationRequested), lambda *it: _orders(*it).handle, 30, 180),
    Function(
        "payment",
        (PaymentRequested, PaymentAnswered, OrderCancelled, RefundRequested),
        lambda *it: _payments(*it).handle,
        60,
        360,
    ),
    Function("expiry", (PaymentRequested,), lambda *it: _orders(*it).expire, 30, 185),
)


def _deferring(handle: Handle, world: "World") -> Handle:
    """Let a whole batch meet a dependency that is unavailable, before anything was done."""

    def handled(deliveries: Sequence[Delivery]) -> Collection[str]:
        # Two attempts to write an order are told apart by their time, which counts milliseconds.
        world.scheduler.sleep_until_alone()
        world.watch.runs.on_start(deliveries)
        if world.network.strikes(Fault.BATCH_DEFERRED):
            world.network.touch(
                Key(it.event.tenant_id, it.event.order_id).pk
                for it in deliveries
                if isinstance(it.event, OrderEvent)
            )
            raise StoreUnavailableError("simulated")
        return handle(deliveries)

    return handled


class AuditSchedule:
    """Runs the audit every hour, a few times; nobody repeats one that fails."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._runs = 0

    def open(self) -> None:
        self._world.scheduler.after(self._world.random.uniform(0, AUDIT_EVERY), self._start)

    def _start(self) -> None:
        self._runs += 1
        waits = any(order.status is Status.RESERVED for order in self._world.watch.orders.values())
        if self._runs < AUDITS or (waits and self._runs < MOST_AUDITS):
            self._world.scheduler.after(AUDIT_EVERY, self._start)
        self._world.scheduler.spawn(f"audit/{self._runs}", self._run)

    def _run(self) -> None:
        world, actor = self._world, cast("Actor", self._world.scheduler.actor)
        deadline = _deadline(world)
        deadline.start(900)
        audit = Audit(
            store(world),
            bus_of(world, "order"),
            _orders(world, deadline).expire,
            world.telemetry,
            _AuditClock(world),
        )
        started = world.scheduler.clock()
        try:
            audit.run()
            world.telemetry.flush()
        except Killed:
            world.story.info("is gone")
            world.watch.runs.on_lost()
        except _AUDIT_ENDS as error:
            world.story.info(f"ends: {error!r}")
            world.telemetry.flush()
            world.watch.runs.on_lost()
            if not actor.faults:
                world.watch.report("no handler fails in an unforeseen way", f"audit: {error!r}")
        else:
            if not actor.faults:
                world.watch.on_audit(started - GRACE)


class _AuditClock:
    def __init__(self, world: "World") -> None:
        self._scheduler = world.scheduler

    def now(self) -> datetime:
        return self._scheduler.clock()

    def sleep(self, seconds: float) -> None:
        self._scheduler.sleep(seconds)


class Consumer:
    """Takes batches from a queue to processes of its function, a few at once."""

    def __init__(self, function: Function, world: "World") -> None:
        self._function = function
        self._world = world
        self._queue = world.queues[function.name]
        self._queue.on_visible = self.poll
        self._idle: list[tuple[Inbox, Deadline]] = []
        self._running = 0
        self._runs = 0
        self._away_until = 0.0

    def poll(self) -> None:
        world = self._world
        if world.random.random() < 0.1 and world.network.strikes(
            Fault.AWAY, f"{self._function.name} is away"
        ):
            self._away_until = world.scheduler.now + world.random.choice((5, 120, 1_000))
        if world.scheduler.now < self._away_until and not world.fault_mix.calm:
            world.scheduler.after(self._away_until - world.scheduler.now, self.poll)
            return
        while self._running < MOST_AT_ONCE and (batch := self._queue.receive(self._world.handed_over)):
            self._start(batch)

    def _start(self, batch: Sequence[Message]) -> None:
        self._runs += 1
        self._running += 1
        self._world.scheduler.spawn(f"{self._function.name}/{self._runs}", lambda: self._run(batch))

    def _run(self, batch: Sequence[Message]) -> None:
        story = self._world.story
        story.info(
            f"starts on {', '.join(message.id for message in batch)}",
            tuple(dict.fromkeys(name for message in batch for name in message.about)),
        )
        try:
            self._work(batch)
        except Killed:
            story.info("is gone")
            self._world.watch.runs.on_lost()
        self._running -= 1
        self.poll()

    def _work(self, batch: Sequence[Message]) -> None:
        network = self._world.network
        process = self._idle.pop() if self._idle else self._process()
        inbox, deadline = process
        records = [sqs_record(message.id, message.body, receives=message.receives) for message in batch]
        for record, message in zip(records, batch, strict=True):
            record["receiptHandle"] = message.receipt
        deadline.start(self._function.timeout)
        response = inbox.receive({"Records": records})
        self._world.telemetry.flush()
        failed = {failure["itemIdentifier"] for failure in response["batchItemFailures"]}
        actor = cast("Actor", self._world.scheduler.actor)
        kept = {message.id for message in actor.taken} - actor.done
        self._world.watch.on_answer([*batch, *actor.taken], failed | kept)
        if actor.spared:
            # Lambda would have ended it: nobody hears its answer, and its messages come again.
            self._world.story.info("is over its time")
            return
        for message in batch:
            if message.id in failed:
                self._world.story.info(f"hands {message.id} back", message.about)
                self._check_return(message, actor)
            elif not network.strikes(Fault.DELETION_LOST, f"{message.id} is not deleted", message.about):
                self._queue.delete([message.id])
        if not network.strikes(Fault.COLD_START):
            self._idle.append(process)

    def _check_return(self, message: Message, actor: "Actor") -> None:
        """What failed the first time returns within seconds, unless its queue could not be told."""
        away = message.visible_at - self._world.scheduler.now
        if message.receives == 1 and away > RETURNS_WITHIN and not actor.redelivery_failed:
            self._world.watch.report(
                "what failed comes again within seconds", f"{message.id} in {away:.0f} s"
            )

    def _process(self) -> tuple[Inbox, Deadline]:
        """Start a process: it remembers nothing of those before it."""
        world, function = self._world, self._function
        sqs = cast("SQSClient", world.sqs)
        dlq = SqsPoisonQueue(sqs, queue_url=function.name, consumer=function.name)
        deadline = _deadline(world)
        inbox = Inbox(
            function.name,
            function.accepts,
            _deferring(function.handle(world, deadline), world),
            dlq,
            world.telemetry,
            redelivery=SqsRedelivery(
                sqs,
                queue_url=function.name,
                delay=partial(redelivery_seconds, jitter=world.random.uniform),
            ),
            backlog=SqsBacklog(
                sqs, world.telemetry, queue_url=function.name, batch_size=BATCH, at_once=world.handed_over
            ),
        )
        return inbox, deadline
