"""Lambda functions: rate, errors, duration and concurrency."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from scripts.grafana import panels as p
from scripts.grafana.costs import gb_seconds
from scripts.grafana.layout import Section, board, function_variable
from scripts.grafana.panels import Column, Query
from scripts.grafana.promql import SELECTED_FUNCTION, gauge, increase_in_view, legend, mean, rate, share
from services.shared.metric_names import Label, Metric

_BY = Label.FUNCTION_NAME
_LEGEND = legend(_BY)


def build() -> Dashboard:
    description = "Invocations, errors, duration and concurrency of every function."
    sections = [_invocations(), _durations(), _summary()]
    return board(
        "pulsequeue-functions", "Lambda performance", description, sections, variables=[function_variable()]
    )


def _invocations() -> Section:
    failing = share(
        rate(Metric.LAMBDA_ERRORS, SELECTED_FUNCTION, by=_BY),
        rate(Metric.LAMBDA_INVOCATIONS, SELECTED_FUNCTION, by=_BY),
    )
    return Section(
        "Invocations",
        [
            [
                p.graph(
                    "Invocations",
                    "Invocations per second. A consumer is invoked once per batch, not once per order.",
                    Query(rate(Metric.LAMBDA_INVOCATIONS, SELECTED_FUNCTION, by=_BY), _LEGEND),
                    unit=p.CALLS_PER_SECOND,
                ),
                p.graph(
                    "Errors",
                    "Invocations per second that raised or timed out.",
                    Query(rate(Metric.LAMBDA_ERRORS, SELECTED_FUNCTION, by=_BY), _LEGEND),
                    unit=p.CALLS_PER_SECOND,
                    runbook="replay-after-bug-fix",
                ),
                p.graph(
                    "Throttles",
                    "Invocations per second that AWS throttled because the function or the account was at "
                    "its concurrency limit.",
                    Query(rate(Metric.LAMBDA_THROTTLES, SELECTED_FUNCTION, by=_BY), _LEGEND),
                    unit=p.CALLS_PER_SECOND,
                    runbook="queue-backlog",
                ),
            ],
            [
                p.graph(
                    "Error rate",
                    "Share of invocations in the last minutes that failed; no value without invocations.",
                    Query(failing, _LEGEND),
                    unit=p.SHARE,
                    steps=((0.01, p.YELLOW), (0.05, p.RED)),
                    runbook="replay-after-bug-fix",
                ),
                p.graph(
                    "Concurrent executions",
                    "Highest number of concurrent executions in each minute.",
                    Query(gauge(Metric.LAMBDA_CONCURRENT, SELECTED_FUNCTION, how="max", by=_BY), _LEGEND),
                    unit=p.COUNT,
                ),
            ],
        ],
    )


def _durations() -> Section:
    longest = gauge(Metric.LAMBDA_DURATION_MAXIMUM, SELECTED_FUNCTION, how="max", by=_BY)
    return Section(
        "Durations",
        [
            [
                p.graph(
                    "Average duration",
                    "Average duration of an invocation, cold starts not included; no value without "
                    "invocations.",
                    Query(mean(Metric.LAMBDA_DURATION, SELECTED_FUNCTION, by=_BY), _LEGEND),
                    unit=p.SECONDS,
                ),
                p.graph(
                    "Longest invocation",
                    "Longest invocation of each minute; no value without invocations.",
                    Query(longest, _LEGEND),
                    unit=p.SECONDS,
                ),
                p.graph(
                    "Memory time",
                    "Memory in GB times duration, per second: what Lambda bills.",
                    Query(gb_seconds(rate, SELECTED_FUNCTION), _LEGEND),
                    unit=p.GB_SECONDS_PER_SECOND,
                    stacked=True,
                ),
            ]
        ],
    )


def _summary() -> Section:
    average = mean(Metric.LAMBDA_DURATION, SELECTED_FUNCTION, by=_BY, change=increase_in_view)
    return Section(
        "Summary",
        [
            [
                p.summary_table(
                    "Functions",
                    "Each function over the selected time range. Counts are extrapolated to its edges and "
                    "may not be whole.",
                    _BY,
                    "Function",
                    Column(
                        "Invocations",
                        increase_in_view(Metric.LAMBDA_INVOCATIONS, SELECTED_FUNCTION, by=_BY),
                        p.COUNT,
                    ),
                    Column(
                        "Errors", increase_in_view(Metric.LAMBDA_ERRORS, SELECTED_FUNCTION, by=_BY), p.COUNT
                    ),
                    Column(
                        "Throttles",
                        increase_in_view(Metric.LAMBDA_THROTTLES, SELECTED_FUNCTION, by=_BY),
                        p.COUNT,
                    ),
                    Column("Average duration", average, p.SECONDS),
                ),
            ]
        ],
    )
