"""Order processing: outcomes, duration and queue of the order function."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from scripts.grafana import panels as p
from scripts.grafana import slo_queries
from scripts.grafana.layout import Section, board
from scripts.grafana.panels import Query
from scripts.grafana.promql import consumer_queue, gauge, increase_in_view, legend, mean, rate, share, within
from services.shared.events import OrderRejected, PaymentRequested
from services.shared.metric_names import Consumer, Label, Metric, OrderOutcome, StockOperation

_QUEUE = consumer_queue(Consumer.ORDER)
_HISTOGRAM = Metric.ORDER_PROCESSING


def build() -> Dashboard:
    description = "From OrderPlaced to reserved or rejected: rate, duration and reasons."
    return board(
        "pulsequeue-orders",
        "Order processing",
        description,
        [_totals(), _by_outcome(), _duration(), _queue()],
    )


def _totals() -> Section:
    placed = slo_queries.placed(increase_in_view)
    rejected = increase_in_view(Metric.ORDERS, within(Label.OUTCOME, OrderOutcome.REJECTED))
    return Section(
        "In the time range",
        [
            [
                p.figure(
                    "Orders placed",
                    "Orders reserved or rejected in the selected time range.",
                    placed,
                    unit=p.COUNT,
                    at_end_of_view=True,
                    decimals=0,
                ),
                p.figure(
                    "Rejected",
                    "Share of the orders placed that were rejected: nothing was reserved for them.",
                    share(rejected, placed),
                    unit=p.SHARE,
                    no_value="no orders",
                    at_end_of_view=True,
                    decimals=1,
                ),
                p.figure(
                    "Expired",
                    "Orders not paid within the hold; their stock was released.",
                    increase_in_view(Metric.ORDERS, within(Label.OUTCOME, OrderOutcome.EXPIRED)),
                    unit=p.COUNT,
                    steps=p.ANY_IS_BAD,
                    at_end_of_view=True,
                    decimals=0,
                    runbook="expired-reservations",
                ),
                p.figure(
                    "Unreadable events",
                    "Events that the order function could not read and sent to its dead-letter queue.",
                    increase_in_view(Metric.POISON_EVENTS, within(Label.CONSUMER, Consumer.ORDER)),
                    unit=p.COUNT,
                    steps=p.ANY_IS_BAD,
                    at_end_of_view=True,
                    decimals=0,
                    runbook="unreadable-messages",
                ),
            ]
        ],
    )


def _by_outcome() -> Section:
    reserve = within(Label.OPERATION, StockOperation.RESERVE)
    return Section(
        "Outcomes",
        [
            [
                p.graph(
                    "Orders by outcome",
                    "Orders per second by outcome. `cancelled` is on request; `duplicate` is a redelivery "
                    "without effect.",
                    Query(rate(Metric.ORDERS, by=Label.OUTCOME), legend(Label.OUTCOME)),
                    unit=p.ORDERS_PER_SECOND,
                    stacked=True,
                ),
                p.graph(
                    "Reservations by outcome",
                    "Reservation attempts per second by outcome: done, the reason for rejection, or "
                    "contended, which is retried and never counts as out of stock.",
                    Query(
                        rate(Metric.INVENTORY_OPERATIONS, reserve, by=Label.OUTCOME), legend(Label.OUTCOME)
                    ),
                    unit=p.ORDERS_PER_SECOND,
                    stacked=True,
                    runbook="hot-sku",
                ),
            ]
        ],
    )


def _duration() -> Section:
    return Section(
        "Duration",
        [
            [
                p.quantiles(
                    "Processing time",
                    "Time the order function spends on an order, without the wait in the queue.",
                    _HISTOGRAM,
                ),
                p.heatmap(
                    "Processing time distribution",
                    "Number of orders by processing time.",
                    _HISTOGRAM,
                ),
                p.graph(
                    "Average times",
                    "Processing time and time from placed to settled: the difference is waiting and payment.",
                    Query(mean(_HISTOGRAM), "processing"),
                    Query(mean(slo_queries.SETTLEMENT), "placed to settled"),
                    unit=p.SECONDS,
                ),
            ]
        ],
    )


def _queue() -> Section:
    depth = [
        Query(gauge(Metric.SQS_VISIBLE, _QUEUE), "waiting"),
        Query(gauge(Metric.SQS_IN_FLIGHT, _QUEUE), "processing"),
    ]
    published = within(Label.EVENT, PaymentRequested.detail_type(), OrderRejected.detail_type())
    return Section(
        "Queue and events",
        [
            [
                p.graph(
                    "Order queue",
                    "Messages in the order queue.",
                    *depth,
                    unit=p.COUNT,
                    runbook="queue-backlog",
                ),
                p.graph(
                    "Oldest message",
                    "Age of the oldest message in the order queue.",
                    Query(gauge(Metric.SQS_OLDEST_AGE, _QUEUE, how="max"), "age"),
                    unit=p.SECONDS,
                    steps=((60, p.YELLOW), (300, p.RED)),
                    runbook="queue-backlog",
                ),
                p.graph(
                    "Decisions and events",
                    "Orders decided and the events published for them. The lines match unless events are "
                    "late or repeated.",
                    Query(slo_queries.placed(rate), "decided"),
                    Query(rate(Metric.EVENTS_PUBLISHED, published), "published"),
                    unit=p.EVENTS_PER_SECOND,
                ),
            ]
        ],
    )
