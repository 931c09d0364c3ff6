"""One cold start, in an interpreter of its own: imports one folder, makes clients, handles one order.

Or imports a module and nothing else.

Run as a program, by path, with nothing on the path but the folder; it imports only what every interpreter has
loaded anyway, so that nothing which is to be measured is there before.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

Stage = tuple[float, float]
"""Seconds on the clock, and seconds of the processor."""


def main(kind: str, folder: str, *about: str) -> None:
    sys.path.insert(0, folder)
    stages: list[Callable[[Any], Any]]
    if kind == "module":
        stages = [lambda _: __import__(about[0])]
    else:
        inventory, orders, bus, order_id, body = about
        stages = functions(body) if kind == "functions" else bare(inventory, orders, bus, order_id)
    spent: list[Stage] = []
    given: Any = None
    for stage in stages:
        clock, processor = time.perf_counter(), time.process_time()
        given = stage(given)
        spent.append((time.perf_counter() - clock, time.process_time() - processor))
    # After the log lines of the function; the last line is the measurement.
    told = [repr(number) for stage in spent for number in stage]
    sys.stdout.write(" ".join([peak_kilobytes(), *told]) + "\n")


def peak_kilobytes() -> str:
    """Read the most memory this process held. `getrusage` would tell of the one that started it, too."""
    with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - pathlib is not loaded yet
        return next(line.split()[1] for line in status if line.startswith("VmHWM"))


def functions(body: str) -> list[Callable[[Any], Any]]:
    """Stages of the order function."""

    def imports(_: None) -> Any:  # noqa: ANN401 - a module
        import services.order.handler as module  # noqa: PLC0415 - this is what is measured

        return module

    def clients(module: Any) -> Any:  # noqa: ANN401 - as above
        module.orders()
        return module

    def event(module: Any) -> None:  # noqa: ANN401 - as above
        answer = module.handler({"Records": [{"messageId": "m", "body": body}]}, None)
        if answer != {"batchItemFailures": []}:
            raise SystemExit("the order was sent back")

    return [imports, clients, event]


def bare(inventory: str, orders: str, bus: str, order_id: str) -> list[Callable[[Any], Any]]:
    """Stages of a program that makes the same clients and calls through boto3, and does nothing else."""

    def imports(_: None) -> Any:  # noqa: ANN401 - a module
        import boto3  # noqa: PLC0415 - this is what is measured

        return boto3

    def clients(boto3: Any) -> Any:  # noqa: ANN401 - as above
        session = boto3.Session()
        return [session.client(name) for name in ("dynamodb", "events", "sqs")]

    def event(made: Any) -> None:  # noqa: ANN401 - as above
        dynamodb, events, _ = made
        sku, key = {"pk": {"S": "default#bare"}}, {"pk": {"S": f"default#{order_id}"}}
        dynamodb.batch_get_item(RequestItems={inventory: {"Keys": [sku]}})
        one = {":one": {"N": "1"}}
        dynamodb.transact_write_items(
            TransactItems=[
                {
                    "Update": {
                        "TableName": inventory,
                        "Key": sku,
                        "UpdateExpression": "ADD reserved :one",
                        "ExpressionAttributeValues": one,
                    }
                },
                {
                    "Put": {
                        "TableName": orders,
                        "Item": key,
                        "ConditionExpression": "attribute_not_exists(pk)",
                    }
                },
            ]
        )
        detail = f'{{"orderId": "{order_id}"}}'
        events.put_events(
            Entries=[
                {"EventBusName": bus, "Source": "bench", "DetailType": "PaymentRequested", "Detail": detail}
            ]
        )

    return [imports, clients, event]


if __name__ == "__main__":
    main(*sys.argv[1:])
