"""The few shapes of PromQL that the dashboards are made of.

Every selector is bound to the dashboard's job and environment. A counter is only ever seen through `rate` or
`increase`, inside a sum: the sum of the rates, never the rate of a sum, to which a reset is lost.
"""

from collections.abc import Callable
from functools import partial

Expression = str
Change = Callable[..., Expression]
"""How a counter changed: `rate`, or one of the two increases."""

_CHOSEN = 'job=~"$job", environment=~"$environment"'
CHOSEN_FUNCTION = 'function_name=~"$function"'
CHOSEN_QUEUE = 'queue=~"$queue"'
DEAD_LETTERS = 'queue=~".*-dlq"'
CONSUMED = 'queue!~".*-dlq"'


def series(metric: str, *matchers: str) -> Expression:
    """Select a metric in the chosen environment."""
    return f"{metric}{{{', '.join((_CHOSEN, *matchers))}}}"


def total(function: str, metric: str, *matchers: str, by: str = "", over: str) -> Expression:
    """Add up what a range function makes of a counter."""
    return f"{_aggregate('sum', by)} ({function}({series(metric, *matchers)}[{over}]))"


rate: Change = partial(total, "rate", over="$__rate_interval")
"""Per second."""
increase: Change = partial(total, "increase", over="$__rate_interval")
"""Within a few minutes of each point."""
increase_in_view: Change = partial(total, "increase", over="$__range")
"""Within the whole time range on the screen."""


def gauge(metric: str, *matchers: str, how: str = "sum", by: str = "") -> Expression:
    return f"{_aggregate(how, by)} ({series(metric, *matchers)})"


def quantile(q: float, histogram: str, *matchers: str) -> Expression:
    return f"histogram_quantile({q:g}, {rate(f'{histogram}_bucket', *matchers, by='le')})"


def share(part: Expression, whole: Expression) -> Expression:
    """Divide, where there is something to divide by; a share of nothing is absent."""
    return f"({part}) / (({whole}) > 0)"


def otherwise(expression: Expression, value: float) -> Expression:
    """Answer with a constant where there is nothing; only for where that constant is the truth."""
    return f"({expression}) or vector({value:g})"


def mean(metric: str, *matchers: str, by: str = "", change: Change = rate) -> Expression:
    """Average what a histogram or a summary observed."""
    return share(change(f"{metric}_sum", *matchers, by=by), change(f"{metric}_count", *matchers, by=by))


def plus(*terms: Expression) -> Expression:
    return " + ".join(terms)


def times(term: Expression, factor: float | Expression) -> Expression:
    return f"{term} * {factor if isinstance(factor, str) else f'{factor:.12g}'}"


def _aggregate(how: str, by: str) -> str:
    return f"{how} by ({by})" if by else how


def within(label: str, *values: str) -> str:
    """Match a label against some values."""
    return f'{label}="{values[0]}"' if len(values) == 1 else f'{label}=~"{"|".join(values)}"'
