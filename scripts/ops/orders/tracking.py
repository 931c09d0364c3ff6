"""What became of the orders: looked up again and again until each has come to its end."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from scripts.ops.context import OpsContext
from services.shared.ledger import Key, Order, Status

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 2.0


@dataclass(frozen=True, slots=True)
class Followed:
    ended: dict[Key, Order] = field(default_factory=dict)
    open: dict[Key, Order | None] = field(default_factory=dict)
    """What was still under way when the time was up; None where there is no such order yet."""

    @property
    def all_ended(self) -> bool:
        return not self.open


def settled(order: Order) -> bool:
    return order.status is not Status.RESERVED


def follow(
    ops: OpsContext,
    keys: Sequence[Key],
    *,
    timeout: timedelta,
    ended: Callable[[Order], bool] = settled,
    seen: Callable[[int, Iterable[Order]], object] = lambda _ended, _latest: None,
) -> Followed:
    """Look until every order has ended or the time is up; `seen` hears of each look."""
    clock = ops.clock
    deadline = clock.now() + timeout
    done: dict[Key, Order] = {}
    waiting = list(dict.fromkeys(keys))
    pause = _FIRST_PAUSE
    while True:
        latest = dict(ops.store.read_orders(waiting))
        done |= {key: order for key, order in latest.items() if ended(order)}
        waiting = [key for key in waiting if key not in done]
        seen(len(done), latest.values())
        left = (deadline - clock.now()).total_seconds()
        if not waiting or left <= 0:
            return Followed(done, {key: latest.get(key) for key in waiting})
        clock.sleep(min(pause, left))
        pause = min(pause * 1.5, _LONGEST_PAUSE)


@dataclass(frozen=True, slots=True)
class Summary:
    """Many orders in a few numbers."""

    statuses: dict[str, int]
    seconds: float
    """From the first order's placing to the last one's end, by the orders' own history."""
    per_second: float | None


def summarize(followed: Followed) -> Summary:
    counts = Counter(_outcome(order) for order in followed.ended.values())
    for order in followed.open.values():
        counts[order.status.value if order else "not seen"] += 1
    moments: list[datetime] = []
    for order in followed.ended.values():
        moments += [order.placed_at, order.history[-1].at]
    seconds = (max(moments) - min(moments)).total_seconds() if moments else 0.0
    rate = len(followed.ended) / seconds if seconds > 0 else None
    return Summary(dict(sorted(counts.items())), seconds, rate)


def _outcome(order: Order) -> str:
    return f"{order.status.value} ({order.reason})" if order.reason else order.status.value
