"""Counts what infra/envs/<name> makes, down to its last module: infra/ is the one place that says so."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sized
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from scripts.common.errors import ToolError
from scripts.cost.environment import Database, Environment, Monitoring, Starts
from scripts.cost.hcl import UNKNOWN, Block, Folder, Library
from scripts.cost.model import without_database
from scripts.environment.topology import CHECKOUT, Topology

INFRA = CHECKOUT / "infra"
SECRET: Final = "aws_secretsmanager_secret"  # noqa: S105 - what Terraform calls it
ALARM: Final = "aws_cloudwatch_metric_alarm"
BILLED: Final = frozenset(
    {
        ALARM,
        SECRET,
        "aws_cloudwatch_composite_alarm",
        "aws_cognito_user_pool",
        "aws_ecs_service",
        "aws_eip",
        "aws_flow_log",
        "aws_kms_key",
        "aws_lb",
        "aws_nat_gateway",
        "aws_rds_cluster_instance",
        "aws_vpc_endpoint",
    }
)
_METRICS_AT_MOST = 10
"""An alarm looks at no more; one that is told which by an expression is taken to look at all of them."""
_WINDOWS = 2
"""A long and a short one for each speed at which an objective's budget burns."""
_STANDS_FOR = "a name, an address and a certificate that the bill does not ask for"
_OPTIONAL = re.compile(r"(\w+) = optional\(number, (\d+)\)")

_Counts = Mapping[str, Callable[[Folder], Any]]
_LOCALS: Final[Mapping[str, _Counts]] = {
    "network": {"nat_zones": lambda it: it.variable("zones") if it.variable("nat") is True else 0},
    "aurora": {"proxies": lambda it: int(it.variable("way_in") == "proxy")},
    "alarms": {"composites": lambda it: _burns(it, 1), "windows": lambda it: _burns(it, _WINDOWS)},
}
"""How many there are of what modules work out by themselves."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """Knows infra/, and from there all that an environment makes."""

    topology: Topology
    infra: Path = INFRA
    _library: Library = field(default_factory=Library)

    def environment(self, name: str, *, watched: bool = False) -> Environment:
        """Read what an environment is made of; `watched` as if it had been told where Grafana shall be."""
        folders = [it.parent for it in (self.infra / "envs").glob("*/main.tf")]
        known = sorted(it.name for it in folders if self._is_one(it))
        if name not in known:
            raise ToolError(
                f"infra/envs has no environment {name!r} with a bill of its own; "
                f"there are {', '.join(known)}.",
                exit_code=2,
            )
        given = {"monitoring": {"hostname": _STANDS_FOR}} if watched else {}
        root = self._library.folder(self.infra / "envs" / name, given)
        (called,) = (it for it in root.of("module") if it.name == "environment")
        told = {key: root.value(raw) for key, raw in called.body.items()}
        counted = self._count(root)
        try:
            return Environment(
                name=name,
                zones=int(told["zones"]),
                database=_database(told["database"]),
                monitoring=self._monitoring(told["monitoring"]),
                monthly_usd=float(told["monthly_usd"]),
                counted=counted,
                traced=bool(told.get("traced", True)),
                starts=_starts(told.get("starts", {})),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ToolError(f"infra/envs/{name}/main.tf does not say in numbers how large it is.") from error

    def _is_one(self, folder: Path) -> bool:
        return any(block.name == "environment" for block in self._library.folder(folder).of("module"))

    def _count(self, folder: Folder) -> Counter[str]:
        counted: Counter[str] = Counter()
        for block in folder.of("resource"):
            for resource, each in _billed(block):
                counted[resource] += each * _times(folder, block)
        for block in folder.of("module"):
            if folder.value(block.body.get("for_each", 1)) in ({}, []):
                continue  # and what it would be given is not there either
            within = self._count(self._called(folder, block))
            # What makes nothing that is billed may be there any number of times.
            times = _times(folder, block) if within else 0
            counted.update({resource: number * times for resource, number in within.items()})
        return counted

    def _called(self, folder: Folder, block: Block) -> Folder:
        path = (folder.path / block.body["source"]).resolve()
        given = {name: folder.value(raw) for name, raw in block.body.items() if name != "for_each"}
        called = self._library.folder(path, given)
        local = {name: count(called) for name, count in _LOCALS.get(path.name, {}).items()}
        return replace(called, local={**local, **self._functions(path, given)})

    def _functions(self, path: Path, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Say what infra/functions.yaml is to the module that reads it."""
        if path.name != "pulsequeue":
            return {}
        told = self.topology if given.get("database") is not None else without_database(self.topology)
        secrets = {secret for it in told.functions.values() for secret in it.secrets}
        return {
            "consumers": told.consumers,
            "others": told.functions.keys() - told.consumers.keys(),
            "scheduled": told.scheduled,
            "secrets": secrets,
            "topology": {"tables": told.tables},
        }

    def _monitoring(self, told: Any) -> Monitoring | None:  # noqa: ANN401 - whatever the file says
        if told is None:
            return None
        variables = self._library.folder(self.infra / "modules" / "monitoring").of("variable")
        (size,) = (it for it in variables if it.name == "size")
        default = {name: float(number) for name, number in _OPTIONAL.findall(size.body["type"])}
        internal = bool(told.get("internal", True))
        return Monitoring(default["cpu"], default["memory"], default["disk"], internal)


def _database(told: Any) -> Database | None:  # noqa: ANN401 - whatever the file says
    if told is None:
        return None
    return Database(
        float(told["capacity"]["min"]),
        float(told["capacity"]["max"]),
        int(told["instances"]),
        proxy=told["way_in"] == "proxy",
        backup_days=float(told["backup_days"]),
    )


def _starts(told: Any) -> Mapping[str, Starts]:  # noqa: ANN401 - whatever the file says
    return {
        name: Starts(bool(it.get("snapshot", False)), float(it.get("kept_warm", 0)))
        for name, it in dict(told).items()
    }


def _billed(block: Block) -> Iterator[tuple[str, int]]:
    """Say what of a block is billed, and how often for each time that it is there."""
    resource, body = block.labels[0], block.body
    if resource == ALARM:
        yield resource, _metrics(body)
    elif resource == "aws_vpc_endpoint":
        yield resource, int(body.get("vpc_endpoint_type") == "Interface")
    elif resource in BILLED:
        yield resource, 1
    elif resource == "aws_cloudformation_stack":
        yield SECRET, str(body["template_body"]).count("AWS::SecretsManager::Secret")
    elif resource == "aws_rds_cluster":
        yield SECRET, int(body.get("manage_master_user_password") is True)


def _metrics(body: Mapping[str, Any]) -> int:
    if "dynamic" in body:
        return _METRICS_AT_MOST
    return sum("metric" in query for query in body.get("metric_query", [])) or 1


def _times(folder: Folder, block: Block) -> int:
    """Say how often a block is there."""
    if "count" in block.body:
        many = folder.value(block.body["count"])
    else:
        many = folder.value(block.body["for_each"]) if "for_each" in block.body else 1
    if isinstance(many, Sized):
        return len(many)
    if many is UNKNOWN or not isinstance(many, int | float):
        said = block.body.get("count", block.body.get("for_each"))
        raise ToolError(
            f"{folder.path}: {'.'.join(block.labels)} is there for {said}, which nobody can count."
        )
    return int(many)


def _burns(folder: Folder, each: int) -> Any:  # noqa: ANN401 - whatever the file says
    """Say how many alarms there are on objectives, so many for each speed at which a budget burns."""
    objectives = folder.variable("objectives")
    (speeds,) = (it.body["burns"] for it in folder.of("locals") if "burns" in it.body)
    return len(objectives) * len(speeds) * each if isinstance(objectives, Mapping) else UNKNOWN
