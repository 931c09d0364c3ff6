"""What the pipeline costs by list price, by the hour and by the order."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from scripts.grafana import costs, slo_queries
from scripts.grafana import panels as p
from scripts.grafana.layout import Section, board
from scripts.grafana.panels import Query
from scripts.grafana.promql import increase_in_view, rate, share, times, within

_HOUR = 3600
_VIEW = "$__range_s"
_MONTH = 730 * _HOUR


def build() -> Dashboard:
    description = (
        "List prices of us-east-1, on demand, without free tiers, applied to what was counted. Logs, custom "
        "metrics as such, storage and the gateway are left out."
    )
    return board("pulsequeue-cost", "Pipeline cost", description, [_sums(), _parts(), _amounts()])


def _sums() -> Section:
    per_second = costs.everything(rate, "1")
    in_view = costs.everything(increase_in_view, _VIEW)
    per_thousand = times(f"({share(in_view, slo_queries.placed(increase_in_view))})", 1000)
    return Section(
        "Sums",
        [
            [
                p.figure(
                    "Per hour",
                    "What an hour like the last minutes costs.",
                    times(f"({per_second})", _HOUR),
                    unit=p.DOLLARS,
                    decimals=4,
                ),
                p.figure(
                    "Per month",
                    "What a month like the last minutes costs, at 730 hours.",
                    times(f"({per_second})", _MONTH),
                    unit=p.DOLLARS,
                    decimals=2,
                ),
                p.figure(
                    "In view",
                    "What the time range on the screen cost.",
                    in_view,
                    unit=p.DOLLARS,
                    at_end_of_view=True,
                    decimals=4,
                ),
                p.figure(
                    "Per 1,000 orders",
                    "What the time range on the screen cost, per 1,000 orders placed in it. With few orders, "
                    "most of it is what runs anyway.",
                    per_thousand,
                    unit=p.DOLLARS,
                    nothing="no orders",
                    at_end_of_view=True,
                    decimals=4,
                ),
            ]
        ],
    )


def _parts() -> Section:
    per_second = costs.components(rate, "1")
    compute = times(costs.gb_seconds(rate), costs.LAMBDA_GB_SECOND * _HOUR)
    return Section(
        "Parts",
        [
            [
                p.graph(
                    "By service",
                    "What each service would cost per hour at the pace of the moment.",
                    *(Query(times(f"({cost})", _HOUR), service) for service, cost in per_second.items()),
                    unit=p.DOLLARS,
                    stacked=True,
                ),
                p.graph(
                    "Lambda compute by function",
                    "What each function's memory time would cost per hour at the pace of the moment.",
                    Query(compute, "{{function_name}}"),
                    unit=p.DOLLARS,
                    stacked=True,
                ),
            ]
        ],
    )


def _amounts() -> Section:
    placed = slo_queries.placed(increase_in_view)
    writes = increase_in_view("dynamodb_capacity_units_total", within("kind", "write"))
    calls = increase_in_view("aws_lambda_invocations_total")
    return Section(
        "What is paid for, per order",
        [
            [
                p.figure(
                    "Write units per order",
                    "DynamoDB write units per order placed in view. Batches that fill well need fewer.",
                    share(writes, placed),
                    unit=p.COUNT,
                    nothing="no orders",
                    at_end_of_view=True,
                    decimals=2,
                ),
                p.figure(
                    "Calls per order",
                    "Lambda calls per order placed in view, those that run by the clock included.",
                    share(calls, placed),
                    unit=p.COUNT,
                    nothing="no orders",
                    at_end_of_view=True,
                    decimals=2,
                ),
                p.figure(
                    "Events per order",
                    "Events on the bus per order placed in view.",
                    f"1 + {share(increase_in_view('events_published_total'), placed)}",
                    unit=p.COUNT,
                    nothing="no orders",
                    at_end_of_view=True,
                    decimals=2,
                ),
                p.figure(
                    "Metrics asked for",
                    "Metrics asked of CloudWatch in view. The same however many Prometheus servers scrape.",
                    increase_in_view("pulsequeue_metrics_requested_total"),
                    unit=p.COUNT,
                    at_end_of_view=True,
                    decimals=0,
                ),
            ]
        ],
    )
