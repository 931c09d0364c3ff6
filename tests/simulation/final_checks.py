"""What must be so when nothing moves any more: faults are over, and all is tried again."""

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from services.shared.ledger import Key, Order, Status
from tests.simulation.story import label

if TYPE_CHECKING:
    from tests.simulation.invariants import Watch
    from tests.simulation.world import World

_REQUIRED = {
    Status.CONFIRMED: {"PaymentRequested", "PaymentProcessed", "OrderConfirmed"},
    Status.REFUNDED: {"PaymentRequested", "PaymentProcessed", "OrderConfirmed", "RefundProcessed"},
    Status.REJECTED: {"OrderRejected"},
    Status.CANCELLED: {"OrderCancelled"},
}
_NEVER = {
    Status.CONFIRMED: {"OrderRejected", "OrderCancelled", "PaymentFailed"},
    Status.REFUNDED: {"OrderRejected", "OrderCancelled", "PaymentFailed"},
    Status.REJECTED: {"PaymentRequested", "PaymentProcessed", "OrderConfirmed", "OrderCancelled"},
    Status.CANCELLED: {"OrderRejected", "OrderConfirmed"},
}

_REPEATED = {"OrderConflicted", "RefundProcessed", "PaymentAnswered"}
"""Told once for each placement that differs, each refund, and each message of the gateway."""


def check_rest(world: "World") -> None:
    _check_orders(world)
    _check_money(world)
    _check_events(world)
    _check_queues(world)
    world.watch.runs.check_counts()


def _check_orders(world: "World") -> None:
    watch = world.watch
    for key in watch.wishes:
        order = watch.orders.get(key)
        if order is None:
            watch.report("every order placed is decided", "it is not in the table", key)
        elif order.status is Status.RESERVED:
            watch.report("nothing stays reserved", f"since {order.history[0].at}", key)
        elif order.status is Status.REFUNDED and key not in watch.refunds_requested | (
            watch.parts_requested.keys()
        ):
            if order.payment is None or not order.payment.restocked:
                watch.report("what is called off goes back into stock", str(order.payment), key)
        elif order.status is Status.CONFIRMED and key in watch.called_off | watch.refunds_requested:
            watch.report("every cancellation is honoured", "called off, yet confirmed", key)
        else:
            _check_parts(watch, order)


def _check_parts(watch: "Watch", order: Order) -> None:
    """What was asked for is given back, unless less is left; what is left only shrinks."""
    payment = order.payment
    if order.status is not Status.CONFIRMED or payment is None:
        return
    made = {refund.request_id for refund in payment.refunds if refund.id}
    left = order.amount_minor - payment.claimed_minor
    for request_id, amount in watch.parts_requested[order.key].items():
        if request_id not in made and amount <= left:
            watch.report("a refund is made if enough is left", f"{amount} of {left}", order.key)


def _check_money(world: "World") -> None:
    watch, gateway_ledger = world.watch, world.gateway_ledger
    confirmed = {
        order.payment.charge_id
        for order in watch.orders.values()
        if order.status is Status.CONFIRMED and order.amount_minor and order.payment
    }
    for charge in gateway_ledger.open_charges():
        if charge.id not in confirmed:
            watch.report(
                "nobody is left charged but unconfirmed", str(charge), *_named(world, charge.order_id)
            )
    made = {(it.charge_id, it.id, it.amount_minor) for it in gateway_ledger.refunds.values()}
    noted = {
        (order.payment.charge_id, refund.id, refund.amount_minor)
        for order in watch.orders.values()
        if order.payment
        for refund in order.payment.refunds
        if refund.id and refund.amount_minor
    }
    for missing in sorted(made - noted):
        watch.report("every refund is noted in its order", str(missing))
    for invented in sorted(noted - made, key=str):
        watch.report("what is noted as given back was", str(invented))
    charged = Counter(charge.order_id for charge in gateway_ledger.charges.values())
    for name, times in charged.items():
        if times > len(_named(world, name)):
            watch.report(
                "an order is charged once",
                f"{times} charges under {sorted(gateway_ledger.charges)}",
                *_named(world, name),
            )


def _named(world: "World", order_id: str) -> list[Key]:
    return [key for key in world.watch.orders if key.id == order_id]


def _check_events(world: "World") -> None:
    watch = world.watch
    events: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, detail in watch.events.values():
        events[label(detail.get("tenantId", "default"), detail["orderId"])][name] += 1
    for key, order in watch.orders.items():
        published = events[label(*key)]
        required = set(_REQUIRED.get(order.status, ()))
        payment = order.payment
        if order.status is Status.CANCELLED and payment:
            required |= {"PaymentProcessed", "RefundProcessed"} if payment.charge_id else set()
            required |= {"PaymentFailed"} if payment.declined else set()
        if len(set(watch.wishes[key])) > 1:
            required.add("OrderConflicted")
        if key in watch.forged:
            required.discard("PaymentRequested")
        refunds = [refund for refund in (payment.refunds if payment else ()) if refund.id]
        if published["RefundProcessed"] != len(refunds):
            watch.report("every refund is told, once", f"{published['RefundProcessed']} of {refunds}", key)
        if missing := required - published.keys():
            watch.report("every end is told", f"{order.status} without {sorted(missing)}", key)
        if wrong := _NEVER.get(order.status, set()) & published.keys():
            watch.report("nothing told contradicts the end", f"{order.status}, yet {sorted(wrong)}", key)
        if twice := [name for name, times in published.items() if times > 1 and name not in _REPEATED]:
            watch.report("what happens once has one event id", f"several of {sorted(twice)}", key)


def _check_queues(world: "World") -> None:
    watch = world.watch
    placed = {label(*key) for key in watch.wishes}
    for queue in world.queues.values():
        for message in queue.messages.values():
            watch.report("every message is done or set aside", f"{message.id}: {message.body}")
        dead_letters = {dead_letter.body for dead_letter in queue.dead if dead_letter.reason}
        for name, body in sorted(watch.poison):
            if name == queue.name and body not in dead_letters:
                watch.report("poison is among the dead letters, with its reason", body)
        for dead_letter in queue.dead:
            if dead_letter.reason and (queue.name, dead_letter.body) not in watch.poison:
                watch.report("only poison is buried", f"{dead_letter.reason}: {dead_letter.body}")
            if not dead_letter.reason and placed.intersection(dead_letter.about):
                watch.report("what is tried again gets done", f"{queue.name}: {dead_letter.body}")
