"""The store on DynamoDB: conditional transactions whose refusals come back per action, with the old item."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from services.shared.adapters.clients import is_transient
from services.shared.adapters.dynamodb_items import (
    Unreadable,
    order_item,
    order_of,
    readable,
    stock_item,
    stock_of,
)
from services.shared.backoff import Waits, jittered
from services.shared.errors import IncompleteReadError, StoreUnavailableError
from services.shared.ledger import (
    Broken,
    Busy,
    Delta,
    Key,
    Order,
    OrderWrite,
    Passed,
    Price,
    Refused,
    Stock,
    StockWrite,
    Verdict,
    Write,
)
from services.shared.metric_names import CapacityKind, CapacityTable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Spent = Callable[[CapacityTable, CapacityKind, float], object]
"""Receives the capacity units that a call consumed."""

V = TypeVar("V")

_READ_AT_ONCE = 100  # keys in one BatchGetItem
_BUSY = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})


class DynamoDBStore:
    """A Store, and beyond it what operators do with the tables."""

    def __init__(
        self,
        client: "DynamoDBClient",
        *,
        inventory_table: str,
        orders_table: str,
        waits: Waits = jittered(6),  # noqa: B008 - makes a maker of iterators, which holds no state
        spent: Spent | None = None,
    ) -> None:
        self._client = client
        self._inventory = inventory_table
        self._orders = orders_table
        self._waits = waits
        self._spent = spent
        self._roles = {inventory_table: CapacityTable.INVENTORY, orders_table: CapacityTable.ORDERS}
        # Only a caller that uses the answer needs it.
        self._metered: Any = {"ReturnConsumedCapacity": "TOTAL"} if spent else {}

    # --- the port -------------------------------------------------------------------------------------

    def transact(self, writes: Sequence[Write]) -> Sequence[Verdict]:
        actions = [self._action(write) for write in writes]
        try:
            response = self._client.transact_write_items(TransactItems=actions, **self._metered)
        except self._client.exceptions.TransactionCanceledException as error:
            reasons = error.response.get("CancellationReasons", [])
            if len(reasons) != len(writes):
                raise StoreUnavailableError("a transaction was cancelled without saying why") from error
            return [_verdict(write, reason) for write, reason in zip(writes, reasons, strict=True)]
        except (ClientError, BotoCoreError) as error:
            raise _worth_a_retry(error) from error
        # Of a cancelled transaction, which consumes too, the API does not tell: only the tables' own
        # metrics have that.
        self._report(response, CapacityKind.WRITE)
        return ()

    def read_orders(self, keys: Collection[Key]) -> Mapping[Key, Order]:
        return self._read(self._orders, keys, order_of)

    def read_stock(self, keys: Collection[Key]) -> Mapping[Key, Stock]:
        return self._read(self._inventory, keys, stock_of)

    # --- for operators --------------------------------------------------------------------------------

    def scan_orders(self, unreadable: Callable[[Unreadable], object] | None = None) -> Iterator[Order]:
        """Go through all orders; one that cannot be read goes to `unreadable`, or ends the scan."""
        return readable(order_of, self._scan(self._orders), unreadable)

    def scan_stock(self, unreadable: Callable[[Unreadable], object] | None = None) -> Iterator[Stock]:
        """Go through all SKUs; one that cannot be read goes to `unreadable`, or ends the scan."""
        return readable(stock_of, self._scan(self._inventory), unreadable)

    def seed(self, stocks: Iterable[Stock]) -> int:
        """Put the SKUs that are not there yet; returns how many were new."""
        return sum(self._replace(None, stock) for stock in stocks)

    def adjust(self, key: Key, delta: int) -> Stock | None:
        """Change what is on hand. None when there is no such SKU, or fewer are available than are taken."""
        # A transaction carries a token, so that botocore's own retries cannot add the delta twice.
        verdicts = self.transact([StockWrite(key, Delta(stock=delta, available=delta))])
        if any(isinstance(verdict, Busy) for verdict in verdicts):
            raise StoreUnavailableError(f"{key.id!r} is being sold right now")
        return None if verdicts else self.read_stock([key])[key]

    def set_stock(
        self, key: Key, *, stock: int | None = None, price: Price | None = None, name: str | None = None
    ) -> Stock | None:
        """Create a SKU or set parts of it. None when there would be less on hand than is reserved.

        A new SKU needs a price. Raises StoreUnavailableError when the SKU changes at every attempt.
        """
        waits = self._waits()
        while True:
            before = self.read_stock([key]).get(key)
            if before is None and price is None:
                raise ValueError(
                    f"{key.id!r} is not in the inventory yet, so it needs a price and a currency"
                )
            on_hand = stock if stock is not None else (before.stock if before else 0)
            reserved = before.reserved if before else 0
            if on_hand < reserved:
                return None
            known = before or Stock(key, 0, 0, 0, price or Price(0, ""))
            after = Stock(
                key, on_hand, reserved, on_hand - reserved, price or known.price, name or known.name
            )
            if self._replace(before, after):
                return after
            if not next(waits, False):
                raise StoreUnavailableError(f"{key.id!r} is being sold right now; try again")

    # --- the tables -----------------------------------------------------------------------------------

    def _action(self, write: Write) -> Any:  # noqa: ANN401 - a request as boto3 takes it, checked by no type
        if isinstance(write, StockWrite):
            return {
                "Update": {
                    "TableName": self._inventory,
                    "Key": {"pk": {"S": write.key.pk}},
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                    **_stock_expressions(write),
                }
            }
        put: dict[str, Any] = {
            "TableName": self._orders,
            "Item": order_item(write.after),
            "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if write.before is not None:
            put["ConditionExpression"] = "#status = :status AND version = :version"
            put["ExpressionAttributeNames"] = {"#status": "status"}
            put["ExpressionAttributeValues"] = {
                ":status": {"S": write.before.status.value},
                ":version": {"N": str(write.before.version)},
            }
        return {"Put": put}

    def _replace(self, before: Stock | None, after: Stock) -> bool:
        """Put a SKU on condition that it still is as it was read (None: that there is none)."""
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if before is not None:
            compared = {
                name: value for name, value in stock_item(before).items() if name not in ("pk", "name")
            }
            condition = {
                "ConditionExpression": " AND ".join(f"{name} = :{name}" for name in compared),
                "ExpressionAttributeValues": {f":{name}": value for name, value in compared.items()},
            }
        try:
            self._client.put_item(TableName=self._inventory, Item=stock_item(after), **condition)
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        except (ClientError, BotoCoreError) as error:
            raise _worth_a_retry(error) from error
        return True

    def _read(
        self, table: str, keys: Collection[Key], parse: Callable[[Mapping[str, Any]], V]
    ) -> dict[Key, V]:
        """Read items as of now, a hundred at once, asking again for what was throttled."""
        pending: list[Any] = [{"pk": {"S": key.pk}} for key in dict.fromkeys(keys)]
        values: dict[Key, V] = {}
        waits = self._waits()
        while pending:
            now, pending = pending[:_READ_AT_ONCE], pending[_READ_AT_ONCE:]
            try:
                response = self._client.batch_get_item(
                    RequestItems={table: {"Keys": now, "ConsistentRead": True}}, **self._metered
                )
            except (ClientError, BotoCoreError) as error:
                if is_transient(error):
                    raise _incomplete(str(error), values, now + pending) from error
                raise
            self._report(response, CapacityKind.READ)
            values |= {Key.of(item["pk"]["S"]): parse(item) for item in response["Responses"].get(table, [])}
            unprocessed = response.get("UnprocessedKeys", {})
            if table in unprocessed:
                pending.extend(unprocessed[table]["Keys"])
                if not next(waits, False):
                    raise _incomplete("reads are throttled", values, pending)
        return values

    def _report(self, response: Any, kind: CapacityKind) -> None:  # noqa: ANN401 - of either call
        if self._spent is None:
            return
        for consumed in response.get("ConsumedCapacity", ()):
            role = self._roles[consumed["TableName"]]
            # A transaction that was sent twice under one token is only read the second time.
            total = consumed["CapacityUnits"]
            read = consumed.get("ReadCapacityUnits", total if kind is CapacityKind.READ else 0.0)
            write = total - read
            if read:
                self._spent(role, CapacityKind.READ, read)
            if write:
                self._spent(role, CapacityKind.WRITE, write)

    def _scan(self, table: str) -> Iterator[Mapping[str, Any]]:
        for page in self._client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            yield from page["Items"]


def _incomplete(why: str, values: Mapping[Key, Any], unread: Sequence[Any]) -> IncompleteReadError:
    return IncompleteReadError(why, values, {Key.of(key["pk"]["S"]) for key in unread})


def _stock_expressions(write: StockWrite) -> dict[str, Any]:
    """Add the deltas; what shrinks must reach; what was priced must still cost that."""
    deltas = {
        "stock": write.delta.stock,
        "reserved": write.delta.reserved,
        "available": write.delta.available,
    }
    changes, conditions, values = [], ["attribute_exists(pk)"], {}
    for name, delta in deltas.items():
        if delta == 0:
            continue
        sign = "+" if delta > 0 else "-"
        changes.append(f"{name} = {name} {sign} :{name}")
        values[f":{name}"] = {"N": str(abs(delta))}
        if delta < 0:
            conditions.append(f"{name} >= :{name}")
    if write.price is not None:
        conditions += ["unitPriceMinor = :price", "currency = :currency"]
        values |= {":price": {"N": str(write.price.minor)}, ":currency": {"S": write.price.currency}}
    return {
        "UpdateExpression": "SET " + ", ".join(changes),
        "ConditionExpression": " AND ".join(conditions),
        "ExpressionAttributeValues": values,
    }


def _verdict(write: Write, reason: Mapping[str, Any]) -> Verdict:
    code = reason.get("Code", "None")
    if code == "None":
        return Passed()
    if code == "ConditionalCheckFailed":
        item = reason.get("Item")
        return Refused((order_of if isinstance(write, OrderWrite) else stock_of)(item) if item else None)
    if code in _BUSY:
        return Busy()
    return Broken(f"{code}: {reason.get('Message', 'no message')}")


def _worth_a_retry(error: ClientError | BotoCoreError) -> Exception:
    """Turn a passing failure into one the callers know; anything else stays what it is."""
    return StoreUnavailableError(str(error)) if is_transient(error) else error
