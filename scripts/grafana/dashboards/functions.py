"""How the Lambda functions do: rate, errors, duration, and how full they are."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from scripts.grafana import panels as p
from scripts.grafana.costs import gb_seconds
from scripts.grafana.layout import Section, board, function_variable
from scripts.grafana.panels import Column, Query
from scripts.grafana.promql import CHOSEN_FUNCTION, gauge, increase_in_view, mean, rate, share

_BY = "function_name"
_LEGEND = "{{function_name}}"
_INVOCATIONS, _ERRORS, _THROTTLES = (
    f"aws_lambda_{what}_total" for what in ("invocations", "errors", "throttles")
)


def build() -> Dashboard:
    description = "Invocations, errors, duration and concurrency of every function."
    sections = [_calls(), _durations(), _summary()]
    return board(
        "pulsequeue-functions", "Lambda performance", description, sections, variables=[function_variable()]
    )


def _calls() -> Section:
    failing = share(rate(_ERRORS, CHOSEN_FUNCTION, by=_BY), rate(_INVOCATIONS, CHOSEN_FUNCTION, by=_BY))
    return Section(
        "Calls",
        [
            [
                p.graph(
                    "Invocations",
                    "Calls per second. A consumer is called once for a batch, not once for an order.",
                    Query(rate(_INVOCATIONS, CHOSEN_FUNCTION, by=_BY), _LEGEND),
                    unit=p.CALLS_PER_SECOND,
                ),
                p.graph(
                    "Errors",
                    "Calls per second that raised or timed out.",
                    Query(rate(_ERRORS, CHOSEN_FUNCTION, by=_BY), _LEGEND),
                    unit=p.CALLS_PER_SECOND,
                    runbook="after-a-bug",
                ),
                p.graph(
                    "Throttles",
                    "Calls per second that AWS refused because the function or the account was at its limit.",
                    Query(rate(_THROTTLES, CHOSEN_FUNCTION, by=_BY), _LEGEND),
                    unit=p.CALLS_PER_SECOND,
                    runbook="backlog",
                ),
            ],
            [
                p.graph(
                    "Share of calls that fail",
                    "Errors as a share of the calls of the last minutes; absent where there were no calls.",
                    Query(failing, _LEGEND),
                    unit=p.SHARE,
                    steps=((0.01, p.YELLOW), (0.05, p.RED)),
                    runbook="after-a-bug",
                ),
                p.graph(
                    "Running at once",
                    "The most executions that ran at the same time in each minute.",
                    Query(
                        gauge("aws_lambda_concurrent_executions", CHOSEN_FUNCTION, how="max", by=_BY), _LEGEND
                    ),
                    unit=p.COUNT,
                ),
            ],
        ],
    )


def _durations() -> Section:
    longest = gauge("aws_lambda_duration_maximum_seconds", CHOSEN_FUNCTION, how="max", by=_BY)
    return Section(
        "Durations",
        [
            [
                p.graph(
                    "Average duration",
                    "What a call took on average, without the time a cold start adds; absent where there "
                    "were no calls.",
                    Query(mean("aws_lambda_duration_seconds", CHOSEN_FUNCTION, by=_BY), _LEGEND),
                    unit=p.SECONDS,
                ),
                p.graph(
                    "Longest call",
                    "The longest call of each minute; absent where there were no calls.",
                    Query(longest, _LEGEND),
                    unit=p.SECONDS,
                ),
                p.graph(
                    "Memory time",
                    "Gigabytes of memory held times the seconds they were held, per second: what Lambda "
                    "bills.",
                    Query(gb_seconds(rate, CHOSEN_FUNCTION), _LEGEND),
                    unit=p.GB_SECONDS_PER_SECOND,
                    stacked=True,
                ),
            ]
        ],
    )


def _summary() -> Section:
    average = mean("aws_lambda_duration_seconds", CHOSEN_FUNCTION, by=_BY, change=increase_in_view)
    return Section(
        "Summary",
        [
            [
                p.listing(
                    "Functions in view",
                    "Each function over the time range on the screen. Counts are extrapolated to its edges "
                    "and so "
                    "need not be whole.",
                    _BY,
                    "Function",
                    Column("Calls", increase_in_view(_INVOCATIONS, CHOSEN_FUNCTION, by=_BY), p.COUNT),
                    Column("Errors", increase_in_view(_ERRORS, CHOSEN_FUNCTION, by=_BY), p.COUNT),
                    Column("Throttles", increase_in_view(_THROTTLES, CHOSEN_FUNCTION, by=_BY), p.COUNT),
                    Column("Average duration", average, p.SECONDS),
                ),
            ]
        ],
    )
