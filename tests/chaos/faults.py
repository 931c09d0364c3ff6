"""What can go wrong between a function and AWS, and how AWS words it: one answer per service. Pure."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any

Json = dict[str, Any]

TRANSACT = "DynamoDB_20120810.TransactWriteItems"
BATCH_GET = "DynamoDB_20120810.BatchGetItem"
PUT_EVENTS = "AWSEvents.PutEvents"
SEND_BATCH = "AmazonSQS.SendMessageBatch"

_DYNAMODB, _SQS = "DynamoDB_20120810", "AmazonSQS"


class Fault(StrEnum):
    THROTTLED = "throttled"
    UNWELL = "internal failure"
    CONFLICT = "transaction cancelled"
    PARTIAL = "only partly done"
    CUT_BEFORE = "cut off before the effect"
    CUT_AFTER = "cut off after the effect"
    LATE = "answered late"


_ONLY_FOR = {Fault.CONFLICT: {TRANSACT}, Fault.PARTIAL: {PUT_EVENTS, SEND_BATCH, BATCH_GET}}


def can_happen(fault: Fault, operation: str) -> bool:
    return operation in _ONLY_FOR.get(fault, {operation})


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a request that gets through, and what makes its answer one to the whole request."""

    request: bytes
    complete: Callable[[bytes], bytes]


def refusal(fault: Fault, operation: str, body: bytes, dice: Random) -> Answer | None:
    """Word the refusal of a whole request; None when this fault is not one that is worded."""
    match fault:
        case Fault.THROTTLED:
            return _throttled(operation.partition(".")[0], dice)
        case Fault.UNWELL:
            return _unwell(operation.partition(".")[0])
        case Fault.CONFLICT:
            return _cancelled(len(json.loads(body)["TransactItems"]), dice)
        case _:
            return None


def part(operation: str, body: bytes, dice: Random) -> Part:
    """Choose what of a batch gets through; at least one entry does not."""
    request: Json = json.loads(body)
    if operation == BATCH_GET:
        return _part_of_reads(request)
    entries = request["Entries"]
    refused = {n for n in range(len(entries)) if dice.random() < 1 / 2} or {dice.randrange(len(entries))}
    taken = [entry for n, entry in enumerate(entries) if n not in refused]
    forwarded = json.dumps({**request, "Entries": taken}).encode() if taken else b""

    def complete(answer: bytes) -> bytes:
        response = json.loads(answer) if answer else {}
        finish = _finish_events if operation == PUT_EVENTS else _finish_messages
        return json.dumps(finish(entries, refused, response)).encode()

    return Part(forwarded, complete)


def _finish_events(entries: list[Json], refused: set[int], response: Json) -> Json:
    results = iter(response.get("Entries", []))
    failed = {"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate exceeded"}
    whole = [failed if n in refused else next(results) for n in range(len(entries))]
    return {"FailedEntryCount": sum("ErrorCode" in result for result in whole), "Entries": whole}


def _finish_messages(entries: list[Json], refused: set[int], response: Json) -> Json:
    fault = {"SenderFault": False, "Code": "RequestThrottled", "Message": "Rate exceeded"}
    failed = [{"Id": entries[n]["Id"], **fault} for n in sorted(refused)]
    return {"Successful": response.get("Successful", []), "Failed": response.get("Failed", []) + failed}


def _part_of_reads(request: Json) -> Part:
    """Read one half of the keys, and name the other as not processed."""
    now: Json = {}
    later: Json = {}
    for table, requested in request["RequestItems"].items():
        half = len(requested["Keys"]) // 2
        if half:
            now[table] = {**requested, "Keys": requested["Keys"][:half]}
        later[table] = {**requested, "Keys": requested["Keys"][half:]}

    def complete(answer: bytes) -> bytes:
        response = json.loads(answer) if answer else {"Responses": {}}
        return json.dumps({**response, "UnprocessedKeys": later}).encode()

    return Part(json.dumps({**request, "RequestItems": now}).encode() if now else b"", complete)


def _throttled(service: str, dice: Random) -> Answer:
    if service == _DYNAMODB:
        codes = (
            "com.amazon.coral.availability#ThrottlingException",
            "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
        )
        return _error(400, dice.choice(codes), "Throughput exceeds the current capacity of your table")
    if service == _SQS:
        return _error(
            400,
            "com.amazonaws.sqs#RequestThrottled",
            "Rate exceeded",
            {"x-amzn-query-error": "RequestThrottled;Sender"},
        )
    return _error(400, "ThrottlingException", "Rate exceeded")


def _unwell(service: str) -> Answer:
    if service == _DYNAMODB:
        return _error(500, "com.amazonaws.dynamodb.v20120810#InternalServerError", "Internal server error")
    if service == _SQS:
        return _error(503, "com.amazonaws.sqs#ServiceUnavailable", "Service unavailable")
    return _error(500, "InternalFailure", "The request processing has failed")


def _cancelled(actions: int, dice: Random) -> Answer:
    """Cancel a transaction for what happened to one or a few of its items."""
    blamed = {dice.randrange(actions) for _ in range(dice.randint(1, 3))}
    code = dice.choice(("TransactionConflict", "ThrottlingError"))
    reasons = [
        {"Code": code, "Message": "Transaction is ongoing for the item"} if n in blamed else {"Code": "None"}
        for n in range(actions)
    ]
    codes = ", ".join(reason["Code"] for reason in reasons)
    return _answer(
        400,
        {
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": f"Transaction cancelled, please refer cancellation reasons [{codes}]",
            "CancellationReasons": reasons,
        },
    )


def _error(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    return _answer(status, {"__type": code, "message": message}, headers)


def _answer(status: int, document: Json, headers: Mapping[str, str] | None = None) -> Answer:
    kind = {"Content-Type": "application/x-amz-json-1.0"}
    return Answer(status, {**kind, **(headers or {})}, json.dumps(document).encode())
