"""What the search for limits changes, and that it ends with orders settled in time."""

from benchmarks.cases import surge
from benchmarks.fixtures.surge_model import Deployment, Instances, Table
from benchmarks.harness.statistics import Scale

HERE = Deployment({"puts": 10_000.0}, {"order": Instances(10)}, {"DynamoDB: orders": Table(40_000)})


def test_a_function_gets_more_instances_and_then_pollers_of_its_own() -> None:
    first, change = surge.lift(HERE, "order", 20)
    second, next_change = surge.lift(first, "order", 20)

    assert (first.functions["order"].most, change) == (30, "maximumConcurrency 30")
    assert (second.functions["order"].ready, next_change) == (30, "provisioned pollers for 30 instances")


def test_a_table_is_warmed_and_its_quota_raised_only_above_it() -> None:
    below, change = surge.lift(HERE, "DynamoDB: orders", 10_000)
    above, next_change = surge.lift(HERE, "DynamoDB: orders", 40_000)

    assert (below.tables["DynamoDB: orders"], change) == (
        Table(40_000, 15_000),
        "warm throughput 15,000 units/s",
    )
    assert above.tables["DynamoDB: orders"] == Table(60_000, 60_000)
    assert next_change.endswith("quota 60,000")


def test_other_quotas_are_raised_to_what_is_needed_and_half_as_much_again() -> None:
    assert surge.lift(HERE, "puts", 12_345)[0].fixed["puts"] == 19_000


def test_every_rate_is_settled_in_time_in_the_end() -> None:
    report = surge.run(Scale.QUICK)

    settled = {name: values[0] for name, values in report.series.items()}
    assert len(settled) == len(surge.RATES)
    assert max(settled.values()) <= surge.OBJECTIVE
