"""The desk over a real environment; everything on it is made when it is first picked up."""

from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING

from scripts.environment import Environment, open_environment
from scripts.ops.archive import EventBridgeArchive
from scripts.ops.audit_log import CloudWatchAuditLog, operator
from scripts.ops.clock import Clock
from scripts.ops.dead_letters import SqsDeadLetterQueue
from scripts.ops.function_logs import CloudWatchFunctionLogs
from scripts.ops.gauges import CloudWatchGauges
from scripts.ops.repair import SOURCE
from scripts.ops.work_queues import SqsWorkQueue
from services.shared.bus import EventBridgeBus
from services.shared.dynamodb_store import DynamoDBStore

if TYPE_CHECKING:
    from scripts.topology import Topology

_CALLS_AT_ONCE = 8
_SETTLING_SECONDS = 30.0
"""On AWS, a new rule takes a while to match, and a replay is over before its last events have arrived."""


class AwsDesk:
    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self.clock = Clock()

    @property
    def env(self) -> str:
        return self._environment.name

    @property
    def topology(self) -> "Topology":
        return self._environment.topology

    @cached_property
    def books(self) -> DynamoDBStore:
        names = self._environment.names
        return DynamoDBStore(
            self._environment.client("dynamodb"),
            inventory_table=names.inventory_table,
            orders_table=names.orders_table,
        )

    @cached_property
    def bus(self) -> EventBridgeBus:
        pool = ThreadPoolExecutor(max_workers=_CALLS_AT_ONCE)
        client = self._environment.client("events")
        return EventBridgeBus(client, bus_name=self._environment.names.bus, source=SOURCE, run=pool.map)

    @cached_property
    def archive(self) -> EventBridgeArchive:
        return EventBridgeArchive(
            self._environment.client("events"),
            self._environment.client("sqs"),
            self._environment.names,
            self.clock,
            settling=0 if self._environment.is_local else _SETTLING_SECONDS,
        )

    @cached_property
    def audit_log(self) -> CloudWatchAuditLog:
        group = self._environment.names.operations_log_group
        return CloudWatchAuditLog(
            self._environment.client("logs"), group=group, who=operator(), clock=self.clock
        )

    @cached_property
    def function_logs(self) -> CloudWatchFunctionLogs:
        names = self._environment.names
        # What is not a consumer has nothing to say about an order.
        groups = {function: names.log_group(function) for function in self.topology.consumers}
        return CloudWatchFunctionLogs(self._environment.client("logs"), groups)

    @cached_property
    def gauges(self) -> CloudWatchGauges:
        namespace = self._environment.names.metrics_namespace
        return CloudWatchGauges(self._environment.client("cloudwatch"), namespace=namespace)

    def work_queue(self, function: str) -> SqsWorkQueue:
        return SqsWorkQueue(self._environment.client("sqs"), self._environment.queue_url(function))

    def dead_letters(self, function: str) -> SqsDeadLetterQueue:
        return SqsDeadLetterQueue(
            self._environment.client("sqs"),
            function=function,
            url=self._environment.dead_letter_url(function),
            work_queue=self.work_queue(function),
        )


def open_desk(env: str) -> AwsDesk:
    return AwsDesk(open_environment(env))
