"""Dashboard rules: those of Grafana's dashboard linter, and a few of ours.

The linter's rules about an `instance` variable are left out: /metrics serves every scraper the same bytes, so
the instance carries no information. The variable `environment` takes its place.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from tests.monitoring.panels import Document, panels

Finding = str
Rule = Callable[[Document], Iterator[Finding]]

_STRING = re.compile(r'"[^"]*"')
_SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)\s*\{([^}]*)\}(?:\[([^\]]*)\])?")
_BARE_NAME = re.compile(r"(?<![\w$:])((?:aws|pulsequeue|audit|orders|payments|inventory)_\w+)(?![\w{])")
_RANGES = {"rate": {"$__rate_interval"}, "increase": {"$__rate_interval", "$__range"}}
_COUNTER = re.compile(r"_(total|sum|count|bucket)$")
_AGGREGATION = re.compile(r"sum\s*(by\s*\([^)]*\)\s*)?\(\s*$")


def lint(dashboard: Document) -> list[Finding]:
    return [f"{rule.__name__}: {finding}" for rule in RULES for finding in rule(dashboard)]


# --- The dashboard -----------------------------------------------------------------------------------------


def is_not_edited_in_grafana(dashboard: Document) -> Iterator[Finding]:
    if dashboard.get("editable", True):
        yield "is editable; the next `grafana setup` would overwrite the edits"


def has_a_stable_uid(dashboard: Document) -> Iterator[Finding]:
    if not re.fullmatch(r"pulsequeue-[a-z]{1,29}", dashboard.get("uid") or ""):
        yield f"uid {dashboard.get('uid')!r} does not match pulsequeue-<name>"
    if dashboard.get("id") is not None:
        yield "has an id, which is specific to one Grafana"


def refreshes_itself(dashboard: Document) -> Iterator[Finding]:
    if dashboard.get("refresh") != "10s":
        yield f"refreshes every {dashboard.get('refresh')!r}"


def has_a_data_source_variable(dashboard: Document) -> Iterator[Finding]:
    variable = _variable(dashboard, "datasource")
    if (variable.get("type"), variable.get("query")) != ("datasource", "prometheus"):
        yield "has no variable `datasource` over Prometheus data sources"


def has_a_job_variable(dashboard: Document) -> Iterator[Finding]:
    variable = _variable(dashboard, "job")
    if not (variable.get("multi") and variable.get("includeAll") and variable.get("allValue") == ".+"):
        yield "has no variable `job` with several values, or all of them as .+"


def has_an_environment_variable(dashboard: Document) -> Iterator[Finding]:
    variable = _variable(dashboard, "environment")
    if variable.get("type") != "query" or variable.get("multi"):
        yield "has no variable `environment` with one value at a time"


def refreshes_its_variables(dashboard: Document) -> Iterator[Finding]:
    for variable in _variables(dashboard):
        if variable["type"] == "query":
            if variable.get("refresh") != 2:
                yield f"variable {variable['name']} does not refresh when the time range changes"
            if variable.get("datasource", {}).get("uid") != "${datasource}":
                yield f"variable {variable['name']} uses a fixed data source"


def links_to_dashboards_and_runbooks(dashboard: Document) -> Iterator[Finding]:
    links = dashboard.get("links") or []
    if not any(link["type"] == "dashboards" and link["tags"] == ["pulsequeue"] for link in links):
        yield "does not link to the other dashboards"
    if any(link.get("placement") == "inControlsMenu" for link in links):
        yield "hides a link in a menu"
    if not any("/runbooks/" in (link.get("url") or "") for link in links):
        yield "does not link to the runbooks"
    if "pulsequeue" not in (dashboard.get("tags") or []):
        yield "lacks the tag `pulsequeue`, so the other dashboards do not list it"


# --- Panels -----------------------------------------------------------------------------------------------


def panels_have_titles_and_descriptions(dashboard: Document) -> Iterator[Finding]:
    for panel in panels(dashboard):
        if not panel.get("title") or not panel.get("description"):
            yield f"{_name(panel)} has no title or no description"


def panels_have_a_unit(dashboard: Document) -> Iterator[Finding]:
    for panel in panels(dashboard):
        if not panel.get("fieldConfig", {}).get("defaults", {}).get("unit"):
            yield f"{_name(panel)} has no unit"


def panels_are_numbered(dashboard: Document) -> Iterator[Finding]:
    numbers = [panel.get("id") for panel in dashboard.get("panels", ())]
    if None in numbers or len(set(numbers)) != len(numbers):
        yield "panels without unique ids"


def panels_do_not_overlap(dashboard: Document) -> Iterator[Finding]:
    taken: dict[tuple[int, int], str] = {}
    for panel in dashboard.get("panels", ()):
        at = panel["gridPos"]
        if at["x"] + at["w"] > 24:
            yield f"{_name(panel)} is wider than the grid"
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                if (x, y) in taken:
                    yield f"{_name(panel)} overlaps {taken[x, y]}"
                    return
                taken[x, y] = _name(panel)


def panels_use_the_chosen_data_source(dashboard: Document) -> Iterator[Finding]:
    for panel in panels(dashboard):
        for part in (panel, *panel.get("targets", ())):
            if part.get("datasource", {}).get("uid") != "${datasource}":
                yield f"{_name(panel)} uses a fixed data source"


def panels_step_by_the_minute(dashboard: Document) -> Iterator[Finding]:
    for panel in panels(dashboard):
        if panel.get("interval") != "1m" or any(
            target.get("interval") != "1m" for target in panel.get("targets", ())
        ):
            yield f"{_name(panel)} has a step finer than the metrics' resolution of 1 m"


# --- Queries ----------------------------------------------------------------------------------------------


def panels_have_queries(dashboard: Document) -> Iterator[Finding]:
    for panel in panels(dashboard):
        targets = panel.get("targets") or []
        if not targets or any(not (target.get("expr") or "").strip() for target in targets):
            yield f"{_name(panel)} has an empty target"


def targets_have_unique_ref_ids(dashboard: Document) -> Iterator[Finding]:
    for panel in panels(dashboard):
        ref_ids = [target.get("refId") for target in panel.get("targets", ())]
        if None in ref_ids or len(set(ref_ids)) != len(ref_ids):
            yield f"{_name(panel)} has targets with the same refId"


def selectors_match_job_and_environment(dashboard: Document) -> Iterator[Finding]:
    for name, expr in _expressions(dashboard):
        for metric, matchers, _ in _SELECTOR.findall(expr):
            if 'job=~"$job"' not in matchers or 'environment=~"$environment"' not in matchers:
                yield f"{name} does not filter {metric} by job and environment"
        for metric in _BARE_NAME.findall(_STRING.sub('""', _without_label_lists(expr))):
            yield f"{name} does not filter {metric} by job and environment"


def ranges_follow_the_scrape_interval(dashboard: Document) -> Iterator[Finding]:
    for name, expr in _expressions(dashboard):
        for function, over in re.findall(r"\b(i?rate|increase|i?delta)\([^[\]]*\[([^\]]*)\]", expr):
            if over not in _RANGES.get(function, set()):
                yield f"{name} uses {function} over {over}"


def counters_are_summed_rates(dashboard: Document) -> Iterator[Finding]:
    for name, expr in _expressions(dashboard):
        for found in _SELECTOR.finditer(expr):
            if not _COUNTER.search(found[1]):
                continue
            before = expr[: found.start()]
            call = re.search(r"(rate|increase)\($", before)
            if call is None:
                yield f"{name} shows the counter {found[1]} without rate or increase"
            elif not _AGGREGATION.search(before[: call.start()]):
                yield f"{name} does not sum the rate of {found[1]}"


def gauges_have_no_rates(dashboard: Document) -> Iterator[Finding]:
    for name, expr in _expressions(dashboard):
        for metric, _, over in _SELECTOR.findall(expr):
            if over and not _COUNTER.search(metric):
                yield f"{name} applies a range to the gauge {metric}"


def quantiles_keep_their_buckets(dashboard: Document) -> Iterator[Finding]:
    for name, expr in _expressions(dashboard):
        for argument in re.findall(r"histogram_quantile\([^,]+,\s*(.{0,12})", expr):
            if not argument.startswith("sum by (le"):
                yield f"{name} computes a quantile of something other than a sum by le"


RULES: tuple[Rule, ...] = (
    is_not_edited_in_grafana,
    has_a_stable_uid,
    refreshes_itself,
    has_a_data_source_variable,
    has_a_job_variable,
    has_an_environment_variable,
    refreshes_its_variables,
    links_to_dashboards_and_runbooks,
    panels_have_titles_and_descriptions,
    panels_have_a_unit,
    panels_are_numbered,
    panels_do_not_overlap,
    panels_use_the_chosen_data_source,
    panels_step_by_the_minute,
    panels_have_queries,
    targets_have_unique_ref_ids,
    selectors_match_job_and_environment,
    ranges_follow_the_scrape_interval,
    counters_are_summed_rates,
    gauges_have_no_rates,
    quantiles_keep_their_buckets,
)


def _expressions(dashboard: Document) -> Iterator[tuple[str, str]]:
    for panel in panels(dashboard):
        for target in panel.get("targets") or ():
            yield _name(panel), target.get("expr") or ""


def _without_label_lists(expr: str) -> str:
    return re.sub(r"\b(by|on|without|ignoring)\s*\([^)]*\)", "", expr)


def _name(panel: Document) -> str:
    return f"panel {panel.get('title') or panel.get('id')!r}"


def _variables(dashboard: Document) -> list[dict[str, Any]]:
    return list((dashboard.get("templating") or {}).get("list") or ())


def _variable(dashboard: Document, name: str) -> dict[str, Any]:
    return next((one for one in _variables(dashboard) if one["name"] == name), {})
