"""Many orders at a steady rate, named after their run so that they can be told from all others."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scripts.common.clock import Clock
from scripts.ops.context import Bus
from scripts.ops.orders.order_input import Draft, event_of, key_of
from services.shared.ledger import Key

MAX_COUNT = 1_000_000
MAX_RATE = 10_000
_MOST_AT_ONCE = 100
_SHORTEST_PAUSE = 0.001  # a remainder of a microsecond would be slept away many times over


@dataclass(slots=True)
class Sent:
    published: int = 0
    keys: list[Key] = field(default_factory=list)
    """The orders that were published, or the first of very many."""
    last: Key | None = None
    unpublished: list[Key] = field(default_factory=list)


def load_drafts(
    run: str, count: int, items: Sequence[Mapping[str, Any]], rest: Mapping[str, Any]
) -> Iterator[Draft]:
    """Name `count` orders of one item each, taking the items in turn."""
    width = len(str(count))
    turn = itertools.cycle(items)
    for number in range(1, count + 1):
        order_id = f"{run}-{number:0{width}}"
        yield Draft(order_id, {"orderId": order_id, **rest, "items": [dict(next(turn))]})


def send(  # noqa: PLR0913 - what is sent, and how
    bus: Bus,
    orders: Iterator[Draft],
    *,
    rate: float | None,
    clock: Clock,
    keep: int | None = None,
    sent: Callable[[int], object] = lambda _count: None,
) -> Sent:
    """Publish at most `rate` orders a second; None is as fast as the bus takes them.

    Remembers the first `keep` of those published; None is all of them.
    """
    result = Sent()
    started = clock.now()
    total = 0
    while True:
        size = _MOST_AT_ONCE
        if rate is not None:
            due = (clock.now() - started).total_seconds() * rate - total
            if due < 1:
                clock.sleep(max(_SHORTEST_PAUSE, (1 - due) / rate))
                continue
            size = min(size, int(due))
        chunk = list(itertools.islice(orders, size))
        if not chunk:
            return result
        publish(bus, chunk, clock, result, keep)
        total += len(chunk)
        sent(total)


def publish(bus: Bus, orders: Sequence[Draft], clock: Clock, result: Sent, keep: int | None) -> None:
    """Publish orders as given, and note for each whether the bus took it."""
    events = [event_of(draft, clock.now()) for draft in orders]
    refused = {event.event_id for event in bus.publish(events)}
    for draft, event in zip(orders, events, strict=True):
        key = key_of(draft) or Key("default", draft.label)
        if event.event_id in refused:
            result.unpublished.append(key)
            continue
        result.published += 1
        result.last = key
        if keep is None or len(result.keys) < keep:
            result.keys.append(key)
