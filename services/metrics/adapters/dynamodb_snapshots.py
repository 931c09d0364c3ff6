"""Snapshots in DynamoDB: immutable parts, and a head item that lists the parts of the current version.

A collector writes its parts and then replaces the head, on condition that the head is unchanged. So a reader
sees one whole version or another, and of two concurrent collectors one wins. Parts of a collector
that died in between expire by TTL.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from services.metrics.snapshot import Edition, Format, Pages, Snapshot
from services.shared.adapters.clients import is_transient
from services.shared.errors import StoreUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PART_BYTES = 350_000
"""Below DynamoDB's item limit of 400 KB. Parts are needed: in benchmarks/cases/metrics.py a busy ledger takes
354 KB at 5,000 series and 1.4 MB at 20,000, besides two pages."""

_HEAD = {"pk": {"S": "head"}}
_LEDGER = "ledger"
_LIFETIME = 400 * 86_400  # longer than any outage after which the counters still matter
_TRIES = 3


class DynamoDBSnapshots:
    def __init__(
        self,
        client: "DynamoDBClient",
        *,
        table: str,
        clock: Callable[[], float],
        part_bytes: int = PART_BYTES,
    ) -> None:
        self.client = client
        self.table = table
        self._clock = clock
        self._part_bytes = part_bytes

    def latest(self) -> Edition | None:
        item = self._call(self.client.get_item, TableName=self.table, Key=_HEAD, ConsistentRead=True).get(
            "Item"
        )
        return _edition(item) if item else None

    def load(self) -> Snapshot | None:
        data = self._document(_LEDGER)
        return Snapshot.decoded(data[1]) if data else None

    def page(self, form: Format) -> tuple[Edition, bytes] | None:
        """Return the newest page and the version it is of."""
        return self._document(form)

    def replace(self, before: Snapshot | None, after: Snapshot, pages: Pages) -> bool:
        previous = self.latest()
        if (previous.version if previous else 0) != (before.version if before else 0):
            return False
        documents = {_LEDGER: after.encoded(), **{str(form): page for form, page in pages.items()}}
        parts = {name: self._put(data) for name, data in documents.items()}
        edition = Edition(after.version, after.collected_at, parts, _all_parts(previous))
        if not self.move_head(before, edition):
            self._delete(_all_parts(edition))
            return False
        self._delete(previous.retired if previous else ())
        return True

    def move_head(self, before: Snapshot | None, edition: Edition) -> bool:
        """Make this edition the one that counts, if the one before still is."""
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if before:
            condition = {
                "ConditionExpression": "version = :version",
                "ExpressionAttributeValues": {":version": {"N": str(before.version)}},
            }
        try:
            self._call(self.client.put_item, TableName=self.table, Item=_head(edition), **condition)
        except self.client.exceptions.ConditionalCheckFailedException:
            # A call whose answer was lost is sent again, and then finds the head it moved itself.
            return self.latest() == edition
        return True

    # --- parts ----------------------------------------------------------------------------------------

    def _document(self, name: str) -> tuple[Edition, bytes] | None:
        for _ in range(_TRIES):
            edition = self.latest()
            if edition is None:
                return None
            found = [self._part(part) for part in edition.parts[name]]
            data = [part for part in found if part is not None]
            if len(data) == len(found):
                return edition, b"".join(data)
        raise StoreUnavailableError(f"the parts of the {name} were replaced faster than they could be read")

    def _part(self, part: str) -> bytes | None:
        item = self._call(
            self.client.get_item, TableName=self.table, Key={"pk": {"S": part}}, ConsistentRead=True
        ).get("Item")
        return item["data"]["B"] if item else None

    def _put(self, data: bytes) -> list[str]:
        names = []
        for at in range(0, len(data), self._part_bytes):
            name = f"part#{uuid.uuid4()}"
            item = {
                "pk": {"S": name},
                "data": {"B": data[at : at + self._part_bytes]},
                "expiresAt": {"N": str(int(self._clock()) + _LIFETIME)},
            }
            self._call(self.client.put_item, TableName=self.table, Item=item)
            names.append(name)
        return names

    def _delete(self, parts: Sequence[str]) -> None:
        for part in parts:
            self._call(self.client.delete_item, TableName=self.table, Key={"pk": {"S": part}})

    def _call(self, call: Callable[..., Any], **arguments: object) -> Any:  # noqa: ANN401 - any operation's answer
        try:
            return call(**arguments)
        except (ClientError, BotoCoreError) as error:
            if is_transient(error):
                raise StoreUnavailableError(str(error)) from error
            raise


def _all_parts(edition: Edition | None) -> list[str]:
    return [part for parts in edition.parts.values() for part in parts] if edition else []


def _head(edition: Edition) -> dict[str, Any]:
    return {
        **_HEAD,
        "version": {"N": str(edition.version)},
        "collectedAt": {"N": str(edition.collected_at)},
        "parts": {
            "M": {name: {"L": [{"S": part} for part in parts]} for name, parts in edition.parts.items()}
        },
        "retired": {"L": [{"S": part} for part in edition.retired]},
    }


def _edition(item: Mapping[str, Any]) -> Edition:
    return Edition(
        version=int(item["version"]["N"]),
        collected_at=int(item["collectedAt"]["N"]),
        parts={name: [part["S"] for part in parts["L"]] for name, parts in item["parts"]["M"].items()},
        retired=[part["S"] for part in item["retired"]["L"]],
    )
