"""The metric values that the tables imply, counted order by order."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from services.shared.histogram_buckets import BUCKETS, bucket
from services.shared.ledger import Order, Status

Labels = tuple[tuple[str, str], ...]

_OUTCOMES = {"customer_request": "cancelled", "reservation_expired": "expired"}


@dataclass(frozen=True)
class Truth:
    counters: Mapping[tuple[str, Labels], int]
    settled: tuple[float, ...] = field(repr=False)
    """Seconds from placement to settlement of every paid or declined order."""

    def buckets(self) -> Iterator[tuple[str, int]]:
        """Number of orders settled within each bound, keyed by Prometheus's `le`."""
        counts = Counter(map(bucket, self.settled))
        within = 0
        for bound in BUCKETS:
            within += counts[f"{bound:g}"]
            yield str(bound), within
        yield "+Inf", len(self.settled)

    def quantile(self, q: float) -> float:
        return sorted(self.settled)[min(len(self.settled) - 1, int(q * len(self.settled)))]


def count(orders: Iterable[Order]) -> Truth:
    counters: Counter[tuple[str, Labels]] = Counter()
    settled = []
    for order in orders:
        reached = {step.status for step in order.history}
        units = sum(line.quantity for line in order.lines)
        declined = order.status is Status.CANCELLED and order.reason == "payment_failed"
        if Status.RESERVED in reached:
            counters["orders_total", (("outcome", "reserved"),)] += 1
            counters["inventory_units_total", (("operation", "reserve"),)] += units
        if order.status is Status.REJECTED:
            counters["orders_total", (("outcome", "rejected"),)] += 1
        if Status.CONFIRMED in reached:
            counters["payments_total", (("outcome", "succeeded"),)] += 1
            counters["inventory_units_total", (("operation", "confirm"),)] += units
        if declined:
            counters["payments_total", (("outcome", "failed"),)] += 1
        if order.status is Status.CANCELLED:
            counters["inventory_units_total", (("operation", "release"),)] += units
            if order.reason in _OUTCOMES:
                counters["orders_total", (("outcome", _OUTCOMES[order.reason]),)] += 1
        refunds = [refund for refund in order.payment.refunds if refund.id] if order.payment else []
        if refunds:
            counters["payments_total", (("outcome", "refunded"),)] += len(refunds)
        if Status.CONFIRMED in reached or declined:
            end = Status.CONFIRMED if Status.CONFIRMED in reached else Status.CANCELLED
            settled.append((order.entered(end).at - order.placed_at).total_seconds())
    return Truth(counters, tuple(settled))
