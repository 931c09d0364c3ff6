"""What happens to orders until their stock is reserved, and when they are called off."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from scripts.grafana import panels as p
from scripts.grafana import slo_queries
from scripts.grafana.layout import Section, board
from scripts.grafana.panels import Query
from scripts.grafana.promql import gauge, increase_in_view, mean, rate, share, within

_QUEUE = 'queue=~".*-pulsequeue-order"'
_HISTOGRAM = "order_processing_duration_seconds"


def build() -> Dashboard:
    description = "From OrderPlaced to reserved or rejected: how many, how fast, and why not."
    return board(
        "pulsequeue-orders", "Order processing", description, [_outcomes(), _reasons(), _speed(), _queue()]
    )


def _outcomes() -> Section:
    def turned(outcome: str) -> str:
        return share(increase_in_view("orders_total", within("outcome", outcome)), placed)

    placed = slo_queries.placed(increase_in_view)
    return Section(
        "In view",
        [
            [
                p.figure(
                    "Orders placed",
                    "Orders in the time range on the screen whose stock was reserved or that were turned "
                    "down.",
                    placed,
                    unit=p.COUNT,
                    at_end_of_view=True,
                    decimals=0,
                ),
                p.figure(
                    "Rejected",
                    "Share of the orders placed that were turned down: nothing was reserved for them.",
                    turned("rejected"),
                    unit=p.SHARE,
                    nothing="no orders",
                    at_end_of_view=True,
                    decimals=1,
                ),
                p.figure(
                    "Hold ran out",
                    "Orders whose payment did not come in time, so that their stock was released.",
                    increase_in_view("orders_total", within("outcome", "expired")),
                    unit=p.COUNT,
                    steps=p.ANY_IS_BAD,
                    at_end_of_view=True,
                    decimals=0,
                    runbook="stuck-reservations",
                ),
                p.figure(
                    "Unreadable",
                    "Events that the order function could not read and moved to its dead-letter queue.",
                    increase_in_view("poison_events_total", within("consumer", "order")),
                    unit=p.COUNT,
                    steps=p.ANY_IS_BAD,
                    at_end_of_view=True,
                    decimals=0,
                    runbook="poison",
                ),
            ]
        ],
    )


def _reasons() -> Section:
    reserve = 'operation="reserve"'
    return Section(
        "What became of them",
        [
            [
                p.graph(
                    "Orders by outcome",
                    "What became of orders, per second. `cancelled` is by request, `duplicate` a repeat "
                    "without effect.",
                    Query(rate("orders_total", by="outcome"), "{{outcome}}"),
                    unit=p.ORDERS_PER_SECOND,
                    stacked=True,
                ),
                p.graph(
                    "Reservations by outcome",
                    "How attempts to reserve ended, per second: done, the reason of the refusal, or "
                    "contended, "
                    "which is tried again and never counts as out of stock.",
                    Query(rate("inventory_operations_total", reserve, by="outcome"), "{{outcome}}"),
                    unit=p.ORDERS_PER_SECOND,
                    stacked=True,
                    runbook="hot-sku",
                ),
            ]
        ],
    )


def _speed() -> Section:
    return Section(
        "Speed",
        [
            [
                p.quantiles(
                    "Processing time",
                    "How long the order function works on an order, waiting in the queue not included.",
                    _HISTOGRAM,
                ),
                p.heatmap(
                    "Processing time, all orders",
                    "How many orders took how long to process.",
                    _HISTOGRAM,
                ),
                p.graph(
                    "Average times",
                    "Processing compared with the whole way from placed to settled: the difference is "
                    "waiting "
                    "and payment.",
                    Query(mean(_HISTOGRAM), "processing"),
                    Query(mean(slo_queries.SETTLEMENT), "placed to settled"),
                    unit=p.SECONDS,
                ),
            ]
        ],
    )


def _queue() -> Section:
    states = {"visible": "waiting", "in_flight": "being worked on"}
    depth = [Query(gauge(f"aws_sqs_messages_{state}", _QUEUE), legend) for state, legend in states.items()]
    published = within("event", "PaymentRequested", "OrderRejected")
    return Section(
        "In and out",
        [
            [
                p.graph(
                    "Order queue",
                    "Messages in the order queue.",
                    *depth,
                    unit=p.COUNT,
                    runbook="backlog",
                ),
                p.graph(
                    "Oldest message",
                    "How long the oldest message of the order queue has been there.",
                    Query(gauge("aws_sqs_oldest_message_age_seconds", _QUEUE, how="max"), "order"),
                    unit=p.SECONDS,
                    steps=((60, p.YELLOW), (300, p.RED)),
                    runbook="backlog",
                ),
                p.graph(
                    "Decided and announced",
                    "Orders decided against the events that announce it: the lines lie on one another, or an "
                    "announcement is being repeated or is late.",
                    Query(slo_queries.placed(rate), "decided"),
                    Query(rate("events_published_total", published), "announced"),
                    unit=p.EVENTS_PER_SECOND,
                ),
            ]
        ],
    )
