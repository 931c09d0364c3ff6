"""Writes scripts/cost/environments.json from Terraform's plans of the environments on AWS.

The plans are made against the local emulator: they need Terraform and its provider, no account.
"""

import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from scripts.common.errors import ToolError
from scripts.common.project_files import CHECKOUT
from scripts.cost.environments import (
    FILE,
    SIZES,
    WEB_ACL_RULES,
    AuroraSize,
    ColdStarts,
    EnvironmentSize,
    MonitoringSize,
    Sizes,
)
from scripts.deploy.terraform import Terraform, find_with_providers
from scripts.environment.topology import Names
from scripts.local.aws import emulator as ministack

ENVIRONMENTS: Final = ("dev", "prod")
ALARM: Final = "aws_cloudwatch_metric_alarm"
SECRET: Final = "aws_secretsmanager_secret"  # noqa: S105 - Terraform's name of the type
BILLED: Final = frozenset(
    {
        "aws_cloudwatch_composite_alarm",
        "aws_cognito_user_pool",
        "aws_ecs_service",
        "aws_eip",
        "aws_flow_log",
        "aws_kms_key",
        "aws_lb",
        "aws_nat_gateway",
        "aws_rds_cluster_instance",
        "aws_wafv2_web_acl",
        SECRET,
    }
)
_VARIABLES: Final = {
    "package_folder": "../../modules/pulsequeue/tests/packages",
    "repository": "owner/name",
    "notify": '{ emails = ["team@example.com"] }',
}
"""What an environment has no default for. None of it changes the bill."""
_MONITORING: Final = (
    '{ hostname = "grafana.example.com", cidrs = ["203.0.113.0/24"], '
    'certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1" }'
)
_LOCAL_STATE: Final = 'terraform {\n  backend "local" {}\n}\n'
# The emulator has two zones only.
_THREE_ZONES: Final = (
    'locals {\n  zones = slice(["us-east-1a", "us-east-1b", "us-east-1c"], 0, var.zones)\n}\n'
)

Resource = Mapping[str, Any]
"""A resource as `terraform show -json` lists it in `resource_changes`."""


def copy_for_planning(folder: Path) -> Path:
    """Copy infra/ with local state, and with as many zones as an environment wants."""
    infra = folder / "infra"
    shutil.copytree(CHECKOUT / "infra", infra, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    (folder / "monitoring").symlink_to(CHECKOUT / "monitoring")
    for name in ENVIRONMENTS:
        (infra / "envs" / name / "backend_override.tf").write_text(_LOCAL_STATE, encoding="utf-8")
    (infra / "modules" / "network" / "zones_override.tf").write_text(_THREE_ZONES, encoding="utf-8")
    return infra


def planned_sizes(terraform: Terraform, infra: Path, name: str) -> Sizes:
    """Plan an environment as it is and with monitoring, and return the size of both."""
    folder = infra / "envs" / name
    terraform.run(folder, "init")
    return Sizes(
        size_of(name, _plan(terraform, folder, _VARIABLES)),
        size_of(name, _plan(terraform, folder, {**_VARIABLES, "monitoring": _MONITORING})),
    )


def _plan(terraform: Terraform, folder: Path, variables: Mapping[str, str]) -> Mapping[str, Any]:
    environ = {f"TF_VAR_{name}": value for name, value in variables.items()}
    planner = replace(terraform, environ={**terraform.environ, **environ})
    file = folder / "size.tfplan"
    planner.run(folder, "plan", f"-out={file}")
    plan: Mapping[str, Any] = json.loads(planner.run(folder, "show", "-json", str(file)))
    return plan


def size_of(name: str, plan: Mapping[str, Any]) -> EnvironmentSize:
    """Count what a plan creates."""
    created = [it for it in plan["resource_changes"] if it["mode"] == "managed"]

    def values(kind: str) -> Sequence[Mapping[str, Any]]:
        return [it["change"]["after"] for it in created if it["type"] == kind]

    counts: Counter[str] = Counter()
    for resource in created:
        counts.update(_billed(resource))
    functions = values("aws_lambda_function")
    return EnvironmentSize(
        name=name,
        zones=len({it["availability_zone"] for it in values("aws_subnet")}),
        monthly_usd=float(values("aws_budgets_budget")[0]["limit_amount"]),
        database=_database(values("aws_rds_cluster"), counts, proxy=any(map(_is_proxy, created))),
        monitoring=_monitoring(values("aws_ecs_task_definition"), values("aws_lb")),
        resources=dict(sorted(counts.items())),
        traced=any(it["tracing_config"][0]["mode"] == "Active" for it in functions),
        cold_starts=_cold_starts(name, functions, values("aws_lambda_provisioned_concurrency_config")),
    )


def _billed(resource: Resource) -> Mapping[str, int]:
    """Say what of a resource is billed, by Terraform type."""
    kind, values = resource["type"], resource["change"]["after"]
    if kind in BILLED:
        return {kind: 1} | ({WEB_ACL_RULES: len(values["rule"])} if kind == "aws_wafv2_web_acl" else {})
    if kind == ALARM:
        # An alarm is billed by the metrics that it evaluates.
        return {kind: sum(bool(it["metric"]) for it in values.get("metric_query", ())) or 1}
    if kind == "aws_vpc_endpoint" and values["vpc_endpoint_type"] == "Interface":
        return {kind: 1}
    if kind == "aws_rds_cluster" and values.get("manage_master_user_password"):
        return {SECRET: 1}
    if kind == "aws_cloudformation_stack" and not _is_proxy(resource):
        if "template_body" not in values:
            raise ToolError(
                f"the plan does not know the template of {resource['address']}; count it by name."
            )
        return {SECRET: values["template_body"].count("AWS::SecretsManager::Secret")}
    return {}


def _is_proxy(resource: Resource) -> bool:
    # The template of the proxy names resources that exist only after the apply, so its content is unknown.
    return (resource["type"], resource["name"]) == ("aws_cloudformation_stack", "proxy")


def _database(
    clusters: Sequence[Mapping[str, Any]], counts: Mapping[str, int], *, proxy: bool
) -> AuroraSize | None:
    if not clusters:
        return None
    (capacity,) = clusters[0]["serverlessv2_scaling_configuration"]
    return AuroraSize(
        float(capacity["min_capacity"]),
        float(capacity["max_capacity"]),
        instances=counts["aws_rds_cluster_instance"],
        proxy=proxy,
        backup_days=clusters[0]["backup_retention_period"],
    )


def _monitoring(
    tasks: Sequence[Mapping[str, Any]], balancers: Sequence[Mapping[str, Any]]
) -> MonitoringSize | None:
    if not tasks:
        return None
    disk = tasks[0]["ephemeral_storage"][0]["size_in_gib"]
    return MonitoringSize(int(tasks[0]["cpu"]), int(tasks[0]["memory"]), disk, balancers[0]["internal"])


def _cold_starts(
    name: str, functions: Sequence[Mapping[str, Any]], provisioned: Sequence[Mapping[str, Any]]
) -> Mapping[str, ColdStarts]:
    prefix = f"{Names(name).prefix}-"
    copies = {it["function_name"]: it["provisioned_concurrent_executions"] for it in provisioned}
    settings = {
        it["function_name"].removeprefix(prefix): ColdStarts(
            bool(it.get("snap_start")), copies.get(it["function_name"], 0)
        )
        for it in functions
    }
    return {function: it for function, it in settings.items() if it != ColdStarts()}


@contextmanager
def _emulator() -> Iterator[Mapping[str, str]]:
    """Start an emulator, and return the variables that make Terraform use it."""
    with TemporaryDirectory() as home:
        started = ministack.start(Path(home), ministack.free_port())
        try:
            yield {
                "AWS_ACCESS_KEY_ID": ministack.ACCESS_KEY_ID,
                "AWS_SECRET_ACCESS_KEY": ministack.SECRET_ACCESS_KEY,
                "AWS_ENDPOINT_URL": started.endpoint,
                "AWS_REGION": ministack.REGION,
            }
        finally:
            ministack.stop(started)


def main() -> int:
    try:
        found = find_with_providers(CHECKOUT / "build" / "terraform")
        with TemporaryDirectory() as folder, _emulator() as environ:
            terraform, infra = replace(found, environ=environ), copy_for_planning(Path(folder))
            sizes = {name: planned_sizes(terraform, infra, name) for name in ENVIRONMENTS}
    except ToolError as error:
        print(f"pulsequeue: {error}", file=sys.stderr)
        return error.exit_code
    SIZES.write_bytes(FILE.dump_json(sizes, indent=2) + b"\n")
    print(f"{SIZES}: written", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
