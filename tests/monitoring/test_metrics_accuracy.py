"""Metrics of orders run through the local stack, as scraped by two real Prometheus servers.

One run serves all tests here: Prometheus, CloudWatch and the tables are compared.
"""

import contextlib
import math
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from scripts.common.errors import ToolError
from scripts.environment.environment import Environment, open_environment
from scripts.local import metrics_endpoint, stack_status
from scripts.local import stack as local_stack
from scripts.local.aws import emulator as ministack
from scripts.local.monitoring import prometheus
from scripts.local.monitoring.launcher import scrape_target
from scripts.local.stack import StackOptions
from scripts.ops.aws_context import AwsOpsContext
from services.order.reconcile import gauges, reconcile
from services.shared.histogram_buckets import BUCKETS
from tests.monitoring import programs
from tests.monitoring.expected_counts import Truth, count
from tests.monitoring.panels import Expression, committed, expressions, substituted
from tests.monitoring.prometheus_api import Api
from tests.monitoring.promql import metric_names
from tests.monitoring.rules import rules
from tests.support.metrics_fakes import exposed_names
from tests.support.pipeline_client import PipelineClient
from tests.support.polling import wait_until

pytestmark = pytest.mark.stack

SCRAPED_SECONDS = 75.0
HOLD_SECONDS = 10
WAVES = 12
SCRAPES_PER_COLLECTION = 2
STEP = 2.0
"""Also how long a scrape may take: a function that starts on a busy machine needs more than a second."""


@dataclass(frozen=True)
class Run:
    """What the run left behind."""

    environment: Environment
    truth: Truth
    servers: tuple[Api, Api]
    start: float
    end: float
    killed: int

    @property
    def window(self) -> str:
        return f"{math.ceil(self.end - self.start)}s"

    def now(self, query: str) -> float:
        return self.servers[0].value(query, self.end)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    binary, home = programs.prometheus(), tmp_path_factory.mktemp("watched")
    options = StackOptions(
        port=ministack.free_port(), hold_seconds=HOLD_SECONDS, retry_seconds=8, shipper_seconds=0.5
    )
    local_stack.up(options, home=home)
    started: list[prometheus.Prometheus] = []
    try:
        environment = open_environment("local", home=home)
        pipeline = PipelineClient(environment)
        skus = [pipeline.create_sku(1_000) for _ in range(4)]
        metrics_endpoint.collect(environment)
        for number in range(2):
            folder, port = home / f"prometheus-{number}", ministack.free_port()
            started.append(
                prometheus.start(binary, scrape_target(home), folder, port, scrape_interval=f"{STEP:g}s")
            )
        servers = Api(started[0].url), Api(started[1].url)
        wait_until(
            lambda: all(_scrapes(server) >= 3 for server in servers), "both servers have scraped the zeros"
        )
        start = time.time()
        names = [name for wave in range(WAVES) for name in _wave(pipeline, skus, wave)]
        killed = _kill_a_collector(environment, home)
        pipeline.wait_until_settled(names)
        truth = count(pipeline.ops.store.scan_orders())
        _audit(environment)
        _catch_up(environment, servers, truth)
        wait_until(
            lambda: time.time() - start >= SCRAPED_SECONDS and _is_scraped_often(servers), "enough scrapes"
        )
        yield Run(environment, truth, servers, start, time.time(), killed)
    finally:
        for server in started:
            prometheus.stop(server.process)
        local_stack.reset(home=home)


def _wave(pipeline: PipelineClient, skus: list[str], wave: int) -> list[str]:
    """Place orders of every kind and collect their metrics."""

    def named(kind: str, number: int) -> str:
        return f"{kind}-{wave}-{number}"

    orders = [pipeline.order(named("paid", n), skus[n % 4], 1 + n % 3) for n in range(20)]
    orders += [pipeline.order(named("declined", n), skus[n], paymentMethod="sim_declined") for n in range(2)]
    orders += [
        pipeline.order(named("greedy", 0), skus[0], 100_000),
        pipeline.order(named("odd", 0), "sku-unheard-of"),
    ]
    pipeline.place(*orders)
    if wave == 0:
        pipeline.place(*orders[:5], pipeline.order("unpaid", skus[1], paymentMethod="sim_unavailable"))
        pipeline.publish("OrderPlaced", [{"orderId": pipeline.order_id("malformed")}])
    metrics_endpoint.collect(pipeline.environment)
    ids = [str(order["orderId"]).removesuffix(f"-{pipeline.run}") for order in orders]
    return [*ids, "unpaid"] if wave == 0 else ids


def _kill_a_collector(environment: Environment, home: Path) -> int:
    """Kill the collector during a collection, several times."""
    state = stack_status.status(home=home).state
    assert state is not None
    killed = 0
    for delay in (0.0, 0.05, 0.15):
        collecting = threading.Thread(target=_collect_or_die, args=(environment,))
        collecting.start()
        time.sleep(delay)  # somewhere in the middle, wherever that is
        for record in state.processes:
            for child in psutil.Process(record.pid).children(recursive=True):
                if _is_collector(child):
                    os.kill(child.pid, signal.SIGKILL)
                    killed += 1
        collecting.join()
    return killed


def _collect_or_die(environment: Environment) -> None:
    with contextlib.suppress(ToolError):  # it is to be killed
        metrics_endpoint.collect(environment)


def _is_collector(process: psutil.Process) -> bool:
    try:
        return process.environ().get("PULSEQUEUE_FUNCTION") == "collector"
    except psutil.Error:
        return False  # ended between listing and reading it


def _audit(environment: Environment) -> None:
    ops = AwsOpsContext(environment)
    now = ops.clock.now()
    ops.gauges.publish(gauges(reconcile(ops.store, ops.clock), now), now)


def _scrapes(server: Api) -> float:
    return sum(server.instant('count_over_time(orders_total{outcome="reserved"}[1h])').values())


def _is_scraped_often(servers: tuple[Api, Api]) -> bool:
    collections = servers[0].value("pulsequeue_metrics_collections_total", time.time())
    return sum(map(_scrapes, servers)) > SCRAPES_PER_COLLECTION * collections


def _catch_up(environment: Environment, servers: tuple[Api, Api], truth: Truth) -> None:
    """Wait until Prometheus matches the tables, or fail with the difference."""
    behind: list[str] = []

    def caught_up() -> bool:
        metrics_endpoint.collect(environment)
        behind[:] = [it for server in servers for it in _behind(server, truth)]
        return not behind

    try:
        wait_until(caught_up, "Prometheus shows what the tables hold", 90)
    except AssertionError as error:
        raise AssertionError("; ".join(behind)) from error


def _behind(server: Api, truth: Truth) -> Iterator[str]:
    for (name, labels), expected in truth.counters.items():
        shown = server.instant(name).get(frozenset(labels), 0.0)
        if shown < expected:
            yield f"{name}{dict(labels)} is {shown:g}, not {expected:g}"
    if not server.instant("audit_finished_timestamp_seconds"):
        yield "there was no audit"


def test_every_counter_stands_at_what_the_tables_hold(run: Run) -> None:
    for (name, labels), expected in run.truth.counters.items():
        assert run.servers[0].instant(name, run.end)[frozenset(labels)] == expected, (name, labels)


def test_every_kind_of_order_was_there(run: Run) -> None:
    """Guards against an empty comparison."""
    counted = {(name, dict(labels).get("outcome")) for name, labels in run.truth.counters}

    assert {
        ("orders_total", "reserved"),
        ("orders_total", "rejected"),
        ("orders_total", "expired"),
    } <= counted
    assert {("payments_total", "succeeded"), ("payments_total", "failed")} <= counted
    assert run.now('orders_total{outcome="duplicate"}') >= 5
    # The projector hears every event, and cannot read it either.
    assert run.now('poison_events_total{consumer="order"}') == 1
    assert run.now('poison_events_total{consumer="projector"}') == 1


def test_cloudwatch_holds_the_same_sums(run: Run) -> None:
    cloudwatch = run.environment.client("cloudwatch")
    day = timedelta(days=1)
    for (name, labels), expected in run.truth.counters.items():
        statistics = cloudwatch.get_metric_statistics(
            Namespace=run.environment.names.metrics_namespace,
            MetricName=name,
            Dimensions=[{"Name": label, "Value": value} for label, value in labels],
            StartTime=datetime.now(UTC) - day,
            EndTime=datetime.now(UTC) + day,
            Period=60,
            Statistics=["Sum"],
        )
        assert sum(point["Sum"] for point in statistics["Datapoints"]) == expected, (name, labels)


def test_a_counter_grew_from_zero_by_every_order_and_never_fell(run: Run) -> None:
    query = 'orders_total{outcome="reserved"}'
    expected = run.truth.counters["orders_total", (("outcome", "reserved"),)]

    (values,) = run.servers[0].series(query, run.start, run.end, STEP)

    assert values[0] == 0
    assert values[-1] == expected
    assert values == sorted(values)
    assert run.now(f"resets({query}[{run.window}])") == 0


def test_increase_and_rate_come_to_what_happened(run: Run) -> None:
    """Both extrapolate to the edges of their window, by at most one scrape."""
    seconds = run.end - run.start
    for (name, labels), expected in run.truth.counters.items():
        matchers = ",".join(f'{label}="{value}"' for label, value in labels)
        selector = f"{name}{{{matchers}}}"
        increase = run.now(f"increase({selector}[{run.window}])")
        rate = run.now(f"rate({selector}[{run.window}])")
        assert increase == pytest.approx(expected, rel=2 * STEP / seconds), selector
        assert rate * seconds == pytest.approx(expected, rel=3 * STEP / seconds), selector


def test_the_histogram_counts_every_order_into_its_bucket(run: Run) -> None:
    shown = run.servers[0].instant("order_settlement_duration_seconds_bucket", run.end)

    assert {dict(labels)["le"]: value for labels, value in shown.items()} == dict(run.truth.buckets())
    assert run.now("order_settlement_duration_seconds_count") == len(run.truth.settled)
    assert run.now("order_settlement_duration_seconds_sum") == pytest.approx(
        math.fsum(run.truth.settled), abs=1e-3 * len(run.truth.settled)
    )  # the tables keep milliseconds


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9, 0.99])
def test_a_quantile_lies_in_the_bucket_of_the_true_one(run: Run, q: float) -> None:
    bounds = [0.0, *BUCKETS, math.inf]

    shown = run.now(f"histogram_quantile({q}, rate(order_settlement_duration_seconds_bucket[{run.window}]))")

    true = run.truth.quantile(q)
    low = max(bound for bound in bounds if bound < true)
    high = min(bound for bound in bounds if bound >= true)
    assert low <= shown <= min(high, BUCKETS[-1])


def test_two_servers_see_the_same_numbers(run: Run) -> None:
    for name in sorted(exposed_names()):
        one, other = (server.instant(name, run.end) for server in run.servers)
        if name.startswith("pulsequeue_metrics_"):
            assert (
                one.keys() == other.keys()
            )  # they tell of the collection, which may fall between two scrapes
        else:
            assert one == other, name


def test_a_killed_collector_lost_nothing(run: Run) -> None:
    """The other tests here ran over these metrics."""
    assert run.killed >= 1


def test_scraping_asks_cloudwatch_nothing(run: Run) -> None:
    collections = run.now("pulsequeue_metrics_collections_total")
    once_each = collections * run.now("pulsequeue_metrics_series")

    assert sum(map(_scrapes, run.servers)) > SCRAPES_PER_COLLECTION * collections
    # The first collection of an hour reads every counter again, for late data.
    assert run.now("pulsequeue_metrics_requested_total") <= 2 * once_each


def test_no_scrape_failed(run: Run) -> None:
    assert run.now(f'min_over_time(up{{job="pulsequeue"}}[{run.window}])') == 1


def test_every_metric_of_ours_in_cloudwatch_is_in_the_catalogue(run: Run) -> None:
    """A counted metric that is not served would be lost."""
    cloudwatch = run.environment.client("cloudwatch")
    pages = cloudwatch.get_paginator("list_metrics").paginate(
        Namespace=run.environment.names.metrics_namespace
    )
    found = {
        (metric["MetricName"], frozenset((it["Name"], it["Value"]) for it in metric["Dimensions"]))
        for page in pages
        for metric in page["Metrics"]
    }
    shown = {(name, labels) for name in exposed_names() for labels in run.servers[0].instant(name, run.end)}

    for name, dimensions in found:
        if name.endswith("_bucket"):
            assert (name, frozenset({("le", _spelled(dict(dimensions)["le"]))})) in shown
        elif name.endswith("_seconds") and not name.startswith("audit_"):
            assert (f"{name}_sum", dimensions) in shown
        else:
            assert (name, dimensions) in shown


def _spelled(le: str) -> str:
    return le if le == "+Inf" else str(float(le))


PANELS = [
    pytest.param(expression, id=f"{file.removesuffix('.json')}: {expression.panel} {number}")
    for file, dashboard in committed().items()
    for number, expression in enumerate(expressions(dashboard))
]


@pytest.mark.parametrize("expression", PANELS)
def test_no_panel_is_empty(run: Run, expression: Expression) -> None:
    query = substituted(expression.expr, range_seconds=math.ceil(run.end - run.start))

    series = run.servers[0].series(query, run.start, run.end)

    assert any(not math.isnan(value) for values in series for value in values), query


def test_every_rule_is_evaluated_without_an_error(run: Run) -> None:
    groups = run.servers[0].get("rules")["groups"]
    evaluated = [rule for group in groups for rule in group["rules"]]

    assert len(evaluated) == len(rules())
    assert [rule for rule in evaluated if rule["health"] == "err"] == []
    for rule in rules():  # some take their turn every few minutes only
        run.servers[0].instant(rule.expression, run.end)


def test_every_series_that_a_rule_looks_at_is_there(run: Run) -> None:
    names = {name for rule in rules() for name in metric_names(rule.expression)}
    raw = names - {rule.name for rule in rules()}

    assert [name for name in sorted(raw) if not run.servers[0].instant(name, run.end)] == []


def test_the_dead_letter_is_alerted_and_nothing_that_is_well(run: Run) -> None:
    """One message is malformed; latency on a busy machine is not checked."""
    alerts = {alert["labels"]["alertname"] for alert in run.servers[0].get("alerts")["alerts"]}

    assert "DeadLettersWaiting" in alerts
    assert not [name for name in alerts if name.startswith(("Metrics", "Books", "Reservations", "Charges"))]
    assert not alerts & {"DatabaseThrottled", "EventsUndelivered", "FunctionThrottled", "PaymentsDeclined"}
