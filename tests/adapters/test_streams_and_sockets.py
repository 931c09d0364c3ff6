"""Streams and sockets on the emulator, with tiny functions: no function of the product uses them yet."""

import io
import json
import os
import socket
import zipfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from scripts.common.errors import ToolError
from scripts.environment.environment import Environment
from scripts.environment.topology import Socket, SocketAuthorizer, StreamConsumer, Topology
from scripts.local.aws.provision import RUNTIME
from scripts.local.aws.socket import STAGE, make_socket
from scripts.local.aws.streams import connect_stream
from scripts.ops.environment_status import _trigger
from scripts.verify import socket_checks
from tests.conftest import RunningEmulator
from tests.support.polling import wait_until

pytestmark = pytest.mark.emulator

CODE = """
import json, os, boto3

def tell(text):
    boto3.client("sqs").send_message(QueueUrl=os.environ["SEEN"], MessageBody=json.dumps(text))

def changes(event, context):
    for it in event["Records"]:
        tell(it["dynamodb"]["Keys"]["pk"]["S"])

def admit(event, context):
    effect = "Allow" if event["queryStringParameters"]["ticket"] == "good" else "Deny"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}
    return {"principalId": "u", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}

def serve(event, context):
    tell(event["requestContext"]["routeKey"])
    return {"statusCode": 200}
"""
TINY: dict[str, Any] = {
    "description": "Tiny.",
    "handler": "services.tiny.handlers.tiny",
    "memory_mb": 128,
    "timeout_seconds": 10,
}
CONSUMER = StreamConsumer(
    **TINY, stream="console", partitions=("dashboards#", "room#"), batch_size=10, tries=2
)
PRESENCE = Socket(**TINY, socket=("$connect", "$disconnect", "join"), authorizer="ticket")
TICKET = SocketAuthorizer(**TINY, admits="sockets")

Seen = Callable[[], list[Any]]


@pytest.fixture(scope="module")
def environment(emulator: RunningEmulator) -> Environment:
    functions = {"changes": CONSUMER, "presence": PRESENCE, "ticket": TICKET}
    topology = Topology.load().model_copy(update={"functions": functions})
    return Environment("tiny", topology, emulator.clients)


@pytest.fixture(scope="module")
def seen(environment: Environment) -> Seen:
    """Make the functions; return what they told so far."""
    sqs = environment.client("sqs")
    url = sqs.create_queue(QueueName="tiny-seen")["QueueUrl"]
    for name, handler in (("changes", "changes"), ("presence", "serve"), ("ticket", "admit")):
        _function(environment, name, handler, url)
    told: list[Any] = []

    def receive() -> list[Any]:
        for it in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", ()):
            told.append(json.loads(it["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=it["ReceiptHandle"])
        return told

    return receive


def _function(environment: Environment, name: str, handler: str, seen: str) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("tiny.py", CODE)
    environment.client("lambda").create_function(
        FunctionName=environment.names.function(name),
        Runtime=RUNTIME,
        Role="arn:aws:iam::000000000000:role/tiny",
        Handler=f"tiny.{handler}",
        Code={"ZipFile": archive.getvalue()},
        Environment={"Variables": {"SEEN": seen}},
    )


def _arn(environment: Environment, name: str) -> str:
    function = environment.names.function(name)
    return environment.client("lambda").get_function(FunctionName=function)["Configuration"]["FunctionArn"]


def test_changes_arrive_in_order_by_one_mapping_with_a_dead_letter_queue(
    environment: Environment, seen: Seen
) -> None:
    dynamodb, table = environment.client("dynamodb"), environment.names.table("console")
    dynamodb.create_table(
        TableName=table,
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    for _ in range(2):  # again, as `make up` does
        connect_stream(environment, "changes", CONSUMER, _arn(environment, "changes"))

    names = ["room#1", "dashboards#1", "room#2"]
    for name in ["user#1", *names]:  # users are none of its partitions
        dynamodb.put_item(TableName=table, Item={"pk": {"S": name}})

    wait_until(lambda: [it for it in seen() if "#" in it] == names, "the changes arrive in order")
    (mapping,) = environment.client("lambda").list_event_source_mappings(
        FunctionName=environment.names.function("changes")
    )["EventSourceMappings"]
    # The emulator neither halves nor counts; infra/modules/stream-consumer has the same settings.
    assert (mapping["BatchSize"], mapping["BisectBatchOnFunctionError"]) == (10, True)
    assert mapping["MaximumRetryAttempts"] == 1
    destination = mapping["DestinationConfig"]["OnFailure"]["Destination"]
    assert destination.endswith(":tiny-pulsequeue-changes-dlq")
    assert socket_checks.stream_problem(environment, "changes", CONSUMER) is None
    assert _trigger(environment, "changes", "Active") == ("stream of console", "Enabled")

    environment.client("lambda").delete_event_source_mapping(UUID=mapping["UUID"])
    problem = socket_checks.stream_problem(environment, "changes", CONSUMER)
    assert problem == (
        "the mapping from the stream of tiny-pulsequeue-console to function tiny-pulsequeue-changes "
        "does not exist"
    )
    assert _trigger(environment, "changes", "Active") == ("stream of console", "missing")


def test_a_table_without_a_stream_is_named(environment: Environment) -> None:
    table = environment.names.table("still")
    environment.client("dynamodb").create_table(
        TableName=table,
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    spec = CONSUMER.model_copy(update={"stream": "still"})

    problem = socket_checks.stream_problem(environment, "changes", spec)
    assert problem == f"table {table} has no stream"
    with pytest.raises(ToolError, match=f"table {table} has no stream"):
        connect_stream(environment, "changes", spec, "arn:aws:lambda:us-east-1:000000000000:function:x")


def test_a_socket_opens_with_a_ticket_only_and_carries_messages(
    environment: Environment, seen: Seen, emulator: RunningEmulator
) -> None:
    seen()
    api = make_socket(environment)
    assert api is not None
    assert make_socket(environment) == api
    address = urlsplit(f"{emulator.endpoint}/_aws/execute-api/{api}/{STAGE}")

    with _upgrade(address.port or 0, address.path) as (status, _):
        assert status == 401
    with _upgrade(address.port or 0, f"{address.path}?ticket=bad") as (status, _):
        assert status == 403
    with _upgrade(address.port or 0, f"{address.path}?ticket=good") as (status, connection):
        assert status == 101
        connection.sendall(_frame(json.dumps({"action": "join"})))
        wait_until(lambda: {"$connect", "join"} <= {*seen()}, "the function gets the message")

    assert socket_checks.socket_problem(environment, "presence", PRESENCE) is None
    more = PRESENCE.model_copy(update={"socket": (*PRESENCE.socket, "here")})
    assert socket_checks.socket_problem(environment, "presence", more) == (
        "WebSocket API tiny-pulsequeue-socket has no route here for function presence"
    )
    assert "invokes tiny-pulsequeue-presence" in (
        socket_checks.socket_problem(environment, "changes", PRESENCE) or ""
    )
    gateway = environment.client("apigatewayv2")
    (connect,) = [it for it in gateway.get_routes(ApiId=api)["Items"] if it["RouteKey"] == "$connect"]
    gateway.update_route(ApiId=api, RouteId=connect["RouteId"], AuthorizationType="NONE")
    assert socket_checks.socket_problem(environment, "presence", PRESENCE) == (
        "WebSocket API tiny-pulsequeue-socket opens connections without a ticket"
    )


def test_without_a_socket_there_is_no_api(environment: Environment) -> None:
    topology = environment.topology.model_copy(update={"functions": {"changes": CONSUMER}})

    assert make_socket(replace(environment, name="quiet", topology=topology)) is None


class _upgrade:  # noqa: N801 - reads as a function
    """Ask for a WebSocket; the status of the answer, and the connection."""

    def __init__(self, port: int, path: str) -> None:
        self._connection = socket.create_connection(("127.0.0.1", port), timeout=30)
        request = (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        self._connection.sendall(request.encode())

    def __enter__(self) -> tuple[int, socket.socket]:
        answer = b""
        while b"\r\n" not in answer:
            received = self._connection.recv(4_096)
            assert received, "the server closed the connection without an answer"
            answer += received
        return int(answer.split(b" ")[1]), self._connection

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def _frame(text: str) -> bytes:
    """Return a short text message as a client sends it: masked."""
    mask, data = os.urandom(4), text.encode()
    masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))
    return bytes([0x81, 0x80 | len(data)]) + mask + masked
