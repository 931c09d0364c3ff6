"""The size of an environment is counted from Terraform's plan of it."""

from collections.abc import Mapping
from typing import Any

import pytest

from scripts.common.errors import ToolError
from scripts.cost.environments import AuroraSize, ColdStarts, MonitoringSize
from scripts.deploy.environment_sizes import ALARM, SECRET, size_of

FUNCTION = {"function_name": "dev-pulsequeue-order", "tracing_config": [{"mode": "Active"}], "snap_start": []}
BUDGET = {"limit_amount": "300.00"}
CLUSTER = {
    "serverlessv2_scaling_configuration": [{"min_capacity": 0.5, "max_capacity": 2}],
    "backup_retention_period": 7,
    "manage_master_user_password": True,
}


def resource(kind: str, after: Mapping[str, Any], *, name: str = "this") -> Mapping[str, Any]:
    change = {"actions": ["create"], "after": after}
    return {"address": f"{kind}.{name}", "mode": "managed", "type": kind, "name": name, "change": change}


def plan(*resources: Mapping[str, Any], function: Mapping[str, Any] = FUNCTION) -> Mapping[str, Any]:
    common = resource("aws_lambda_function", function), resource("aws_budgets_budget", BUDGET)
    return {"resource_changes": [*common, *resources]}


def test_billed_resources_are_counted_and_others_are_not() -> None:
    key, group = resource("aws_kms_key", {}), resource("aws_security_group", {})

    size = size_of("dev", plan(key, key, group))

    assert size.resources == {"aws_kms_key": 2}
    assert (size.monthly_usd, size.database, size.monitoring) == (300, None, None)


def test_data_sources_are_not_counted() -> None:
    data = {**resource("aws_kms_key", {}), "mode": "data"}

    assert size_of("dev", plan(data)).resources == {}


def test_an_alarm_counts_as_often_as_it_evaluates_metrics() -> None:
    simple = resource(ALARM, {"metric_name": "Depth", "metric_query": []})
    query = [{"metric": [{"metric_name": "a"}]}, {"metric": [{"metric_name": "b"}]}, {"metric": []}]

    size = size_of("dev", plan(simple, resource(ALARM, {"metric_query": query})))

    assert size.number_of(ALARM) == 1 + 2


def test_interface_endpoints_are_billed_and_gateway_endpoints_are_not() -> None:
    endpoints = [resource("aws_vpc_endpoint", {"vpc_endpoint_type": it}) for it in ("Interface", "Gateway")]

    assert size_of("dev", plan(*endpoints)).number_of("aws_vpc_endpoint") == 1


def test_secrets_of_clusters_and_of_cloudformation_templates_are_counted() -> None:
    cluster = resource("aws_rds_cluster", CLUSTER)
    instance = resource("aws_rds_cluster_instance", {})
    stack = resource("aws_cloudformation_stack", {"template_body": '{"Type": "AWS::SecretsManager::Secret"}'})

    assert size_of("dev", plan(cluster, instance, stack)).number_of(SECRET) == 2


def test_a_template_that_the_plan_does_not_know_is_an_error() -> None:
    with pytest.raises(ToolError, match=r"does not know the template of aws_cloudformation_stack\.this"):
        size_of("dev", plan(resource("aws_cloudformation_stack", {})))


@pytest.mark.parametrize("proxy", [False, True])
def test_the_database_is_as_large_as_its_cluster(*, proxy: bool) -> None:
    cluster, instance = resource("aws_rds_cluster", CLUSTER), resource("aws_rds_cluster_instance", {})
    stacks = [resource("aws_cloudformation_stack", {}, name="proxy")] if proxy else []

    size = size_of("dev", plan(cluster, instance, instance, *stacks))

    assert size.database == AuroraSize(0.5, 2, instances=2, proxy=proxy, backup_days=7)


def test_monitoring_is_as_large_as_its_task() -> None:
    task = {"cpu": "512", "memory": "2048", "ephemeral_storage": [{"size_in_gib": 40}]}

    size = size_of(
        "dev", plan(resource("aws_ecs_task_definition", task), resource("aws_lb", {"internal": False}))
    )

    assert size.monitoring == MonitoringSize(512, 2048, 40, internal=False)


def test_zones_are_those_of_the_subnets() -> None:
    subnets = [resource("aws_subnet", {"availability_zone": zone}) for zone in ("a", "b", "a")]

    assert size_of("dev", plan(*subnets)).zones == 2


def test_tracing_and_cold_starts_are_read_from_the_functions() -> None:
    function = {**FUNCTION, "tracing_config": [{"mode": "PassThrough"}], "snap_start": [{"apply_on": "x"}]}
    provisioned = resource(
        "aws_lambda_provisioned_concurrency_config",
        {"function_name": "dev-pulsequeue-order", "provisioned_concurrent_executions": 2},
    )

    size = size_of("dev", plan(provisioned, function=function))

    assert size.traced is False
    assert size.cold_starts == {"order": ColdStarts(snapshot=True, provisioned=2)}
    assert size_of("dev", plan()).cold_starts == {}
    assert size_of("dev", plan()).traced is True
