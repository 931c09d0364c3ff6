"""Cost of the pipeline at list prices, per hour and per order."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from scripts.grafana import costs, slo_queries
from scripts.grafana import panels as p
from scripts.grafana.layout import Section, board
from scripts.grafana.panels import Query
from scripts.grafana.promql import increase_in_view, legend, rate, share, times, within
from services.shared.metric_names import CapacityKind, Label, Metric

_HOUR = 3600
_VIEW = "$__range_s"
_MONTH = 730 * _HOUR


def build() -> Dashboard:
    description = (
        "Counted usage at on-demand list prices of us-east-1, without free tiers. Logs, the monthly price of "
        "custom metrics, storage and the API gateway are not included."
    )
    return board("pulsequeue-cost", "Pipeline cost", description, [_totals(), _breakdown(), _usage()])


def _totals() -> Section:
    per_second = costs.total(rate, "1")
    in_view = costs.total(increase_in_view, _VIEW)
    per_thousand = times(f"({share(in_view, slo_queries.placed(increase_in_view))})", 1000)
    return Section(
        "Totals",
        [
            [
                p.figure(
                    "Per hour",
                    "Cost of an hour at the current rate.",
                    times(f"({per_second})", _HOUR),
                    unit=p.DOLLARS,
                    decimals=4,
                ),
                p.figure(
                    "Per month",
                    "Cost of a month of 730 hours at the current rate.",
                    times(f"({per_second})", _MONTH),
                    unit=p.DOLLARS,
                    decimals=2,
                ),
                p.figure(
                    "In the time range",
                    "Cost over the selected time range.",
                    in_view,
                    unit=p.DOLLARS,
                    at_end_of_view=True,
                    decimals=4,
                ),
                p.figure(
                    "Per 1,000 orders",
                    "Cost over the selected time range per 1,000 orders placed in it. With few orders, fixed"
                    " costs dominate.",
                    per_thousand,
                    unit=p.DOLLARS,
                    no_value="no orders",
                    at_end_of_view=True,
                    decimals=4,
                ),
            ]
        ],
    )


def _breakdown() -> Section:
    per_second = costs.components(rate, "1")
    compute = times(costs.gb_seconds(rate), costs.LAMBDA_GB_SECOND * _HOUR)
    return Section(
        "Breakdown",
        [
            [
                p.graph(
                    "By service",
                    "Cost per hour of each AWS service at the current rate.",
                    *(Query(times(f"({cost})", _HOUR), service) for service, cost in per_second.items()),
                    unit=p.DOLLARS,
                    stacked=True,
                ),
                p.graph(
                    "Lambda compute by function",
                    "Compute cost per hour of each function at the current rate.",
                    Query(compute, legend(Label.FUNCTION_NAME)),
                    unit=p.DOLLARS,
                    stacked=True,
                ),
            ]
        ],
    )


def _usage() -> Section:
    placed = slo_queries.placed(increase_in_view)
    writes = increase_in_view(Metric.CAPACITY_UNITS, within(Label.KIND, CapacityKind.WRITE))
    calls = increase_in_view(Metric.LAMBDA_INVOCATIONS)
    return Section(
        "Billed usage per order",
        [
            [
                p.figure(
                    "Write units per order",
                    "DynamoDB write units per order placed in the time range. Fuller batches need fewer.",
                    share(writes, placed),
                    unit=p.COUNT,
                    no_value="no orders",
                    at_end_of_view=True,
                    decimals=2,
                ),
                p.figure(
                    "Invocations per order",
                    "Lambda invocations per order placed in the time range, scheduled ones included.",
                    share(calls, placed),
                    unit=p.COUNT,
                    no_value="no orders",
                    at_end_of_view=True,
                    decimals=2,
                ),
                p.figure(
                    "Events per order",
                    "Events on the bus per order placed in the time range.",
                    f"1 + {share(increase_in_view(Metric.EVENTS_PUBLISHED), placed)}",
                    unit=p.COUNT,
                    no_value="no orders",
                    at_end_of_view=True,
                    decimals=2,
                ),
                p.figure(
                    "Metrics requested",
                    "Metrics requested from CloudWatch in the time range. Independent of the number of "
                    "Prometheus servers.",
                    increase_in_view(Metric.REQUESTED),
                    unit=p.COUNT,
                    at_end_of_view=True,
                    decimals=0,
                ),
            ]
        ],
    )
