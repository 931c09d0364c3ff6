"""Each right that a function's role gives is needed: without it, something that the function does fails."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from services.shared.events import Event
from services.shared.ledger import Order
from services.shared.wiring import utc_now
from tests.support.builders import envelope, payment_request, sqs_event
from tests.support.builders import placed as placed_event
from tests.support.pipeline_client import PipelineClient
from tests.support.polling import wait_until
from tests.terraform.conftest import Applied

NOT_ENFORCED = frozenset({"ConnectToDatabase", "TakeMessages", "WriteLog", "WriteTraces"})
"""What the emulator does in a function's stead and asks nobody, and what PostgreSQL does not look at."""

EXTRA = frozenset({"SendInBatches"})
CALLED_LOCALLY = {"sqs:SendMessage": "sqs:SendMessageBatch"}
"""What the emulator calls a right otherwise than AWS, and where envs/local gives it."""


@pytest.fixture(scope="module")
def bench(applied: Applied) -> Iterator["Bench"]:
    """A bench for functions, with the bus cut off from their queues meanwhile."""
    events, bus = applied.environment.client("events"), applied.environment.names.bus
    rules = [it["Name"] for it in events.list_rules(EventBusName=bus)["Rules"]]
    for rule in rules:
        events.disable_rule(Name=rule, EventBusName=bus)
    yield Bench(applied, PipelineClient(applied.environment), count())
    for rule in rules:
        events.enable_rule(Name=rule, EventBusName=bus)


@dataclass(frozen=True)
class Bench:
    applied: Applied
    pipeline: PipelineClient
    numbers: "count[int]"

    # --- rights ---------------------------------------------------------------------------------------

    def rights(self, function: str) -> Iterator[tuple[str, str]]:
        """Name every right of a function, by its statement and action."""
        for statement in self._policies(function)["rights"]["Statement"]:
            if statement["Sid"] not in NOT_ENFORCED:
                yield from ((statement["Sid"], action) for action in statement["Action"])

    @contextmanager
    def without(self, function: str, right: tuple[str, str]) -> Iterator[None]:
        """Take one right away, and give it back."""
        whole = self._policies(function)
        lost = {right[1], CALLED_LOCALLY.get(right[1], right[1])}
        for name, policy in whole.items():
            kept = [
                {**it, "Action": [action for action in it["Action"] if action not in lost]}
                if it["Sid"] in (right[0], *EXTRA)
                else it
                for it in policy["Statement"]
            ]
            self._allow(function, name, [it for it in kept if it["Action"]])
        try:
            yield
        finally:
            for name, policy in whole.items():
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

    # --- work -----------------------------------------------------------------------------------------

    def call(self, function: str, event: object) -> Any:  # noqa: ANN401 - whatever a function answers
        """Invoke a function; None when it breaks down."""
        name = self.applied.environment.names.function(function)
        answer = self.applied.environment.client("lambda").invoke(
            FunctionName=name, Payload=json.dumps(event)
        )
        return None if answer.get("FunctionError") else json.load(answer["Payload"])

    def takes(self, function: str, *messages: str) -> bool:
        """Hand a function messages; tells whether none has to come again."""
        return bool(self.call(function, sqs_event(*messages)) == {"batchItemFailures": []})

    def reserved(self) -> Order:
        """Have an order reserved."""
        name = self.new_name()
        assert self.takes(
            "order", envelope(self.pipeline.order(name, self.pipeline.create_sku(5)), "OrderPlaced")
        )
        return self.pipeline.get(name)

    def new_name(self) -> str:
        return f"right-{next(self.numbers)}"


UNREADABLE = envelope({}, "OrderPlaced")

Works = Callable[[], bool]
"""Does all that a function does, once; tells whether all of it went well."""


def order(bench: Bench, _times: int) -> Works:
    def reserves_and_calls_off() -> bool:
        name = bench.new_name()
        placed = envelope(bench.pipeline.order(name, bench.pipeline.create_sku(5)), "OrderPlaced")
        called_off = envelope({"orderId": bench.pipeline.order_id(name)}, "OrderCancellationRequested")
        return all(bench.takes("order", it) for it in (placed, called_off, UNREADABLE))

    return reserves_and_calls_off


def payment(bench: Bench, _times: int) -> Works:
    def charges() -> bool:
        request = payment_request(bench.reserved().key.id)
        return all(bench.takes("payment", it) for it in (message(request), UNREADABLE))

    return charges


def expiry(bench: Bench, times: int) -> Works:
    reserved = [bench.reserved() for _ in range(times)]
    wait_until(
        lambda: all(it.expires_at and it.expires_at < utc_now() for it in reserved), "the holds are over"
    )

    def releases() -> bool:
        request = payment_request(reserved.pop().key.id)
        return all(bench.takes("expiry", it) for it in (message(request), UNREADABLE))

    return releases


def collector(bench: Bench, _times: int) -> Works:
    # The third throws away what the first has left.
    return lambda: all(bench.call("collector", {}) is not None for _ in range(3))


def exposition(bench: Bench, _times: int) -> Works:
    environment = bench.applied.environment
    name = environment.names.secret("metrics-token")
    token = environment.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    assert bench.call("collector", {})

    def answers() -> bool:
        answer = bench.call("exposition", {"headers": {"authorization": f"Bearer {token}"}})
        return answer is not None and answer["statusCode"] == 200

    return answers


def projector(bench: Bench, _times: int) -> Works:
    def writes() -> bool:
        placed = placed_event(bench.pipeline.order_id(bench.new_name()))
        return all(bench.takes("projector", it) for it in (message(placed), UNREADABLE))

    return writes


def analytics(bench: Bench, _times: int) -> Works:
    signed = bench.applied.token("reader")
    for _ in range(2):
        assert bench.takes("projector", message(placed_event(bench.pipeline.order_id(bench.new_name()))))

    # One of several: what signs the way to the next page is read then.
    return lambda: bench.applied.ask("/api/orders?limit=1", signed) is not None


def migrator(bench: Bench, _times: int) -> Works:
    return lambda: bench.call("migrator", {"action": "migrate"}) is not None


def message(event: Event) -> str:
    return envelope(event.model_dump(mode="json", by_alias=True), event.detail_type())


# What is kept from an earlier call needs no right: with the rights taken away first, nothing is kept yet.
@pytest.mark.parametrize(
    "work",
    [order, payment, expiry, collector, exposition, projector, analytics, migrator],
    ids=lambda it: it.__name__,
)
def test_a_function_fails_without_any_one_of_its_rights(
    bench: Bench, work: Callable[[Bench, int], Works]
) -> None:
    function = work.__name__
    rights = list(bench.rights(function))
    works = work(bench, len(rights) + 1)

    needless = []
    for right in rights:
        with bench.without(function, right):
            if works():
                needless.append(right)

    assert needless == []
    assert works()
