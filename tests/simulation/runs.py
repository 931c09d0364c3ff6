"""Holds every run of a function to what it owes its own messages, those of strangers, and the counts."""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from services.shared.events import OrderPlaced
from services.shared.ledger import Key, Order, Status
from services.shared.metric_names import Metric, OrderOutcome, PaymentOutcome

if TYPE_CHECKING:
    from services.shared.messages import Delivery
    from tests.simulation.invariants import Watch
    from tests.simulation.queues import Message
    from tests.simulation.scheduler import Actor, Scheduler

RETRIED_FOR = {"order": 18.0, "expiry": 18.0, "payment": 48.0}
"""Seconds for which a function goes on trying what is busy: its time-out less what it needs to publish."""
ANNOUNCED_WITHIN = 3.0
"""Seconds from a commit to the first attempt to publish its events: the other transactions of the batch, and
the short waits between them, but none of the waits for something busy."""

_OWED = {
    Status.RESERVED: {"PaymentRequested"},
    Status.REJECTED: {"OrderRejected"},
    Status.CONFIRMED: {"PaymentProcessed", "OrderConfirmed"},
    Status.CANCELLED: {"OrderCancelled"},
    Status.REFUNDED: {"RefundProcessed"},
}
_COUNTED: Mapping[str, Collection[str]] = {
    Metric.ORDERS: {
        OrderOutcome.RESERVED,
        OrderOutcome.REJECTED,
        OrderOutcome.CANCELLED,
        OrderOutcome.EXPIRED,
    },
    Metric.PAYMENTS: {PaymentOutcome.SUCCEEDED, PaymentOutcome.FAILED},
}
_ENDS = {
    "customer_request": (Metric.ORDERS, OrderOutcome.CANCELLED),
    "reservation_expired": (Metric.ORDERS, OrderOutcome.EXPIRED),
    "payment_failed": (Metric.PAYMENTS, PaymentOutcome.FAILED),
}


class RunChecks:
    def __init__(self, scheduler: "Scheduler", watch: "Watch") -> None:
        self._scheduler = scheduler
        self._watch = watch
        self.happened: Counter[str] = Counter()
        """Transitions, as the table has them."""
        self.counted: Counter[str] = Counter()
        """Transitions, as the functions counted them."""
        self.lost: Counter[str] = Counter()
        """Transitions whose process was killed, or failed in an unforeseen way, before it counted them."""

    # --- what a run does ------------------------------------------------------------------------------

    def on_start(self, deliveries: Sequence["Delivery"]) -> None:
        if actor := self._scheduler.actor:
            events = [it.event for it in deliveries if isinstance(it.event, OrderPlaced)]
            for event in events:
                key = Key(event.tenant_id, event.order_id)
                actor.placements.setdefault(key, {item.sku for item in event.items})

    def on_commit(self, orders: Sequence[Order]) -> None:
        actor = self._scheduler.actor
        for order in orders:
            if name := _counted_as(order):
                self.happened[name] += 1
                if actor:
                    actor.uncounted[name] += 1
            if actor:
                actor.committed[order.key] = (self._scheduler.now, order)
                actor.announced.discard(order.key)
        if actor and not actor.faults and not actor.touched:
            self._check_turn(actor, {order.key for order in orders})

    def _check_turn(self, actor: "Actor", committed: Collection[Key]) -> None:
        """Within a batch in which nothing is busy, no order overtakes an earlier one that needs its SKU."""
        undecided: list[tuple[Key, set[str]]] = []
        for key, skus in actor.placements.items():
            if key in committed and self._watch.orders[key].version == 1:
                for other, other_skus in undecided:
                    if other.tenant_id == key.tenant_id and not skus.isdisjoint(other_skus):
                        self._watch.report(
                            "orders of a batch are served as they came", f"before {other}", key
                        )
            if key not in self._watch.orders:
                undecided.append((key, skus))

    def on_attempt(self, keys: Collection[Key]) -> None:
        """Note that a run is about to publish events of these orders."""
        actor = self._scheduler.actor
        if actor is None:
            return
        if actor.counts.total():
            self._watch.report("counts are written before anything is published", str(actor.counts))
        for key in keys:
            if key in actor.committed and key not in actor.announced:
                actor.announced.add(key)
                at, order = actor.committed[key]
                waited = self._scheduler.now - at
                known = key.pk not in actor.touched and not actor.spared
                if waited > ANNOUNCED_WITHIN and known and _owed(order):
                    self._watch.report(
                        "what is committed is announced before anything is waited for", f"{waited:.1f} s", key
                    )

    def on_deferral(self, key: Key, why: object) -> None:
        """Note that a run gives up on an order: because something is busy, since nothing is broken here."""
        actor = self._scheduler.actor
        if why != "contention":
            self._watch.report("nothing is called broken that is not", str(why), key)
        if actor is None or actor.name.startswith("audit"):
            return
        tried = self._scheduler.now - actor.started
        if tried < RETRIED_FOR[actor.name.partition("/")[0]]:
            self._watch.report(
                "what is busy is retried to the deadline", f"given up after {tried:.1f} s", key
            )

    def on_answer(self, batch: Sequence["Message"], failed: Collection[str]) -> None:
        actor = self._scheduler.actor
        if actor is None:
            return
        handed_back = {name for message in batch if message.id in failed for name in message.about}
        self._forgive_unanswered(actor, handed_back)
        for key, (_, order) in actor.committed.items():
            owed = _owed(order) - self._watch.published[key]
            if owed and self._watch.orders[key] == order and self._watch.name(key) not in handed_back:
                self._watch.report(
                    "what is committed is announced, or its own message comes again", f"{sorted(owed)}", key
                )
        if actor.spared:
            # Lambda would have ended it long ago.
            self.on_lost()
        else:
            for message in batch:
                queue = message.id.partition(":")[0]
                if message.id in failed and (queue, message.body) not in self._watch.poison:
                    self._check_handed_back(actor, queue, message)

    def _forgive_unanswered(self, actor: "Actor", handed_back: Collection[str]) -> None:
        """Expect no count of what was committed without an answer to the end, and goes to another process."""
        for key, (_, order) in actor.committed.items():
            name = _counted_as(order)
            if name and actor.uncounted[name] > 0 and self._watch.name(key) in handed_back:
                actor.uncounted[name] -= 1
                self.lost[name] += 1

    def _check_handed_back(self, actor: "Actor", queue: str, message: "Message") -> None:
        """A message goes back only for what befell its own order or SKUs, never for a stranger's."""
        envelope: dict[str, Any] = json.loads(message.body)
        detail = envelope["detail"]
        key = Key(detail.get("tenantId", "default"), detail["orderId"])
        order = self._watch.orders.get(key)
        own = {key.pk} | {Key(key.tenant_id, line.sku).pk for line in (order.lines if order else ())}
        placed = envelope["detail-type"] == "OrderPlaced"
        if placed:
            # Of all that was placed under this id: a batch decides the first, and answers the others by it.
            wishes = self._watch.wishes[key]
            own |= {Key(key.tenant_id, sku).pk for wish in wishes for sku, _ in wish.quantities}
        elif key in actor.logged:
            return
        if queue == "expiry" and (order is None or self._is_early(actor, order)):
            return
        if own.isdisjoint(actor.touched):
            self._watch.report(
                "what is busy holds up only what touches it",
                f"{message.id} {envelope['detail-type']}, busy was {sorted(actor.touched)}",
                key,
            )

    def _is_early(self, actor: "Actor", order: Order) -> bool:
        age = self._scheduler.now - actor.started
        return order.expires_at is not None and (
            order.expires_at > self._scheduler.clock()
            or (order.expires_at - self._scheduler.clock()).total_seconds() > -age
        )

    # --- counts ---------------------------------------------------------------------------------------

    def on_count(self, metric: str, value: float, outcome: str | None) -> None:
        if (actor := self._scheduler.actor) and outcome in _COUNTED.get(metric, ()):
            actor.counts[f"{metric} {outcome}"] += int(value)

    def on_flush(self) -> None:
        """What was counted is written: it outlives its process from here on."""
        if actor := self._scheduler.actor:
            self.counted += actor.counts
            actor.uncounted.subtract(actor.counts)
            actor.counts.clear()

    def on_lost(self) -> None:
        if actor := self._scheduler.actor:
            self.lost += actor.uncounted
            actor.uncounted.clear()

    def check_counts(self) -> None:
        for name in sorted(self.happened.keys() | self.counted.keys()):
            least, counted, most = (
                self.happened[name] - self.lost[name],
                self.counted[name],
                self.happened[name],
            )
            if not least <= counted <= most:
                self._watch.report("counts equal what happened", f"{name}: {counted} of {least} to {most}")


def _owed(order: Order) -> set[str]:
    """Name the events that the last step of an order requires."""
    last = [step.status for step in order.history[-2:]]
    if last == [Status.RESERVED] * 2:
        return set()  # the intent to charge, or a pending answer, is noted
    if last == [Status.CANCELLED] * 2:
        return {"PaymentProcessed", "RefundProcessed"}
    if last == [Status.CONFIRMED] * 2:
        refunds = order.payment.refunds if order.payment else ()
        return {"RefundProcessed"} if any(it.at == order.history[-1].at for it in refunds) else set()
    return _OWED[order.status]


def _counted_as(order: Order) -> str | None:
    """Name the count that the last step of an order belongs to."""
    match [step.status for step in order.history]:
        case [status]:
            outcome = OrderOutcome.RESERVED if status is Status.RESERVED else OrderOutcome.REJECTED
            return f"{Metric.ORDERS} {outcome}"
        case [*_, Status.RESERVED, Status.CONFIRMED]:
            return f"{Metric.PAYMENTS} {PaymentOutcome.SUCCEEDED}"
        case [*_, Status.RESERVED, Status.CANCELLED]:
            metric, ended = _ENDS[order.reason or "no reason"]
            return f"{metric} {ended}"
        case _:
            return None
