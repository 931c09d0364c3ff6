"""The OpsContext of an environment on AWS or on the local stack; clients are built on first use."""

from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING

from scripts.common.clock import Clock
from scripts.environment.environment import Environment, open_environment
from scripts.ops.dlq.messages import SqsDeadLetterQueue
from scripts.ops.dlq.work_queues import SqsWorkQueue
from scripts.ops.function_logs import CloudWatchFunctionLogs
from scripts.ops.operations_log import CloudWatchOperationsLog, operator
from scripts.ops.reconcile.gauges import CloudWatchGauges
from scripts.ops.reconcile.repair import SOURCE
from scripts.ops.replay.event_archive import EventBridgeArchive
from services.shared.adapters.dynamodb_store import DynamoDBStore
from services.shared.adapters.eventbridge import EventBridgeBus

if TYPE_CHECKING:
    from scripts.environment.topology import Topology

_CONCURRENT_CALLS = 8
_SETTLING_SECONDS = 30.0
"""On AWS a new rule takes effect with a delay, and a replay completes before its last events arrive."""


class AwsOpsContext:
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
    def store(self) -> DynamoDBStore:
        names = self._environment.names
        return DynamoDBStore(
            self._environment.client("dynamodb"),
            inventory_table=names.inventory_table,
            orders_table=names.orders_table,
        )

    @cached_property
    def bus(self) -> EventBridgeBus:
        pool = ThreadPoolExecutor(max_workers=_CONCURRENT_CALLS)
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
    def operations_log(self) -> CloudWatchOperationsLog:
        group = self._environment.names.operations_log_group
        return CloudWatchOperationsLog(
            self._environment.client("logs"), group=group, who=operator(), clock=self.clock
        )

    @cached_property
    def function_logs(self) -> CloudWatchFunctionLogs:
        names = self._environment.names
        # Only consumers log about orders.
        groups = {function: names.log_group(function) for function in self.topology.consumers}
        return CloudWatchFunctionLogs(self._environment.client("logs"), groups)

    @cached_property
    def gauges(self) -> CloudWatchGauges:
        namespace = self._environment.names.metrics_namespace
        return CloudWatchGauges(self._environment.client("cloudwatch"), namespace=namespace)

    def work_queue(self, function: str) -> SqsWorkQueue:
        return SqsWorkQueue(self._environment.client("sqs"), self._environment.queue_url(function))

    def dlq(self, function: str) -> SqsDeadLetterQueue:
        return SqsDeadLetterQueue(
            self._environment.client("sqs"),
            function=function,
            url=self._environment.dead_letter_url(function),
            work_queue=self.work_queue(function),
        )


def open_ops_context(env: str) -> AwsOpsContext:
    return AwsOpsContext(open_environment(env))
