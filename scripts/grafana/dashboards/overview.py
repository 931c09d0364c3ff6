"""Is business going, is it quick, is anything wrong: the page to open first."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from scripts.grafana import panels as p
from scripts.grafana import slo_queries
from scripts.grafana.layout import Section, board
from scripts.grafana.panels import Query
from scripts.grafana.promql import (
    CONSUMED,
    DEAD_LETTERS,
    gauge,
    increase_in_view,
    quantile,
    rate,
    series,
)


def build() -> Dashboard:
    description = "Orders, money, stock and the health of the pipeline on one page."
    sections = [_now(), _business(), _latency(), _health()]
    return board("pulsequeue-overview", "Overview", description, sections)


def _now() -> Section:
    traffic = [
        p.figure(
            "Orders placed",
            "Orders per second whose stock was reserved or that were turned down. Repeats do not count.",
            slo_queries.placed(rate),
            unit=p.ORDERS_PER_SECOND,
        ),
        p.figure(
            "Orders paid",
            "Share of the orders placed in view whose payment succeeded. Rejections lower it as declines do.",
            slo_queries.paid_share(increase_in_view),
            unit=p.SHARE,
            nothing="no orders",
            at_end_of_view=True,
            decimals=1,
        ),
        p.figure(
            "Settled within, 99 of 100",
            "The time from placed to settled that 99 of 100 orders of the last minutes stayed under. "
            "The objective is 5 s.",
            quantile(0.99, slo_queries.SETTLEMENT),
            unit=p.SECONDS,
            steps=p.SETTLE_WITHIN,
            nothing="no orders",
            runbook="backlog",
        ),
        p.figure(
            "Dead letters",
            "Messages in dead-letter queues: each is an order or a payment that somebody has to look at.",
            gauge("aws_sqs_messages_visible", DEAD_LETTERS),
            unit=p.COUNT,
            steps=p.ANY_IS_BAD,
            runbook="dead-letters",
        ),
    ]
    trust = [
        p.figure(
            "Settlement budget left",
            "Share of the error budget that the orders which ended in view left over: 99.9 % have to end as "
            "they "
            "should. An order fails by running out its hold, or by not being readable. Below zero the "
            "objective was missed.",
            slo_queries.settlement_budget_left(increase_in_view),
            unit=p.SHARE,
            steps=p.BUDGET,
            below=p.RED,
            at_end_of_view=True,
            decimals=1,
            runbook="stuck-reservations",
        ),
        p.figure(
            "Speed budget left",
            "Share of the error budget left over by the orders settled in view: 99 % within 5 s. Below zero "
            "the "
            "objective was missed.",
            slo_queries.speed_budget_left(increase_in_view),
            unit=p.SHARE,
            steps=p.BUDGET,
            below=p.RED,
            at_end_of_view=True,
            decimals=1,
            runbook="backlog",
        ),
        p.figure(
            "Scrapes answered",
            "Whether Prometheus reaches /metrics. It is refused on purpose when the numbers are over 5 "
            "minutes old.",
            f"min ({series('up')})",
            unit=p.SHARE,
            steps=((1, p.GREEN),),
            below=p.RED,
            nothing="not scraped",
        ),
        p.figure(
            "Age of the numbers",
            "How long ago the collector last brought the numbers up to date; it does so every minute.",
            slo_queries.age_of_numbers(),
            unit=p.SECONDS,
            steps=p.STALE_NUMBERS,
        ),
        p.figure(
            "Final up to",
            "How long ago the newest minute was that can no longer change. An hour is usual: that long, what "
            "CloudWatch learns late is still added. What is shown of younger minutes can only grow.",
            slo_queries.age_of_final_numbers(),
            unit=p.SECONDS,
        ),
    ]
    return Section("Now", [traffic, trust])


def _business() -> Section:
    return Section(
        "Business",
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
                    "Payments by outcome",
                    "What became of charges and refunds, per second.",
                    Query(rate("payments_total", by="outcome"), "{{outcome}}"),
                    unit=p.PAYMENTS_PER_SECOND,
                    stacked=True,
                    runbook="gateway-down",
                ),
            ],
            [
                p.graph(
                    "Units moved",
                    "Pieces of stock per second. What is reserved is later confirmed or released; a refund "
                    "can "
                    "bring it back.",
                    Query(rate("inventory_units_total", by="operation"), "{{operation}}"),
                    unit=p.PIECES_PER_SECOND,
                ),
                p.graph(
                    "Events published",
                    "Events the services put on the bus, per second.",
                    Query(rate("events_published_total", by="event"), "{{event}}"),
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
                    "How long orders take from being placed until their payment is decided. The line is the "
                    "objective.",
                    slo_queries.SETTLEMENT,
                    steps=p.SETTLE_WITHIN,
                    runbook="backlog",
                ),
                p.heatmap(
                    "Placed to settled, all orders",
                    "How many orders took how long. Two bands tell of two kinds of order, which percentiles "
                    "hide.",
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
                    "Messages ready to be taken, by queue. The expiry queue is filled for the length of the "
                    "hold; "
                    "its messages are delayed and not counted here.",
                    Query(gauge("aws_sqs_messages_visible", CONSUMED, how="max", by="queue"), "{{queue}}"),
                    unit=p.COUNT,
                    runbook="backlog",
                ),
                p.graph(
                    "Function errors",
                    "Invocations per second that ended in an error. Their messages come again.",
                    Query(rate("aws_lambda_errors_total", by="function_name"), "{{function_name}}"),
                    unit=p.CALLS_PER_SECOND,
                    runbook="after-a-bug",
                ),
            ]
        ],
    )
