"""Extracting series names, and nothing else, from PromQL."""

import pytest

from tests.monitoring.promql import metric_names


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("up", {"up"}),
        ("up == 0", {"up"}),
        ('orders_total{outcome="expired",job=~"pulse.*"}', {"orders_total"}),
        ('a{text="b{c} or d"} - b{text=\'"c"\'}', {"a", "b"}),
        ("rate(orders_total[5m])", {"orders_total"}),
        ("max_over_time(rate(a[5m])[1h:30s])", {"a"}),
        ("sum by (environment, le) (rate(a_bucket[5m]))", {"a_bucket"}),
        ("sum(rate(a[5m])) by (environment)", {"a"}),
        ("SUM BY (x) (a) OR b", {"a", "b"}),
        ("a * on (environment) group_left (version) b", {"a", "b"}),
        ("a / ignoring (code) b unless c", {"a", "b", "c"}),
        ("environment:orders_late:ratio_rate5m > 14.4 * 0.01", {"environment:orders_late:ratio_rate5m"}),
        ("a offset 1h30m > 1e3 and b @ start()", {"a", "b"}),
        ("topk(3, a) or vector(0)", {"a"}),
        ("histogram_quantile(0.99, a) > bool Inf", {"a"}),
        ("a # b\n+ c", {"a", "c"}),
        ('{__name__="a",job="b"}', {"a"}),
        ("time() - count", set()),
        ("sum_over_time(summary[5m])", {"summary"}),
    ],
)
def test_the_series_of_an_expression_are_found(expression: str, names: set[str]) -> None:
    assert metric_names(expression) == names


@pytest.mark.parametrize("expression", ['{__name__=~"orders_.*"}', 'a{b="c"', "sum by (a"])
def test_what_cannot_be_told_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"by pattern|never closed"):
        metric_names(expression)
