"""What all dashboards share: variables, links, refresh and panel layout."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard

from scripts.grafana.identifiers import DATASOURCE_NAME, DATASOURCE_UID, TAG
from scripts.grafana.panels import DATASOURCE, Link, Panel
from scripts.grafana.promql import series
from scripts.grafana.runbooks import runbooks_url
from services.shared.metric_names import Label, Metric

_COLUMNS = 24
_LABEL_VALUES = 1
"""The Prometheus data source's query type for label values."""

Line = Sequence[Panel]
"""Panels side by side, of equal width."""
Variable = Builder[dashboard.VariableModel]


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    lines: Sequence[Line]


def board(
    uid: str, title: str, description: str, sections: Sequence[Section], *, variables: Sequence[Variable] = ()
) -> dashboard.Dashboard:
    """Build a dashboard; panels are numbered in reading order so that links to them are stable."""
    builder = (
        builders.Dashboard(f"PulseQueue / {title}")
        .uid(uid)
        .description(description)
        .tags([TAG])
        # The next setup would overwrite edits made in Grafana; save a copy to experiment.
        .readonly()
        .refresh("10s")
        .time("now-1h", "now")
        .timezone("browser")
        .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
        .variables([_datasource(), _job(), _environment(), *variables])
        .links([_other_dashboards(), _runbooks()])
    )
    for section in sections:
        builder.with_row(builders.Row(section.title))
        for line in section.lines:
            for panel, width in zip(line, _widths(len(line)), strict=True):
                builder.with_panel(panel.span(width))
    built = builder.build()
    for number, panel_or_row in enumerate(built.panels or (), start=1):
        panel_or_row.id_val = number
    return built


def function_variable() -> Variable:
    return _choice("function", "Function", "Lambda functions", Metric.FUNCTION_MEMORY, Label.FUNCTION_NAME)


def queue_variable() -> Variable:
    return _choice(Label.QUEUE, "Queue", "Queues", Metric.SQS_VISIBLE, Label.QUEUE)


def _widths(count: int) -> Iterator[int]:
    for index in range(count):
        yield _COLUMNS * (index + 1) // count - _COLUMNS * index // count


def _datasource() -> Variable:
    return (
        builders.DatasourceVariable("datasource")
        .label("Data source")
        .description("The Prometheus that scrapes PulseQueue")
        .type("prometheus")
        .current(dashboard.VariableOption(selected=True, text=DATASOURCE_NAME, value=DATASOURCE_UID))
    )


def _job() -> Variable:
    query = f"label_values({Metric.INFO}, job)"
    return (
        _query("job", "Job", "The scrape job", query)
        .multi(True)
        .include_all(True)
        .all_value(".+")
        .current(_ALL)
    )


def _environment() -> Variable:
    # One at a time: a sum over local, dev and prod would be meaningless.
    query = f'label_values({Metric.INFO}{{job=~"$job"}}, {Label.ENVIRONMENT})'
    return _query(Label.ENVIRONMENT, "Environment", "The deployment to show", query)


def _choice(name: str, label: str, description: str, metric: Metric, values_of: Label) -> Variable:
    query = f"label_values({series(metric)}, {values_of})"
    return _query(name, label, description, query).multi(True).include_all(True).all_value(".+").current(_ALL)


def _query(name: str, label: str, description: str, query: str) -> builders.QueryVariable:
    return (
        builders.QueryVariable(name)
        .label(label)
        .description(description)
        .datasource(DATASOURCE)
        .query({"qryType": _LABEL_VALUES, "query": query, "refId": f"variable-{name}"})
        .definition(query)
        .refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(dashboard.VariableSort.ALPHABETICAL_ASC)
    )


def _other_dashboards() -> Link:
    return (
        Link("PulseQueue dashboards")
        .type(dashboard.DashboardLinkType.DASHBOARDS)
        .icon("dashboard")
        .tags([TAG])
        .as_dropdown(True)
        .include_vars(True)
        .keep_time(True)
    )


def _runbooks() -> Link:
    return (
        Link("Runbooks")
        .type(dashboard.DashboardLinkType.LINK)
        .icon("doc")
        .tooltip("What to do about each alert")
        .url(f"{runbooks_url()}/README.md")
        .target_blank(True)
    )


_ALL = dashboard.VariableOption(selected=True, text=["All"], value=["$__all"])
