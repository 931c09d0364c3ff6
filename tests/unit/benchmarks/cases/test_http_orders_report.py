"""The report on orders over HTTP follows from the figures."""

from benchmarks.cases import http_orders_report
from benchmarks.cases.http_orders_report import BUS, HTTP
from benchmarks.fixtures.http_orders import Load
from benchmarks.harness.targets import Verdict
from scripts.cost.way_in import AT_REST, FIGURES, IN_A_BURST

TAKEN = {name: {it: [value, value] for it in FIGURES} for name, value in ((AT_REST, 6.0), (IN_A_BURST, 7.0))}


def test_the_target_is_what_8_clients_get_accepted() -> None:
    loads = {
        (name, clients): [Load(rate * clients, [1 / rate] * 5), Load(rate * clients, [2 / rate] * 5)]
        for clients in (1, 8)
        for name, rate in ((HTTP, 10.0), (BUS, 100.0))
    }

    report = http_orders_report.report(loads, TAKEN, 2)

    results = {it.target: it for it in report.targets}
    assert results["http-orders"].measured.median == 80
    assert results["http-orders"].usual.startswith("800 orders/s")
    assert results["http-order-stages"].verdict is Verdict.MET
    assert "150 (100 to 200) ms over HTTP, 10 times as long" in report.findings[0]
    assert report.series[f"{AT_REST}: cpuMs"] == [6.0, 6.0]
