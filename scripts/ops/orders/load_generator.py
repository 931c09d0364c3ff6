"""Generates orders at a steady rate; their ids begin with the id of the run."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from scripts.common.clock import Clock
from scripts.ops.context import Bus
from scripts.ops.orders.order_input import OrderInput, key_of, to_event
from services.shared.ledger import Key

MAX_COUNT = 1_000_000
MAX_RATE = 10_000
_BATCH_SIZE = 100
_SHORTEST_PAUSE = 0.001  # sleeping a microsecond at a time would spin


@dataclass(slots=True)
class SendResult:
    published: int = 0
    keys: list[Key] = field(default_factory=list)
    """The published orders, or the first `keep` of them."""
    last: Key | None = None
    unpublished: list[Key] = field(default_factory=list)
    interrupted: bool = False
    """Whether Ctrl-C ended it before the last order."""
    failure: Exception | None = None
    """What ended it before the last order, other than Ctrl-C."""
    given_up: bool = False
    """Whether it ended because the bus accepted nothing of a batch, in several tries."""
    unanswered: int = 0
    """Orders of the batch that was being sent: they may or may not have been accepted."""


def generate_orders(
    run: str, count: int, items: Sequence[Mapping[str, Any]], rest: Mapping[str, Any]
) -> Iterator[OrderInput]:
    """Generate `count` orders of one item each, taking the items in turn."""
    width = len(str(count))
    turn = itertools.cycle(items)
    for number in range(1, count + 1):
        order_id = f"{run}-{number:0{width}}"
        yield OrderInput(order_id, {"orderId": order_id, **rest, "items": [dict(next(turn))]})


def send(  # noqa: PLR0913 - the orders and how to send them
    bus: Bus,
    orders: Iterator[OrderInput],
    *,
    rate: float | None,
    clock: Clock,
    keep: int | None = None,
    on_sent: Callable[[int], object] = lambda _count: None,
) -> SendResult:
    """Publish at most `rate` orders a second (None: no limit); return the first `keep` keys (None: all)."""
    result = SendResult()
    try:
        _send_all(bus, orders, result, rate=rate, clock=clock, keep=keep, on_sent=on_sent)
    except KeyboardInterrupt:
        result.interrupted = True
    except (BotoCoreError, ClientError) as error:
        result.failure = error
    return result


def _send_all(  # noqa: PLR0913 - as `send`
    bus: Bus,
    orders: Iterator[OrderInput],
    result: SendResult,
    *,
    rate: float | None,
    clock: Clock,
    keep: int | None,
    on_sent: Callable[[int], object],
) -> None:
    started = clock.now()
    total = 0
    while True:
        size = _BATCH_SIZE
        if rate is not None:
            due = (clock.now() - started).total_seconds() * rate - total
            if due < 1:
                clock.sleep(max(_SHORTEST_PAUSE, (1 - due) / rate))
                continue
            size = min(size, int(due))
        chunk = list(itertools.islice(orders, size))
        if not chunk:
            return
        published = result.published
        publish(bus, chunk, clock, result, keep)
        total += len(chunk)
        if result.published == published:
            result.given_up = True
            return
        on_sent(total)


def publish(
    bus: Bus, orders: Sequence[OrderInput], clock: Clock, result: SendResult, keep: int | None
) -> None:
    """Publish orders as they are, and record for each whether the bus accepted it."""
    events = [to_event(order, clock.now()) for order in orders]
    result.unanswered = len(events)
    refused = {event.event_id for event in bus.publish(events)}
    for order, event in zip(orders, events, strict=True):
        key = key_of(order) or Key("default", order.label)
        if event.event_id in refused:
            result.unpublished.append(key)
        else:
            result.published += 1
            result.last = key
            if keep is None or len(result.keys) < keep:
                result.keys.append(key)
        # Last: an interrupt in between must not lose an order from the upper bound.
        result.unanswered -= 1
