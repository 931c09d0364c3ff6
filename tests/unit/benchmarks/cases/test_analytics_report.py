"""The report on the analytics API follows from the figures."""

from benchmarks.cases import analytics_report
from benchmarks.harness.statistics import Scale


def _size(orders: int, *, deep: float, raw: float) -> analytics_report.Size:
    return analytics_report.Size(
        orders=orders,
        events=4 * orders,
        pages=orders // 100,
        responses={
            name: [1.0, 2.0, 3.0] for name in ("orders", "one order", "MRR", "cohorts, by order", "summary")
        }
        | {"by product": [2.0, 4.0, 9.0]},
        paging={
            analytics_report.FIRST: [2.0, 2.0],
            analytics_report.DEEP: [2.0 * deep] * 2,
            analytics_report.FIRST_BY_OFFSET: [1.0],
            analytics_report.DEEP_BY_OFFSET: [300.0],
        },
        comparisons={
            analytics_report.MRR: [1.0],
            analytics_report.RAW_MRR: [raw],
            analytics_report.COHORTS: [2.0],
            analytics_report.RAW_COHORTS: [900.0],
        },
    )


def test_targets_compare_the_largest_size_and_the_worse_of_both_rollups() -> None:
    report = analytics_report.report(
        Scale.FULL, [_size(1_000, deep=9, raw=2), _size(1_000_000, deep=1.1, raw=25)]
    )

    results = {it.target: it for it in report.targets}
    assert round(results["deep-page"].measured.median, 9) == 1.1
    assert results["deep-page"].usual == "300 × (OFFSET)"
    assert results["rollups"].measured.median == 25


def test_the_slowest_request_is_named() -> None:
    report = analytics_report.report(Scale.FULL, [_size(1_000_000, deep=1, raw=25)])

    assert report.findings[0] == (
        "At 1,000,000 orders every request is answered in 4 ms or less at the median; the slowest, "
        "*by product*, takes 9 ms at the 99th percentile."
    )
    assert report.findings[1].startswith("Page 10,000 of 1,000,000 orders takes 1 times as long as page 1")


def test_every_figure_is_recorded_with_its_size() -> None:
    report = analytics_report.report(Scale.QUICK, [_size(1_000, deep=1, raw=2), _size(5_000, deep=1, raw=2)])

    assert report.series["5,000 orders: by product, ms"] == [2.0, 4.0, 9.0]
    assert len(report.series) == 2 * (6 + 4 + 4)
