"""An event source mapping of the emulator hands over as many messages as its batch size says."""

import io
import json
import zipfile
from pathlib import Path

from tests.conftest import RunningEmulator
from tests.support.polling import wait_until

HANDLER = """
import os

def handler(event, context):
    with open(os.environ["SIZES"], "a") as sizes:
        sizes.write(f"{len(event['Records'])}\\n")
    return {"batchItemFailures": []}
"""


def _package() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("batches.py", HANDLER)
    return buffer.getvalue()


def test_more_than_ten_messages_arrive_at_once(emulator: RunningEmulator, tmp_path: Path) -> None:
    sizes = tmp_path / "sizes"
    sizes.touch()
    sqs, functions = emulator.clients.client("sqs"), emulator.clients.client("lambda")
    url = sqs.create_queue(QueueName="batches")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    functions.create_function(
        FunctionName="batches",
        Runtime="python3.12",
        Handler="batches.handler",
        Role="arn:aws:iam::000000000000:role/batches",
        Code={"ZipFile": _package()},
        Environment={"Variables": {"SIZES": str(sizes)}},
    )
    for start in range(0, 120, 10):
        sqs.send_message_batch(
            QueueUrl=url,
            Entries=[{"Id": str(n), "MessageBody": json.dumps({"n": start + n})} for n in range(10)],
        )

    functions.create_event_source_mapping(
        FunctionName="batches", EventSourceArn=arn, BatchSize=99, MaximumBatchingWindowInSeconds=1
    )
    wait_until(lambda: sum(map(int, sizes.read_text().split())) == 120, "every message was handed over")

    assert max(map(int, sizes.read_text().split())) == 99
