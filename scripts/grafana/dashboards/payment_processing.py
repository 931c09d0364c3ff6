"""How charging goes: what the gateway says, how long it takes, and what is given back."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from scripts.grafana import panels as p
from scripts.grafana import slo_queries
from scripts.grafana.layout import Section, board
from scripts.grafana.panels import Query
from scripts.grafana.promql import Change, Expression, gauge, increase_in_view, rate, share, within

_QUEUE = 'queue=~".*-pulsequeue-payment"'
_HISTOGRAM = "payment_processing_duration_seconds"


def build() -> Dashboard:
    description = "From PaymentRequested to paid or declined, refunds included."
    return board(
        "pulsequeue-payments",
        "Payment processing",
        description,
        [_in_view(), _outcomes(), _speed(), _queue()],
    )


def _ended(change: Change, *outcomes: str) -> Expression:
    return change("payments_total", within("outcome", *outcomes))


def _declined(change: Change) -> Expression:
    return share(_ended(change, "failed"), _ended(change, "succeeded", "failed"))


def _in_view() -> Section:
    return Section(
        "In view",
        [
            [
                p.figure(
                    "Payments taken",
                    "Charges in the time range on the screen that succeeded, each for another order.",
                    slo_queries.paid(increase_in_view),
                    unit=p.COUNT,
                    at_end_of_view=True,
                    decimals=0,
                ),
                p.figure(
                    "Declined",
                    "Share of the charges that the gateway declined. Most at once points at the gateway.",
                    _declined(increase_in_view),
                    unit=p.SHARE,
                    steps=((0.2, p.YELLOW), (0.5, p.RED)),
                    nothing="no charges",
                    at_end_of_view=True,
                    decimals=1,
                    runbook="gateway-down",
                ),
                p.figure(
                    "Refunded",
                    "Charges given back, on request or because the hold had run out when the charge came "
                    "through.",
                    _ended(increase_in_view, "refunded"),
                    unit=p.COUNT,
                    at_end_of_view=True,
                    decimals=0,
                    runbook="charged-but-cancelled",
                ),
                p.figure(
                    "Repeats without effect",
                    "Requests to pay that came again after the order was settled. Nobody was charged twice.",
                    _ended(increase_in_view, "duplicate"),
                    unit=p.COUNT,
                    at_end_of_view=True,
                    decimals=0,
                ),
            ]
        ],
    )


def _outcomes() -> Section:
    return Section(
        "What became of them",
        [
            [
                p.graph(
                    "Payments by outcome",
                    "What became of charges and refunds, per second.",
                    Query(rate("payments_total", by="outcome"), "{{outcome}}"),
                    unit=p.PAYMENTS_PER_SECOND,
                    stacked=True,
                    runbook="gateway-down",
                ),
                p.graph(
                    "Share declined",
                    "Declines as a share of the charges of the last minutes; absent where there were none.",
                    Query(_declined(rate), "declined"),
                    unit=p.SHARE,
                    steps=((0.2, p.YELLOW), (0.5, p.RED)),
                    runbook="gateway-down",
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
                    "How long the payment function works on a payment, the gateway's answer included.",
                    _HISTOGRAM,
                    runbook="gateway-down",
                ),
                p.heatmap(
                    "Processing time, all payments",
                    "How many payments took how long. A slow gateway shows as a second band.",
                    _HISTOGRAM,
                ),
                p.heatmap(
                    "Placed to settled, all orders",
                    "How many orders took how long from being placed until their payment was decided.",
                    slo_queries.SETTLEMENT,
                ),
            ]
        ],
    )


def _queue() -> Section:
    states = {"visible": "waiting", "in_flight": "being worked on"}
    depth = [Query(gauge(f"aws_sqs_messages_{state}", _QUEUE), legend) for state, legend in states.items()]
    events = within("event", "PaymentProcessed", "PaymentFailed", "RefundRequested", "RefundProcessed")
    return Section(
        "In and out",
        [
            [
                p.graph(
                    "Payment queue",
                    "Messages in the payment queue. It grows when the gateway does not answer.",
                    *depth,
                    unit=p.COUNT,
                    runbook="gateway-down",
                ),
                p.graph(
                    "Oldest message",
                    "How long the oldest message of the payment queue has been there. When it nears the "
                    "hold, "
                    "orders begin to lose their reservation.",
                    Query(gauge("aws_sqs_oldest_message_age_seconds", _QUEUE, how="max"), "payment"),
                    Query(gauge("pulsequeue_reservation_hold_seconds", how="max"), "hold"),
                    unit=p.SECONDS,
                    runbook="gateway-down",
                ),
                p.graph(
                    "Payment events",
                    "Events about payments and refunds, per second.",
                    Query(rate("events_published_total", events, by="event"), "{{event}}"),
                    unit=p.EVENTS_PER_SECOND,
                ),
            ]
        ],
    )
