"""Payment processing: outcomes, duration, refunds and queue of the payment function."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from scripts.grafana import panels as p
from scripts.grafana import slo_queries
from scripts.grafana.layout import Section, board
from scripts.grafana.panels import Query
from scripts.grafana.promql import (
    Change,
    Expression,
    consumer_queue,
    gauge,
    increase_in_view,
    legend,
    rate,
    share,
    within,
)
from services.shared.events import PaymentFailed, PaymentProcessed, RefundProcessed, RefundRequested
from services.shared.metric_names import Consumer, Label, Metric, PaymentOutcome

_QUEUE = consumer_queue(Consumer.PAYMENT)
_HISTOGRAM = Metric.PAYMENT_PROCESSING


def build() -> Dashboard:
    description = "From PaymentRequested to paid or declined, including refunds."
    return board(
        "pulsequeue-payments",
        "Payment processing",
        description,
        [_totals(), _outcomes(), _duration(), _queue()],
    )


def _payments(change: Change, *outcomes: PaymentOutcome) -> Expression:
    return change(Metric.PAYMENTS, within(Label.OUTCOME, *outcomes))


def _declined(change: Change) -> Expression:
    return share(
        _payments(change, PaymentOutcome.FAILED),
        _payments(change, PaymentOutcome.SUCCEEDED, PaymentOutcome.FAILED),
    )


def _totals() -> Section:
    return Section(
        "In the time range",
        [
            [
                p.figure(
                    "Payments succeeded",
                    "Successful charges in the selected time range, one per order.",
                    slo_queries.paid(increase_in_view),
                    unit=p.COUNT,
                    at_end_of_view=True,
                    decimals=0,
                ),
                p.figure(
                    "Declined",
                    "Share of charges that the gateway declined. A sudden rise suggests a fault of the "
                    "gateway.",
                    _declined(increase_in_view),
                    unit=p.SHARE,
                    steps=((0.2, p.YELLOW), (0.5, p.RED)),
                    no_value="no charges",
                    at_end_of_view=True,
                    decimals=1,
                    runbook="payment-gateway-down",
                ),
                p.figure(
                    "Refunded",
                    "Charges refunded, on request or because the reservation had expired when the charge "
                    "completed.",
                    _payments(increase_in_view, PaymentOutcome.REFUNDED),
                    unit=p.COUNT,
                    at_end_of_view=True,
                    decimals=0,
                    runbook="unconfirmed-charges",
                ),
                p.figure(
                    "Duplicate requests",
                    "Payment requests received again after the order was settled. They have no effect.",
                    _payments(increase_in_view, PaymentOutcome.DUPLICATE),
                    unit=p.COUNT,
                    at_end_of_view=True,
                    decimals=0,
                ),
            ]
        ],
    )


def _outcomes() -> Section:
    return Section(
        "Outcomes",
        [
            [
                p.graph(
                    "Payments by outcome",
                    "Charges and refunds per second by outcome.",
                    Query(rate(Metric.PAYMENTS, by=Label.OUTCOME), legend(Label.OUTCOME)),
                    unit=p.PAYMENTS_PER_SECOND,
                    stacked=True,
                    runbook="payment-gateway-down",
                ),
                p.graph(
                    "Decline rate",
                    "Declined charges as a share of all charges in the last minutes; no value without "
                    "charges.",
                    Query(_declined(rate), "declined"),
                    unit=p.SHARE,
                    steps=((0.2, p.YELLOW), (0.5, p.RED)),
                    runbook="payment-gateway-down",
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
                    "Time the payment function spends on a payment, including the gateway's response.",
                    _HISTOGRAM,
                    runbook="payment-gateway-down",
                ),
                p.heatmap(
                    "Processing time distribution",
                    "Number of payments by processing time. A slow gateway shows as a second band.",
                    _HISTOGRAM,
                ),
                p.heatmap(
                    "Placed to settled, distribution",
                    "Number of orders by time from placed to settled.",
                    slo_queries.SETTLEMENT,
                ),
            ]
        ],
    )


def _queue() -> Section:
    depth = [
        Query(gauge(Metric.SQS_VISIBLE, _QUEUE), "waiting"),
        Query(gauge(Metric.SQS_IN_FLIGHT, _QUEUE), "processing"),
    ]
    published = (PaymentProcessed, PaymentFailed, RefundRequested, RefundProcessed)
    events = within(Label.EVENT, *(event.detail_type() for event in published))
    return Section(
        "Queue and events",
        [
            [
                p.graph(
                    "Payment queue",
                    "Messages in the payment queue. It grows when the gateway does not respond.",
                    *depth,
                    unit=p.COUNT,
                    runbook="payment-gateway-down",
                ),
                p.graph(
                    "Oldest message",
                    "Age of the oldest message in the payment queue. As it approaches the hold, reservations"
                    " expire.",
                    Query(gauge(Metric.SQS_OLDEST_AGE, _QUEUE, how="max"), "age"),
                    Query(gauge(Metric.RESERVATION_HOLD, how="max"), "hold"),
                    unit=p.SECONDS,
                    runbook="payment-gateway-down",
                ),
                p.graph(
                    "Payment events",
                    "Payment and refund events per second.",
                    Query(rate(Metric.EVENTS_PUBLISHED, events, by=Label.EVENT), legend(Label.EVENT)),
                    unit=p.EVENTS_PER_SECOND,
                ),
            ]
        ],
    )
