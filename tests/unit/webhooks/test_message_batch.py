"""A batch of messages: each is delivered by itself."""

from collections.abc import Collection, Mapping, Sequence

from services.shared.errors import TransientError
from services.shared.messages import Poison
from services.webhooks.message_batch import MessageBatch
from services.webhooks.model import Message
from tests.support.fakes import RecordingTelemetry
from tests.support.webhooks import Shop


class Queue:
    def __init__(self) -> None:
        self.away: dict[str, int] = {}
        self.dead: list[Poison] = []

    def postpone(self, seconds: Mapping[str, int]) -> int:
        self.away |= seconds
        return 0

    def send(self, poison: Sequence[Poison]) -> Collection[str]:
        self.dead += poison
        return []


def record(name: str, body: str) -> dict[str, str]:
    return {"messageId": name, "receiptHandle": f"receipt-{name}", "body": body}


def test_messages_are_done_postponed_or_retried_one_by_one() -> None:
    shop, queue = Shop(), Queue()
    endpoint = shop.add()

    def deliver(message: Message) -> int | None:
        match message.id:
            case "msg_done":
                return None
            case "msg_later":
                return 300
            case "msg_transient":
                raise TransientError("throttled")
            case _:
                raise ZeroDivisionError

    batch = MessageBatch(deliver, queue, queue, RecordingTelemetry(), consumer="webhook-retries")
    names = ("done", "later", "transient", "broken")
    records = [record(it, shop.message(endpoint, f"msg_{it}").model_dump_json()) for it in names]

    response = batch.receive({"Records": [*records, record("poison", '{"data": 1}')]})

    failures = [it["itemIdentifier"] for it in response["batchItemFailures"]]
    assert failures == ["broken", "later", "transient"]
    assert queue.away == {"receipt-later": 300, "receipt-transient": 30, "receipt-broken": 30}
    assert [it.message_id for it in queue.dead] == ["poison"]
