"""Backups of the tables: what there is, a new one, and the way back.

A table is not replaced: Terraform manages it, and functions may write to it. What is missing in it is copied
from a table that DynamoDB restores beside it.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

    from scripts.common.clock import Clock
    from scripts.environment.environment import Environment

_WRITERS: Final = 16
_POLL_SECONDS: Final = 2.0
_WAIT_SECONDS: Final = 4 * 3600
"""Restores take half an hour and more on AWS, whatever the size."""
_PITR: Final = "point in time"


@dataclass(frozen=True, slots=True)
class Backup:
    table: str
    """Its short name."""
    kind: str
    since: datetime
    until: datetime | None = None
    """Of a window, any time in which can be restored."""
    arn: str | None = None


@dataclass(frozen=True, slots=True)
class Restored:
    table: str
    written: int
    kept: int
    """Items that the table had already."""


class TableBackups:
    def __init__(self, environment: Environment, clock: Clock) -> None:
        self._dynamodb: DynamoDBClient = environment.client("dynamodb")
        self._names = environment.names
        self._tables = environment.topology.tables
        self._clock = clock

    def existing(self) -> list[Backup]:
        """List what can be restored, the newest of each table first."""
        return [it for table in self._tables for it in (*self._windows(table), *self._backups(table))]

    def create(self) -> list[Backup]:
        """Make a backup of every table; it stays until somebody deletes it."""
        name = f"{self._clock.now():%Y%m%dT%H%M%S}"
        return [self._create(table, name) for table in self._tables]

    def restore(
        self,
        table: str,
        *,
        at: datetime | None = None,
        backup: str | None = None,
        overwrite: bool = False,
        progress: Callable[[str], object] = lambda _: None,
    ) -> Restored:
        """Copy into a table what it had at a time, or in a backup; without either, in the newest backup.

        Items that it has by now stay as they are, except with `overwrite`.
        """
        if table not in self._tables:
            raise ToolError(
                f"there is no table {table!r}; choose one of {', '.join(self._tables)}.", exit_code=2
            )
        scratch = f"{self._names.table(table)}-restore-{self._clock.now():%Y%m%dT%H%M%S}"
        self._restore_to(scratch, table, at, backup or (None if at else self._newest(table)))
        try:
            progress(f"Restoring to {scratch} ...")
            self._wait(scratch)
            progress(f"Copying to {self._names.table(table)} ...")
            return self._copy(scratch, table, overwrite=overwrite)
        finally:
            self._remove(scratch, progress)

    def _windows(self, table: str) -> Iterator[Backup]:
        try:
            found = self._dynamodb.describe_continuous_backups(TableName=self._names.table(table))
        except self._dynamodb.exceptions.TableNotFoundException:
            return
        window = found["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
        earliest = window.get("EarliestRestorableDateTime")
        if window.get("PointInTimeRecoveryStatus") == "ENABLED" and earliest:
            yield Backup(table, _PITR, earliest, window.get("LatestRestorableDateTime"))

    def _backups(self, table: str) -> list[Backup]:
        summaries: list[Any] = []
        parameters: dict[str, Any] = {"TableName": self._names.table(table), "BackupType": "ALL"}
        while True:
            page: Mapping[str, Any] = self._dynamodb.list_backups(**parameters)
            summaries += page.get("BackupSummaries", ())
            if "LastEvaluatedBackupArn" not in page:
                break
            parameters["ExclusiveStartBackupArn"] = page["LastEvaluatedBackupArn"]
        found = [
            # DynamoDB makes one by itself when a table with point-in-time recovery is deleted.
            Backup(table, it["BackupType"].lower(), it["BackupCreationDateTime"], arn=it["BackupArn"])
            for it in summaries
            if it["BackupStatus"] == "AVAILABLE"
        ]
        return sorted(found, key=lambda it: it.since, reverse=True)

    def _newest(self, table: str) -> str:
        for it in self._backups(table):
            if it.arn:
                return it.arn
        raise ToolError(
            f"{self._names.table(table)} has no backup; give --at for point-in-time recovery. "
            "`pulsequeue backup ls` shows what there is."
        )

    def _create(self, table: str, name: str) -> Backup:
        made = self._dynamodb.create_backup(TableName=self._names.table(table), BackupName=name)
        details = made["BackupDetails"]
        return Backup(table, "user", details["BackupCreationDateTime"], arn=details["BackupArn"])

    def _restore_to(self, target: str, table: str, at: datetime | None, backup: str | None) -> None:
        try:
            if backup:
                self._dynamodb.restore_table_from_backup(TargetTableName=target, BackupArn=backup)
            elif at:
                self._dynamodb.restore_table_to_point_in_time(
                    SourceTableName=self._names.table(table), TargetTableName=target, RestoreDateTime=at
                )
        except self._dynamodb.exceptions.ClientError as error:
            raise ToolError(
                f"DynamoDB refused to restore {table}: {error.response['Error']['Message']}"
            ) from error

    def _wait(self, name: str) -> None:
        deadline = self._clock.now().timestamp() + _WAIT_SECONDS
        while self._dynamodb.describe_table(TableName=name)["Table"]["TableStatus"] != "ACTIVE":
            if self._clock.now().timestamp() > deadline:
                raise ToolError(f"{name} is still not restored after {_WAIT_SECONDS // 3600} hours.")
            self._clock.sleep(_POLL_SECONDS)

    def _remove(self, name: str, progress: Callable[[str], object]) -> None:
        try:
            self._dynamodb.delete_table(TableName=name)
        except self._dynamodb.exceptions.ResourceInUseException:
            progress(f"{name} is still being restored, and cannot be deleted yet; delete it later.")

    def _copy(self, source: str, table: str, *, overwrite: bool) -> Restored:
        target, key = self._names.table(table), self._tables[table].key
        free: dict[str, Any] = (
            {}
            if overwrite
            else {
                "ConditionExpression": "attribute_not_exists(#key)",
                "ExpressionAttributeNames": {"#key": key},
            }
        )

        def put(item: Mapping[str, Any]) -> bool:
            try:
                self._dynamodb.put_item(TableName=target, Item=item, **free)
            except self._dynamodb.exceptions.ConditionalCheckFailedException:
                return False
            return True

        outcomes: Counter[bool] = Counter()
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=source, ConsistentRead=True)
        with ThreadPoolExecutor(_WRITERS) as writers:
            for page in pages:
                outcomes.update(writers.map(put, page["Items"]))
        return Restored(table, outcomes[True], outcomes[False])


def database_backups(environment: Environment) -> Sequence[Backup]:
    """List what the database can be made from: a window of its cluster, even if deleted, and snapshots."""
    rds, name = environment.client("rds"), f"{environment.names.prefix}-database"
    found = []
    by_name = [{"Name": "db-cluster-id", "Values": [name]}]
    for it in rds.describe_db_cluster_automated_backups(Filters=by_name)["DBClusterAutomatedBackups"]:
        window = it.get("RestoreWindow", {})
        if "EarliestTime" in window:
            kind = f"{_PITR}, {it['Status']}"
            found.append(
                Backup(
                    "database",
                    kind,
                    window["EarliestTime"],
                    window.get("LatestTime"),
                    it["DbClusterResourceId"],
                )
            )
    for it in rds.describe_db_cluster_snapshots(Filters=by_name)["DBClusterSnapshots"]:
        if it["Status"] == "available":
            created, arn = it["SnapshotCreateTime"], it["DBClusterSnapshotIdentifier"]
            found.append(Backup("database", it["SnapshotType"], created, arn=arn))
    return sorted(found, key=lambda it: it.since, reverse=True)
