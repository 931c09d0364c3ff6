"""The overview: traffic, objectives and health."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from scripts.grafana import panels as p
from scripts.grafana import slo_queries
from scripts.grafana.layout import Section, board
from scripts.grafana.panels import Query
from scripts.grafana.promql import (
    DEAD_LETTER_QUEUES,
    WORK_QUEUES,
    gauge,
    increase_in_view,
    legend,
    quantile,
    rate,
    series,
)
from services.shared.metric_names import Label, Metric


def build() -> Dashboard:
    description = "Orders, payments, stock and pipeline health on one page."
    sections = [_now(), _business(), _latency(), _health()]
    return board("pulsequeue-overview", "Overview", description, sections)


def _now() -> Section:
    traffic = [
        p.figure(
            "Orders placed",
            "Orders reserved or rejected per second. Duplicates do not count.",
            slo_queries.placed(rate),
            unit=p.ORDERS_PER_SECOND,
        ),
        p.figure(
            "Orders paid",
            "Share of the orders placed in the time range whose payment succeeded. Rejected orders and "
            "declined payments lower it.",
            slo_queries.paid_share(increase_in_view),
            unit=p.SHARE,
            no_value="no orders",
            at_end_of_view=True,
            decimals=1,
        ),
        p.figure(
            "Settlement time, p99",
            "99th percentile of the time from placed to settled over the last minutes. The objective is 5 s.",
            quantile(0.99, slo_queries.SETTLEMENT),
            unit=p.SECONDS,
            steps=p.SETTLE_WITHIN,
            no_value="no orders",
            runbook="queue-backlog",
        ),
        p.figure(
            "Dead letters",
            "Messages in dead-letter queues. Each needs an operator's attention.",
            gauge(Metric.SQS_VISIBLE, DEAD_LETTER_QUEUES),
            unit=p.COUNT,
            steps=p.ANY_IS_BAD,
            runbook="dead-letters",
        ),
    ]
    objectives = [
        p.figure(
            "Settlement error budget",
            "Remaining error budget for the time range; the objective is that 99.9 % of finished orders are "
            "settled. Expired and unreadable orders count as failures. Below zero the objective is missed.",
            slo_queries.settlement_budget_left(increase_in_view),
            unit=p.SHARE,
            steps=p.BUDGET,
            below=p.RED,
            at_end_of_view=True,
            decimals=1,
            runbook="orders-not-settled",
        ),
        p.figure(
            "Speed error budget",
            "Remaining error budget for the time range; the objective is that 99 % of orders settle within 5"
            " s. Below zero the objective is missed.",
            slo_queries.speed_budget_left(increase_in_view),
            unit=p.SHARE,
            steps=p.BUDGET,
            below=p.RED,
            at_end_of_view=True,
            decimals=1,
            runbook="queue-backlog",
        ),
        p.figure(
            "Scrapes succeeded",
            "Whether Prometheus can scrape /metrics. The endpoint answers 503 when its metrics are over 5 "
            "minutes old.",
            f"min ({series('up')})",
            unit=p.SHARE,
            steps=((1, p.GREEN),),
            below=p.RED,
            no_value="not scraped",
        ),
        p.figure(
            "Age of the metrics",
            "Time since the collector last ran; it runs every minute.",
            slo_queries.snapshot_age(),
            unit=p.SECONDS,
            steps=p.STALE_METRICS,
        ),
        p.figure(
            "Age of closed metrics",
            "Age of the newest closed minute, usually an hour. Younger minutes are read each minute; "
            "older ones once an hour, for data that is up to a day late.",
            slo_queries.watermark_age(),
            unit=p.SECONDS,
        ),
    ]
    return Section("Now", [traffic, objectives])


def _business() -> Section:
    return Section(
        "Business",
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
                    "Payments by outcome",
                    "Charges and refunds per second by outcome.",
                    Query(rate(Metric.PAYMENTS, by=Label.OUTCOME), legend(Label.OUTCOME)),
                    unit=p.PAYMENTS_PER_SECOND,
                    stacked=True,
                    runbook="payment-gateway-down",
                ),
            ],
            [
                p.graph(
                    "Units moved",
                    "Units of stock per second by operation. Reserved units are later confirmed or released;"
                    " a refund may restock them.",
                    Query(rate(Metric.INVENTORY_UNITS, by=Label.OPERATION), legend(Label.OPERATION)),
                    unit=p.UNITS_PER_SECOND,
                ),
                p.graph(
                    "Events published",
                    "Events published by the services, per second.",
                    Query(rate(Metric.EVENTS_PUBLISHED, by=Label.EVENT), legend(Label.EVENT)),
                    unit=p.EVENTS_PER_SECOND,
                    stacked=True,
                ),
            ],
        ],
    )


def _latency() -> Section:
    return Section(
        "Latency",
        [
            [
                p.quantiles(
                    "Placed to settled",
                    "Time from placing an order to settling its payment. The dashed line is the objective.",
                    slo_queries.SETTLEMENT,
                    steps=p.SETTLE_WITHIN,
                    runbook="queue-backlog",
                ),
                p.heatmap(
                    "Placed to settled, distribution",
                    "Number of orders by time from placed to settled. Shows groups that percentiles hide.",
                    slo_queries.SETTLEMENT,
                ),
            ]
        ],
    )


def _health() -> Section:
    return Section(
        "Health",
        [
            [
                p.graph(
                    "Messages waiting",
                    "Messages waiting in each queue. Delayed messages, such as those of the expiry queue, "
                    "are not included.",
                    Query(
                        gauge(Metric.SQS_VISIBLE, WORK_QUEUES, how="max", by=Label.QUEUE), legend(Label.QUEUE)
                    ),
                    unit=p.COUNT,
                    runbook="queue-backlog",
                ),
                p.graph(
                    "Function errors",
                    "Failed invocations per second. Their messages are retried.",
                    Query(rate(Metric.LAMBDA_ERRORS, by=Label.FUNCTION_NAME), legend(Label.FUNCTION_NAME)),
                    unit=p.CALLS_PER_SECOND,
                    runbook="replay-after-bug-fix",
                ),
            ]
        ],
    )
