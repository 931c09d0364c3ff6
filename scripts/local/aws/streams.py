"""Functions that consume the stream of a table on the emulator.

infra/modules/stream-consumer is the same on AWS.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from scripts.common.errors import ToolError
from scripts.local.aws.triggers import make_queue

if TYPE_CHECKING:
    from scripts.environment.environment import Environment
    from scripts.environment.topology import StreamConsumer


def connect_stream(environment: Environment, name: str, spec: StreamConsumer, function_arn: str) -> None:
    """Have the function receive the table's changes; what fails for good goes to its dead-letter queue."""
    functions, stream = environment.client("lambda"), _stream(environment, spec.stream)
    _, dead_letters = make_queue(environment, environment.names.dead_letter_queue(name), {})
    begins = [{"prefix": it} for it in spec.partitions]
    pattern = json.dumps({"dynamodb": {"Keys": {"pk": {"S": begins}}}})
    existing = functions.list_event_source_mappings(FunctionName=function_arn, EventSourceArn=stream)
    for mapping in existing["EventSourceMappings"]:
        functions.update_event_source_mapping(
            UUID=mapping["UUID"],
            Enabled=True,
            BatchSize=spec.batch_size,
            FilterCriteria={"Filters": [{"Pattern": pattern}]},
            BisectBatchOnFunctionError=True,
            MaximumRetryAttempts=spec.tries - 1,
            DestinationConfig={"OnFailure": {"Destination": dead_letters}},
        )
        return
    functions.create_event_source_mapping(
        FunctionName=function_arn,
        EventSourceArn=stream,
        StartingPosition="LATEST",
        BatchSize=spec.batch_size,
        FilterCriteria={"Filters": [{"Pattern": pattern}]},
        BisectBatchOnFunctionError=True,
        MaximumRetryAttempts=spec.tries - 1,
        DestinationConfig={"OnFailure": {"Destination": dead_letters}},
    )


def _stream(environment: Environment, table: str) -> str:
    name = environment.names.table(table)
    arn = environment.client("dynamodb").describe_table(TableName=name)["Table"].get("LatestStreamArn")
    if arn is None:
        raise ToolError(f"table {name} has no stream: it was made before; start anew with `make reset`.")
    return arn
