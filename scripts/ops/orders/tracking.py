"""Polls orders until each has reached a final state."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from scripts.ops.context import OpsContext
from scripts.ops.orders.order_input import OrderInput, key_of, placed
from services.order.domain import differences
from services.shared.ledger import Key, Order, Status

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 2.0


@dataclass(frozen=True, slots=True)
class TrackingResult:
    finished: dict[Key, Order] = field(default_factory=dict)
    open: dict[Key, Order | None] = field(default_factory=dict)
    """Orders that were not final at the timeout; None if the order does not exist yet."""
    different: dict[Key, tuple[str, ...]] = field(default_factory=dict)
    """Ids under which there was a different order already, and what differs in it."""

    @property
    def all_finished(self) -> bool:
        return not self.open


def settled(order: Order) -> bool:
    return order.status is not Status.RESERVED


def wait_until_known(ops: OpsContext, key: Key, timeout: timedelta) -> bool:
    """Poll until the orders table has an order; False after the timeout."""
    return track(ops, [key], timeout=timeout, is_final=lambda _order: True).all_finished


def track(
    ops: OpsContext,
    keys: Sequence[Key],
    *,
    timeout: timedelta,
    is_final: Callable[[Order], bool] = settled,
    on_poll: Callable[[int, Iterable[Order]], object] = lambda _finished, _latest: None,
) -> TrackingResult:
    """Poll until every order is final or the timeout is over; `on_poll` gets the result of each poll."""
    clock = ops.clock
    deadline = clock.now() + timeout
    done: dict[Key, Order] = {}
    waiting = list(dict.fromkeys(keys))
    pause = _FIRST_PAUSE
    while True:
        latest = dict(ops.store.read_orders(waiting))
        done |= {key: order for key, order in latest.items() if is_final(order)}
        waiting = [key for key in waiting if key not in done]
        on_poll(len(done), latest.values())
        left = (deadline - clock.now()).total_seconds()
        if not waiting or left <= 0:
            return TrackingResult(done, {key: latest.get(key) for key in waiting})
        clock.sleep(min(pause, left))
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def compare(tracked: TrackingResult, published: Iterable[OrderInput]) -> TrackingResult:
    """Set apart the orders that are not what was published under their id: that was ignored."""
    finished, still_open, different = dict(tracked.finished), dict(tracked.open), dict(tracked.different)
    for given in published:
        key, event = key_of(given), placed(given)
        if key is None or event is None:
            continue
        order = finished.get(key) or still_open.get(key)
        if order is not None and (differs := differences(event, order)):
            finished.pop(key, None)
            still_open.pop(key, None)
            different[key] = differs
    return TrackingResult(finished, still_open, different)


@dataclass(frozen=True, slots=True)
class Summary:
    """Many orders, summarized."""

    statuses: dict[str, int]
    seconds: float
    """From the first order placed to the last order settled, by the orders' own history."""
    per_second: float | None


def summarize(tracked: TrackingResult) -> Summary:
    counts = Counter(_outcome(order) for order in tracked.finished.values())
    if tracked.different:
        counts["different order"] = len(tracked.different)
    for order in tracked.open.values():
        counts[order.status.value if order else "not found"] += 1
    times: list[datetime] = []
    for order in tracked.finished.values():
        times += [order.placed_at, order.history[-1].at]
    seconds = (max(times) - min(times)).total_seconds() if times else 0.0
    rate = len(tracked.finished) / seconds if seconds > 0 else None
    return Summary(dict(sorted(counts.items())), seconds, rate)


def _outcome(order: Order) -> str:
    return f"{order.status.value} ({order.reason})" if order.reason else order.status.value
