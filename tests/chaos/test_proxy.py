"""The fault proxy words its faults as AWS does: our own adapters understand every one of them."""

from collections.abc import Iterator

import boto3
import pytest
from botocore.config import Config

from scripts.local.aws import emulator as ministack
from services.shared.adapters.dynamodb_store import DynamoDBStore
from services.shared.adapters.eventbridge import EventBridgeBus
from services.shared.adapters.sqs_batch import SqsPoisonQueue
from services.shared.errors import StoreUnavailableError
from services.shared.events import OrderCancellationRequested
from services.shared.ledger import Busy, Delta, StockWrite
from services.shared.messages import Poison
from tests.chaos.fault_schedule import FaultSchedule
from tests.chaos.faults import Fault
from tests.chaos.proxy import FaultProxy
from tests.conftest import RunningEmulator
from tests.support.fakes import START, a_stock

pytestmark = pytest.mark.emulator

INVENTORY, ORDERS, BUS, QUEUE = "chaos-inventory", "chaos-orders", "chaos-bus", "chaos-dlq"
WORDED = (Fault.THROTTLED, Fault.UNWELL, Fault.CUT_BEFORE)


class Obedient(FaultSchedule):
    """A schedule with one given fault."""

    def __init__(self) -> None:
        super().__init__(seed=1)
        self.coming: Fault | None = None

    def strike(self, operation: str) -> Fault | None:
        fault, self.coming = self.coming, None
        return fault if operation else None


@pytest.fixture(scope="module")
def made(emulator: RunningEmulator) -> RunningEmulator:
    emulator.clients.client("events").create_event_bus(Name=BUS)
    emulator.clients.client("sqs").create_queue(QueueName=QUEUE)
    for table in (INVENTORY, ORDERS):
        emulator.clients.client("dynamodb").create_table(
            TableName=table,
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
    return emulator


@pytest.fixture
def schedule() -> Obedient:
    return Obedient()


@pytest.fixture
def session() -> boto3.Session:
    return boto3.Session(ministack.ACCESS_KEY_ID, ministack.SECRET_ACCESS_KEY, region_name=ministack.REGION)


@pytest.fixture
def endpoint(made: RunningEmulator, schedule: Obedient) -> Iterator[str]:
    with FaultProxy(int(made.endpoint.rpartition(":")[2]), schedule) as proxy:
        yield proxy.endpoint


ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1})


@pytest.fixture
def store(session: boto3.Session, endpoint: str) -> DynamoDBStore:
    client = session.client("dynamodb", endpoint_url=endpoint, config=ONCE)
    store = DynamoDBStore(client, inventory_table=INVENTORY, orders_table=ORDERS)
    store.seed([a_stock("apple", 10), a_stock("pear", 10)])
    return store


@pytest.fixture
def bus(session: boto3.Session, endpoint: str) -> EventBridgeBus:
    client = session.client("events", endpoint_url=endpoint, config=ONCE)
    return EventBridgeBus(client, bus_name=BUS, source="tests", waits=lambda: iter(()))


@pytest.fixture
def dlq(session: boto3.Session, endpoint: str) -> SqsPoisonQueue:
    client = session.client("sqs", endpoint_url=endpoint, config=ONCE)
    return SqsPoisonQueue(
        client, queue_url=client.get_queue_url(QueueName=QUEUE)["QueueUrl"], consumer="order"
    )


def _take(sku: str) -> StockWrite:
    return StockWrite(a_stock(sku).key, Delta(reserved=1, available=-1))


def _event(n: int) -> OrderCancellationRequested:
    return OrderCancellationRequested(event_id=f"e{n}", correlation_id="o", occurred_at=START, order_id="o")


@pytest.mark.parametrize("fault", WORDED)
def test_a_refused_transaction_has_no_effect_and_may_be_tried_again(
    store: DynamoDBStore, schedule: Obedient, fault: Fault
) -> None:
    before = store.read_stock([a_stock("apple").key])
    schedule.coming = fault

    with pytest.raises(StoreUnavailableError):
        store.transact([_take("apple")])

    assert store.read_stock([a_stock("apple").key]) == before


def test_a_transaction_whose_answer_is_lost_took_place(store: DynamoDBStore, schedule: Obedient) -> None:
    key = a_stock("pear").key
    before = store.read_stock([key])[key]
    schedule.coming = Fault.CUT_AFTER

    with pytest.raises(StoreUnavailableError):
        store.transact([_take("pear")])

    assert store.read_stock([key])[key].reserved == before.reserved + 1


def test_a_cancelled_transaction_blames_some_of_its_actions(store: DynamoDBStore, schedule: Obedient) -> None:
    schedule.coming = Fault.CONFLICT

    verdicts = store.transact([_take("apple"), _take("pear")])

    assert len(verdicts) == 2
    assert any(isinstance(verdict, Busy) for verdict in verdicts)


def test_reads_that_are_answered_in_part_are_asked_for_again(
    store: DynamoDBStore, schedule: Obedient
) -> None:
    keys = [a_stock("apple").key, a_stock("pear").key]
    schedule.coming = Fault.PARTIAL

    assert store.read_stock(keys).keys() == set(keys)


@pytest.mark.parametrize("fault", [*WORDED, Fault.CUT_AFTER])
def test_events_of_a_call_that_failed_are_returned(
    bus: EventBridgeBus, schedule: Obedient, fault: Fault
) -> None:
    schedule.coming = fault

    assert bus.publish([_event(1), _event(2)]) == [_event(1), _event(2)]


def test_events_that_were_not_taken_are_returned_and_the_others_are_not(
    bus: EventBridgeBus, schedule: Obedient
) -> None:
    events = [_event(n) for n in range(10)]
    schedule.coming = Fault.PARTIAL

    left = bus.publish(events)

    assert 0 < len(left) < 10


@pytest.mark.parametrize("fault", [*WORDED, Fault.CUT_AFTER])
def test_letters_of_a_call_that_failed_are_returned(
    dlq: SqsPoisonQueue, schedule: Obedient, fault: Fault
) -> None:
    schedule.coming = fault

    assert dlq.send([Poison("m1", "body", "invalid_json", "detail")]) == ["m1"]


def test_letters_that_were_not_taken_are_returned(dlq: SqsPoisonQueue, schedule: Obedient) -> None:
    schedule.coming = Fault.PARTIAL

    left = dlq.send([Poison(f"m{n}", "body", "invalid_json", "detail") for n in range(10)])

    assert 0 < len(left) < 10


def test_a_late_answer_is_an_answer(bus: EventBridgeBus, schedule: Obedient) -> None:
    schedule.coming = Fault.LATE

    assert bus.publish([_event(1)]) == []
