"""Panel values over a recorded hour, evaluated by a real Prometheus."""

import math
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3

from scripts.grafana import costs
from scripts.local.aws.emulator import free_port
from tests.monitoring.panels import committed, expressions, substituted
from tests.monitoring.recorded_hour import END, FUNCTIONS, HOUR, openmetrics

BOARDS = committed()
ORDERS = 60 * 60
"""Orders placed in the displayed hour."""

pytestmark = pytest.mark.skipif(
    not (shutil.which("prometheus") and shutil.which("promtool")),
    reason="prometheus and promtool are not on the PATH; `apt-get install prometheus` brings them",
)


class Recorded:
    """A Prometheus with the recorded hour."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool = urllib3.PoolManager(retries=False)

    def ready(self) -> bool:
        try:
            return self._pool.request("GET", f"{self._url}/-/ready").status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def ask(self, expr: str) -> list[float]:
        answer = self._pool.request(
            "POST",
            f"{self._url}/api/v1/query",
            fields={"query": expr, "time": str(END)},
            encode_multipart=False,
        ).json()
        assert answer["status"] == "success", answer
        return [float(series["value"][1]) for series in answer["data"]["result"]]


@contextmanager
def _prometheus(folder: Path) -> Iterator[Recorded]:
    data, metrics, config = folder / "data", folder / "hour.txt", folder / "prometheus.yml"
    metrics.write_text(openmetrics())
    config.write_text("{}")
    subprocess.run(  # noqa: S603 - as named here
        ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(metrics), str(data)],  # noqa: S607 - on the PATH, as checked
        check=True,
        capture_output=True,
    )
    url = f"127.0.0.1:{free_port()}"
    options = (f"--config.file={config}", f"--storage.tsdb.path={data}", f"--web.listen-address={url}")
    with (folder / "log").open("w") as log:
        # The hour lies in the past, and has to stay.
        process = subprocess.Popen(  # noqa: S603 - as named here
            ["prometheus", *options, "--storage.tsdb.retention.time=100y"],  # noqa: S607 - on the PATH, as checked
            stdout=log,
            stderr=log,
        )
    try:
        recorded = Recorded(f"http://{url}")
        deadline = time.monotonic() + 30
        while not recorded.ready():
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield recorded
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    with _prometheus(tmp_path_factory.mktemp("prometheus")) as recorded:
        yield recorded


@pytest.mark.parametrize("board", BOARDS)
def test_no_panel_is_empty_after_a_usual_hour(prometheus: Recorded, board: str) -> None:
    empty = [
        one.panel
        for one in expressions(BOARDS[board])
        if not (values := prometheus.ask(substituted(one.expr))) or any(math.isnan(value) for value in values)
    ]

    assert empty == []


SHOWS: dict[tuple[str, str], list[float]] = {
    ("overview", "Orders placed"): [1.0],
    ("overview", "Orders paid"): [48 / 60],
    ("overview", "Dead letters"): [3],
    ("overview", "Age of the metrics"): [45],
    ("overview", "Age of closed metrics"): [HOUR],
    ("overview", "Scrapes succeeded"): [1],
    # In a minute 60 payments are decided, 3 orders rejected, 5 cancelled, and 0.03 run out their hold.
    ("overview", "Settlement error budget"): [1 - 0.03 / 68.03 / 0.001],
    ("overview", "Speed error budget"): [0],
    ("orders", "Orders placed"): [ORDERS],
    ("orders", "Rejected"): [3 / 60],
    ("orders", "Expired"): [0.03 * 60],
    ("orders", "Unreadable events"): [0],
    ("payments", "Payments succeeded"): [48 * 60],
    ("payments", "Declined"): [12 / 60],
    ("inventory", "Units sold"): [100 * 60],
    ("inventory", "Net reserved"): [10 * 60],
    ("inventory", "Drift"): [0],
    ("inventory", "Last audit"): [600],
    ("inventory", "Contention rate"): [0.05] * 4,
    ("queues", "Dead letters by queue"): [0, 0, 3],
    ("queues", "Oldest dead letter"): [9],
    ("functions", "Average duration"): [0.5] * 5,
    ("functions", "Error rate"): [0] * 5,
    ("functions", "Memory time"): [3 / 60 / 2] * 5,
    ("cost", "Write units per order"): [300 / 60],
    ("cost", "Invocations per order"): [30 / 60],
    ("cost", "Events per order"): [1 + 182 / 60],
    ("cost", "Metrics requested"): [100 * 60],
}


def _values(prometheus: Recorded, board: str, panel: str, environment: str = "local") -> list[float]:
    return sorted(
        value
        for one in expressions(BOARDS[f"pulsequeue-{board}.json"])
        if one.panel == panel
        for value in prometheus.ask(substituted(one.expr, environment=environment))
    )


@pytest.mark.parametrize(("board", "panel"), SHOWS)
def test_a_panel_shows_what_the_hour_adds_up_to(prometheus: Recorded, board: str, panel: str) -> None:
    assert _values(prometheus, board, panel) == pytest.approx(SHOWS[board, panel], rel=1e-4, abs=1e-6)


def test_the_cost_of_an_hour_is_what_its_parts_cost_by_hand(prometheus: Recorded) -> None:
    lambda_compute = len(FUNCTIONS) * 3 * 60 * 0.5 * costs.LAMBDA_GB_SECOND
    lambda_requests = len(FUNCTIONS) * 6 * 60 * costs.LAMBDA_REQUEST
    events = (60 + 182) * 60 * costs.EVENTBRIDGE_EVENT
    requests = (60 + 2 * 57 + 1) * 60 * costs.SQS_REQUESTS_PER_MESSAGE + 3 * HOUR * costs.SQS_POLLS_PER_SECOND
    tables = 300 * 60 * costs.DYNAMODB_WRITE_UNIT + 61 * 60 * costs.DYNAMODB_READ_UNIT
    metrics = 100 * 60 * costs.CLOUDWATCH_METRIC_REQUESTED
    hour = lambda_compute + lambda_requests + events + requests * costs.SQS_REQUEST + tables + metrics

    assert _values(prometheus, "cost", "In the time range") == pytest.approx([hour], rel=1e-4)
    assert _values(prometheus, "cost", "Per hour") == pytest.approx([hour], rel=1e-4)
    assert sum(_values(prometheus, "cost", "By service")) == pytest.approx(hour, rel=1e-4)
    assert _values(prometheus, "cost", "Per 1,000 orders") == pytest.approx([hour / ORDERS * 1000], rel=1e-4)


@pytest.mark.parametrize("panel", ["Settlement error budget", "Speed error budget"])
def test_where_no_order_came_no_budget_was_spent(prometheus: Recorded, panel: str) -> None:
    assert _values(prometheus, "overview", panel, environment="dev") == [1]


def test_where_no_order_came_there_is_no_share_of_them(prometheus: Recorded) -> None:
    assert _values(prometheus, "overview", "Orders paid", environment="dev") == []


def test_quantiles_lie_in_the_bucket_of_their_orders(prometheus: Recorded) -> None:
    p50, p95, p99 = _values(prometheus, "overview", "Placed to settled")

    assert 1 < p50 < p95 <= p99 <= 2
