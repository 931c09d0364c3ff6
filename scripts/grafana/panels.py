"""The kinds of panel that the dashboards use."""

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import TypeVar

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as board_builders
from grafana_foundation_sdk.builders import heatmap as heatmaps
from grafana_foundation_sdk.builders import prometheus, stat, table, timeseries
from grafana_foundation_sdk.models import common, dashboard, units
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from scripts.grafana import promql
from scripts.grafana.runbooks import runbooks_url
from services.shared.metric_names import Label, Metric

DATASOURCE = common.DataSourceRef(type_val="prometheus", uid="${datasource}")

MIN_STEP = "1m"
"""Metrics change once a minute. Grafana also takes this as the scrape interval, which makes $__rate_interval
at least four minutes and so tolerates late minutes."""

"""Where docs/runbooks is published; change it here when the repository moves."""

# Units that Grafana does not define are given as a suffix.
ORDERS_PER_SECOND = "suffix: orders/s"
PAYMENTS_PER_SECOND = "suffix: payments/s"
UNITS_PER_SECOND = "suffix: units/s"
CAPACITY_PER_SECOND = "suffix: capacity units/s"
GB_SECONDS_PER_SECOND = "suffix: GB-s/s"
CALLS_PER_SECOND = "suffix: calls/s"
EVENTS_PER_SECOND = str(units.EventsPerSecond)
COUNT = str(units.Short)
SECONDS = str(units.Seconds)
SHARE = str(units.PercentUnit)
DOLLARS = str(units.Dollars)

GREEN, YELLOW, RED = "green", "yellow", "red"
Steps = Sequence[tuple[float, str]]
"""The colour from each value on; values below the first are green, or the colour of `below`."""

ANY_IS_BAD: Steps = ((1, RED),)
SETTLE_WITHIN: Steps = ((2.5, YELLOW), (5, RED))
BUDGET: Steps = ((0, YELLOW), (0.25, GREEN))
STALE_METRICS: Steps = ((150, YELLOW), (300, RED))
"""One minute late; too old for /metrics to serve."""

Panel = stat.Panel | timeseries.Panel | heatmaps.Panel | table.Panel
AnyPanel = TypeVar("AnyPanel", stat.Panel, timeseries.Panel, heatmaps.Panel, table.Panel)


class Link(board_builders.DashboardLink):
    """A link shown on the page; the SDK's default placement hides it in a menu."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self._internal.placement = None  # type: ignore[assignment]  # left out when it is None, typed or not


@dataclass(frozen=True, slots=True)
class Query:
    expression: promql.Expression
    legend: str = ""
    """A template over labels, such as {{outcome}}, or a plain name."""


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    expression: promql.Expression
    unit: str


def figure(  # noqa: PLR0913 - all but three are keyword-only
    title: str,
    description: str,
    expression: promql.Expression,
    *,
    unit: str,
    steps: Steps = (),
    below: str = GREEN,
    no_value: str = "no data",
    at_end_of_view: bool = False,
    decimals: int | None = None,
    runbook: str | None = None,
) -> stat.Panel:
    """Show one number: the current value, or with `at_end_of_view` one value for the whole time range."""
    panel = (
        stat.Panel()
        .unit(unit)
        .no_value(no_value)
        .color_mode(common.BigValueColorMode.VALUE if steps else common.BigValueColorMode.NONE)
        .graph_mode(common.BigValueGraphMode.NONE if at_end_of_view else common.BigValueGraphMode.AREA)
        .reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(_thresholds(steps, below))
        .height(4)
    )
    if decimals is not None:
        panel.decimals(decimals)
    query = _target(Query(expression), 0)
    return _described(panel, title, description, runbook).targets(
        [query.instant() if at_end_of_view else query]
    )


def graph(  # noqa: PLR0913 - as above
    title: str,
    description: str,
    *queries: Query,
    unit: str,
    stacked: bool = False,
    steps: Steps = (),
    runbook: str | None = None,
) -> timeseries.Panel:
    """Show values over time; with steps, a dashed line at each threshold."""
    panel = (
        timeseries.Panel()
        .unit(unit)
        .min(0)
        .line_width(1)
        .fill_opacity(30 if stacked else 10)
        .show_points(common.VisibilityMode.NEVER)
        .stacking(
            common_builders.StackingConfig().mode(
                common.StackingMode.NORMAL if stacked else common.StackingMode.NONE
            )
        )
        .legend(
            common_builders.VizLegendOptions()
            .display_mode(common.LegendDisplayMode.TABLE)
            .placement(common.LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs(["lastNotNull", "max"])
        )
        .tooltip(
            common_builders.VizTooltipOptions()
            .mode(common.TooltipDisplayMode.MULTI)
            .sort(common.SortOrder.DESCENDING)
        )
        .thresholds(_thresholds(steps, GREEN))
        .height(8)
    )
    if steps:
        panel.thresholds_style(
            common_builders.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED)
        )
    targets = [_target(query, index) for index, query in enumerate(queries)]
    return _described(panel, title, description, runbook).targets([*targets])


def quantiles(
    title: str,
    description: str,
    histogram: Metric,
    *,
    steps: Steps = (),
    runbook: str | None = None,
) -> timeseries.Panel:
    """Show the median, the 95th and the 99th percentile of a histogram."""
    queries = [Query(promql.quantile(q, histogram), f"p{q * 100:.0f}") for q in (0.5, 0.95, 0.99)]
    return graph(title, description, *queries, unit=SECONDS, steps=steps, runbook=runbook)


def heatmap(title: str, description: str, histogram: Metric) -> heatmaps.Panel:
    """Show the distribution of a histogram over its buckets."""
    target = _target(Query(promql.increase(histogram.bucket, by=Label.BOUND), promql.legend(Label.BOUND)), 0)
    panel = (
        heatmaps.Panel()
        # Prometheus has already bucketed the values.
        .calculate(False)
        .color(heatmaps.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Spectral").steps(64))
        .cell_gap(1)
        .cell_values(heatmaps.CellValues().unit(COUNT))
        .y_axis(heatmaps.YAxisConfig().unit(SECONDS))
        .filter_values(heatmaps.FilterValueRange().le(1e-9))
        .tooltip(heatmaps.HeatmapTooltip().mode(common.TooltipDisplayMode.SINGLE).y_histogram(True))
        .show_legend()
        .unit(SECONDS)
        .height(8)
    )
    return _described(panel, title, description).targets([target.format(PromQueryFormat.HEATMAP)])


def summary_table(
    title: str, description: str, label: str, name: str, *columns: Column, runbook: str | None = None
) -> table.Panel:
    """Show a table with a row for each value of a label, over the dashboard's time range."""
    panel = table.Panel().unit(COUNT).filterable(True).height(8)
    headings = {label: name}
    for index, column in enumerate(columns):
        headings[f"Value #{ascii_uppercase[index]}"] = column.name
        panel.override_by_name(column.name, [dashboard.DynamicConfigValue("unit", column.unit)])
    panel.with_transformation(dashboard.DataTransformerConfig("merge", options={}))
    panel.with_transformation(
        dashboard.DataTransformerConfig(
            "organize", options={"excludeByName": {"Time": True}, "renameByName": headings}
        )
    )
    targets = [
        _target(Query(column.expression), index).instant().format(PromQueryFormat.TABLE)
        for index, column in enumerate(columns)
    ]
    return _described(panel, title, description, runbook).targets([*targets])


def _described(panel: AnyPanel, title: str, description: str, runbook: str | None = None) -> AnyPanel:
    panel.title(title).description(description).datasource(DATASOURCE).interval(MIN_STEP)
    if runbook is not None:
        link = Link(f"Runbook: {runbook.replace('-', ' ')}")
        panel.links(
            [
                link.type(dashboard.DashboardLinkType.LINK)
                .url(f"{runbooks_url()}/{runbook}.md")
                .target_blank(True)
            ]
        )
    return panel


def _target(query: Query, index: int) -> prometheus.Dataquery:
    target = (
        prometheus.Dataquery()
        .expr(query.expression)
        .ref_id(ascii_uppercase[index])
        .datasource(DATASOURCE)
        .interval(MIN_STEP)
        .range()
    )
    return target.legend_format(query.legend) if query.legend else target


def _thresholds(steps: Steps, below: str) -> board_builders.ThresholdsConfig:
    colours = [dashboard.Threshold(value=value, color=colour) for value, colour in steps]
    return (
        board_builders.ThresholdsConfig()
        .mode(dashboard.ThresholdsMode.ABSOLUTE)
        .steps([dashboard.Threshold(color=below), *colours])
    )
