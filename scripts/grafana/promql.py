"""The forms of PromQL that the dashboards use.

Every selector is bound to the dashboard's job and environment. A counter appears only inside `rate` or
`increase` within a sum: a sum of rates, because a rate of a sum misses counter resets.
"""

from collections.abc import Callable
from functools import partial

from services.shared.metric_names import Consumer, Label, Metric

Expression = str
Change = Callable[..., Expression]
"""`rate` or one of the two increases."""

_SELECTED = f'job=~"$job", {Label.ENVIRONMENT}=~"$environment"'
SELECTED_FUNCTION = f'{Label.FUNCTION_NAME}=~"$function"'
SELECTED_QUEUE = f'{Label.QUEUE}=~"$queue"'
DEAD_LETTER_QUEUES = f'{Label.QUEUE}=~".*-dlq"'
WORK_QUEUES = f'{Label.QUEUE}!~".*-dlq"'


def series(metric: str, *matchers: str) -> Expression:
    """Select a metric in the selected environment."""
    return f"{metric}{{{', '.join((_SELECTED, *matchers))}}}"


def total(function: str, metric: str, *matchers: str, by: str = "", over: str) -> Expression:
    """Sum a range function over a counter."""
    return f"{_aggregate('sum', by)} ({function}({series(metric, *matchers)}[{over}]))"


rate: Change = partial(total, "rate", over="$__rate_interval")
"""Per second."""
increase: Change = partial(total, "increase", over="$__rate_interval")
"""Over the few minutes before each point."""
increase_in_view: Change = partial(total, "increase", over="$__range")
"""Over the dashboard's time range."""


def gauge(metric: str, *matchers: str, how: str = "sum", by: str = "") -> Expression:
    return f"{_aggregate(how, by)} ({series(metric, *matchers)})"


def quantile(q: float, histogram: Metric, *matchers: str) -> Expression:
    return f"histogram_quantile({q:g}, {rate(histogram.bucket, *matchers, by=Label.BOUND)})"


def share(part: Expression, whole: Expression) -> Expression:
    """Divide; no result where the whole is zero."""
    return f"({part}) / (({whole}) > 0)"


def otherwise(expression: Expression, value: float) -> Expression:
    """Use a constant where there is no data; only where that constant is true."""
    return f"({expression}) or vector({value:g})"


def mean(metric: Metric, *matchers: str, by: str = "", change: Change = rate) -> Expression:
    """Average of the observations of a histogram or summary."""
    return share(change(metric.sum, *matchers, by=by), change(metric.observations, *matchers, by=by))


def plus(*terms: Expression) -> Expression:
    return " + ".join(terms)


def times(term: Expression, factor: float | Expression) -> Expression:
    return f"{term} * {factor if isinstance(factor, str) else f'{factor:.12g}'}"


def _aggregate(how: str, by: str) -> str:
    return f"{how} by ({by})" if by else how


def within(label: Label, *values: str) -> str:
    """Match a label against one or more values."""
    return f'{label}="{values[0]}"' if len(values) == 1 else f'{label}=~"{"|".join(values)}"'


def consumer_queue(consumer: Consumer) -> str:
    """Match the queue of one consumer."""
    return f'{Label.QUEUE}=~".*-pulsequeue-{consumer}"'


def legend(*labels: Label) -> str:
    """Name each line by the values of its labels."""
    return " ".join(f"{{{{{label}}}}}" for label in labels)
