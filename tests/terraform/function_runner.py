"""Invokes functions of the applied environment directly, with one of their permissions removed."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from services.shared.ledger import Order
from tests.support.builders import envelope, sqs_event
from tests.support.pipeline_client import PipelineClient
from tests.terraform.conftest import Applied

if TYPE_CHECKING:
    from itertools import count

NOT_ENFORCED = frozenset(
    {"ConnectAsAdministrator", "ConnectToDatabase", "ConsumeMessages", "WriteLog", "WriteTraces"}
)
"""What the emulator does without a permission check, and what the local PostgreSQL does not check."""

EXTRA = frozenset({"SendInBatches"})
CALLED_LOCALLY = {"sqs:SendMessage": "sqs:SendMessageBatch"}
"""A permission that the emulator names differently from AWS, and the statement of envs/local with it."""


@dataclass(frozen=True)
class FunctionRunner:
    applied: Applied
    pipeline: PipelineClient
    numbers: "count[int]"

    # --- permissions ----------------------------------------------------------------------------------

    def permissions(self, function: str) -> Iterator[tuple[str, str]]:
        """Yield each permission of a function as statement id and action."""
        for statement in self._policies(function)["permissions"]["Statement"]:
            if statement["Sid"] not in NOT_ENFORCED:
                yield from ((statement["Sid"], action) for action in statement["Action"])

    @contextmanager
    def without_permission(self, function: str, permission: tuple[str, str]) -> Iterator[None]:
        """Remove one permission, and restore it."""
        original = self._policies(function)
        removed = {permission[1], CALLED_LOCALLY.get(permission[1], permission[1])}
        for name, policy in original.items():
            remaining = [
                {**it, "Action": [action for action in it["Action"] if action not in removed]}
                if it["Sid"] in (permission[0], *EXTRA)
                else it
                for it in policy["Statement"]
            ]
            self._allow(function, name, [it for it in remaining if it["Action"]])
        try:
            yield
        finally:
            for name, policy in original.items():
                self._allow(function, name, policy["Statement"])

    def _policies(self, function: str) -> dict[str, Any]:
        role, iam = self.applied.environment.names.role(function), self.applied.environment.client("iam")
        return {
            name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
        }

    def _allow(self, function: str, name: str, statements: Sequence[Mapping[str, Any]]) -> None:
        role, iam = self.applied.environment.names.role(function), self.applied.environment.client("iam")
        if statements:
            document = json.dumps({"Version": "2012-10-17", "Statement": statements})
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)
        else:
            iam.delete_role_policy(RoleName=role, PolicyName=name)

    # --- invocations ----------------------------------------------------------------------------------

    def invoke(self, function: str, event: object) -> Any:  # noqa: ANN401 - JSON of any function
        """Invoke a function; None if it fails."""
        name = self.applied.environment.names.function(function)
        response = self.applied.environment.client("lambda").invoke(
            FunctionName=name, Payload=json.dumps(event)
        )
        return None if response.get("FunctionError") else json.load(response["Payload"])

    def processes(self, function: str, *messages: str) -> bool:
        """Invoke a function with messages; whether none is returned as failed."""
        return bool(self.invoke(function, sqs_event(*messages)) == {"batchItemFailures": []})

    def reserved(self, payment_method: str | None = None) -> Order:
        """Reserve an order."""
        name = self.next_name()
        detail = dict(self.pipeline.order(name, self.pipeline.create_sku(5)))
        if payment_method:
            detail["paymentMethod"] = payment_method
        assert self.processes("order", envelope(detail, "OrderPlaced"))
        return self.pipeline.get(name)

    def next_name(self) -> str:
        return f"right-{next(self.numbers)}"
