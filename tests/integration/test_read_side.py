"""The read side on the running stack: projection, access, tenant isolation, rebuild."""

import json
import urllib.error
import urllib.request
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from contextlib import closing
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from scripts.common.errors import ToolError
from scripts.environment.cognito import ROLES, pool_id, token
from scripts.environment.local_state import StackState
from scripts.environment.migrator_client import invoke_migrator
from scripts.local.aws.user_pool import User, add_user
from scripts.ops.aws_context import AwsOpsContext
from scripts.ops.dlq.dlq import peek, redrive
from scripts.ops.dlq.messages import Filter
from scripts.ops.replay import rebuild
from tests.conftest import RunningStack
from tests.support.pipeline_client import PipelineClient
from tests.support.polling import wait_until

pytestmark = pytest.mark.stack

_EVERY_ROW = """
SELECT table_name FROM information_schema.columns
WHERE table_schema = 'public' AND column_name = 'tenant_id' AND table_name NOT LIKE 'audit%'
  AND table_name NOT IN ('users', 'projection_checkpoints')
GROUP BY table_name ORDER BY table_name
"""

Get = Callable[..., tuple[int, Any]]


@pytest.fixture
def state(stack: RunningStack) -> StackState:
    state = StackState.read(stack.home)
    assert state is not None
    return state


@pytest.fixture
def pipeline(stack: RunningStack) -> PipelineClient:
    return PipelineClient(stack.environment)


def _token(stack: RunningStack, state: StackState, role: str) -> str:
    return token(stack.environment, role, state.users_password)


@pytest.fixture
def get_as(stack: RunningStack, state: StackState) -> Get:
    """Send a request over HTTP with the token of a role, with any token, or with none."""

    def get(path: str, *, role: str = "admin", bearer: str | None = None) -> tuple[int, Any]:
        signed = _token(stack, state, role) if bearer is None else bearer
        headers = {"Authorization": f"Bearer {signed}"} if signed else {}
        request = urllib.request.Request(f"{state.api_url}/api/{path}", headers=headers)  # noqa: S310 - loopback
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - loopback
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    return get


def _order(get_as: Get, order_id: str) -> dict[str, Any]:
    status, answer = get_as(f"orders/{order_id}")
    return dict(answer["data"]) if status == 200 else {}


def test_every_end_of_an_order_is_told_as_the_tables_have_it(pipeline: PipelineClient, get_as: Get) -> None:
    sku = pipeline.create_sku(9, price=700)
    pipeline.place(
        pipeline.order("paid", sku, 2, region="eu-west", channel="web"),
        pipeline.order("declined", sku, paymentMethod="sim_declined"),
        pipeline.order("too-much", sku, 100),
    )
    pipeline.wait_for_status("paid", "CONFIRMED")
    pipeline.wait_for_status("declined", "CANCELLED payment_failed")
    pipeline.wait_for_status("too-much", "REJECTED out_of_stock")

    wait_until(
        lambda: _order(get_as, pipeline.order_id("paid")).get("status") == "CONFIRMED", "paid is projected"
    )
    wait_until(
        lambda: _order(get_as, pipeline.order_id("declined")).get("status") == "CANCELLED",
        "declined is projected",
    )
    wait_until(
        lambda: _order(get_as, pipeline.order_id("too-much")).get("status") == "REJECTED",
        "too much is projected",
    )

    paid = _order(get_as, pipeline.order_id("paid"))
    assert (paid["region"], paid["channel"], paid["units"]) == ("eu-west", "web", 2)
    assert paid["amount"] == {"amountMinor": 1_400, "currency": "USD"}
    wait_until(
        lambda: len(_order(get_as, pipeline.order_id("paid"))["timeline"]) == 4,
        "all four events are projected",
    )
    assert {moment["event"] for moment in _order(get_as, pipeline.order_id("paid"))["timeline"]} == {
        *("OrderPlaced", "PaymentRequested", "PaymentProcessed", "OrderConfirmed")
    }
    assert _order(get_as, pipeline.order_id("declined"))["reason"] == "payment_failed"


def test_a_refunded_order_is_told_as_refunded(pipeline: PipelineClient, get_as: Get) -> None:
    sku = pipeline.create_sku(5)
    pipeline.place(pipeline.order("returned", sku))
    pipeline.wait_for_status("returned", "CONFIRMED")
    pipeline.publish("RefundRequested", [{"orderId": pipeline.order_id("returned"), "restock": True}])
    pipeline.wait_for_status("returned", "REFUNDED")

    wait_until(
        lambda: _order(get_as, pipeline.order_id("returned")).get("status") == "REFUNDED",
        "the refund is projected",
    )

    refunded = _order(get_as, pipeline.order_id("returned"))
    assert refunded["payment"]["status"] == "REFUNDED"
    assert refunded["fulfillment"]["status"] == "RETURNED"


def test_subscriptions_move_recurring_revenue(pipeline: PipelineClient, get_as: Get) -> None:
    customer = f"subscriber-{uuid4().hex[:8]}"
    terms = {"subscriptionId": "sub-1", "customerId": customer, "interval": "year", "currency": "USD"}
    _, before = get_as("metrics/mrr?month=2019-03")

    pipeline.publish(
        "SubscriptionStarted",
        [{**terms, "plan": "team", "amountMinor": 1_200, "effectiveAt": "2019-03-05T00:00:00Z"}],
    )

    def after() -> Any:  # noqa: ANN401 - JSON
        return get_as("metrics/mrr?month=2019-03")[1]["data"]

    wait_until(
        lambda: after()["new"]["customers"] == before["data"]["new"]["customers"] + 1, "the customer is new"
    )
    assert after()["new"]["amount"]["amountMinor"] == before["data"]["new"]["amount"]["amountMinor"] + 100


def test_what_cannot_be_counted_is_set_aside_alone_and_counted_once_it_can_be(
    pipeline: PipelineClient, get_as: Get
) -> None:
    terms = {"plan": "team", "interval": "month", "amountMinor": 900, "effectiveAt": "2018-07-05T00:00:00Z"}
    foreign, home = (
        {
            **terms,
            "subscriptionId": f"{name}-{pipeline.run}",
            "customerId": f"{name}-{pipeline.run}",
            "currency": it,
        }
        for name, it in (("swiss", "CHF"), ("local", "USD"))
    )
    pipeline.publish("SubscriptionStarted", [foreign, home])

    def counted() -> Any:  # noqa: ANN401 - JSON
        return get_as("metrics/mrr?month=2018-07")[1]["data"]["new"]

    wait_until(lambda: counted()["customers"] == 1, "the other one is counted")
    wait_until(lambda: len(pipeline.dlq("projector")) == 1, "five deliveries are enough")

    rate = {"action": "setRate", "tenantId": "default", "currency": "CHF"}
    invoke_migrator(pipeline.environment, {**rate, "validFrom": "2018-01-01", "rate": "1.10"})
    dlq = pipeline.ops.dlq("projector")
    ours = frozenset(it.message_id for it in peek([dlq], Filter()) if pipeline.run in it.body)
    handled = redrive(pipeline.ops, dlq, Filter(ids=ours), rate=None, on_progress=lambda _: None)

    assert len(handled.done) == 1
    wait_until(lambda: counted()["customers"] == 2, "it is counted, too")
    assert counted()["amount"]["amountMinor"] == 900 + 990


@pytest.mark.parametrize("role", ROLES)
def test_who_may_see_what_is_decided_by_the_role_in_the_token(get_as: Get, role: str) -> None:
    orders, _ = get_as("orders?limit=1", role=role)
    recurring, encoded = get_as("metrics/mrr", role=role)

    assert orders == 200
    assert recurring == (403 if role == "viewer" else 200)
    assert encoded.get("status", 200) == recurring


def _forged(signed: str, **claims: str) -> str:
    """Change the claims of a token and keep its signature."""
    head, encoded, signature = signed.split(".")
    payload = json.loads(urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    forged = urlsafe_b64encode(json.dumps({**payload, **claims}).encode()).decode().rstrip("=")
    return f"{head}.{forged}.{signature}"


def test_nobody_gets_in_without_a_token_or_with_one_that_was_tampered_with(
    stack: RunningStack, state: StackState, get_as: Get
) -> None:
    signed = _token(stack, state, "viewer")

    assert get_as("orders", bearer=signed)[0] == 200
    assert get_as("orders", bearer="")[0] == 401
    assert get_as("orders", bearer="nonsense")[0] == 401
    assert get_as("orders", bearer=_forged(signed, **{"custom:tenant_id": "globex"}))[0] == 401
    assert get_as("orders", bearer=_forged(signed, **{"custom:role": "admin"}))[0] == 401


def test_a_user_of_another_tenant_sees_nothing_of_ours(
    stack: RunningStack, pipeline: PipelineClient, state: StackState, get_as: Get
) -> None:
    sku = pipeline.create_sku(5)
    pipeline.place(pipeline.order("ours", sku))
    pipeline.wait_for_status("ours", "CONFIRMED")
    wait_until(
        lambda: _order(get_as, pipeline.order_id("ours")).get("status") == "CONFIRMED",
        "our order is projected",
    )
    pool = pool_id(stack.environment) or ""
    add_user(stack.environment, pool, User("stranger", "admin", "globex"), state.users_password)
    stranger = token(stack.environment, "stranger", state.users_password)

    assert get_as(f"orders/{pipeline.order_id('ours')}", bearer=stranger)[0] in {403, 404}
    for path in ("orders", "metrics/summary", "pipeline/by-region", "metrics/cohorts"):
        status, answer = get_as(path, bearer=stranger)
        assert status in {200, 403}
        assert pipeline.order_id("ours") not in json.dumps(answer)
        assert "default" not in json.dumps(answer.get("meta", {}))


def _all_rows(state: StackState) -> dict[str, list[str]]:
    """Read every row of every table derived from events, without the times of writing."""
    with closing(psycopg.connect(state.postgres or "", autocommit=True)) as administrator:
        tables = [table for (table,) in administrator.execute(_EVERY_ROW).fetchall()]
        return {
            table: [
                row
                for (row,) in administrator.execute(
                    f"SELECT (to_jsonb(t) - 'created_at' - 'updated_at')::text FROM {table} t ORDER BY 1"  # noqa: S608
                ).fetchall()
            ]
            for table in tables
        }


def test_a_rebuild_from_the_archive_reaches_the_same_rows(
    stack: RunningStack, pipeline: PipelineClient, state: StackState
) -> None:
    sku = pipeline.create_sku(50)
    pipeline.place(*(pipeline.order(f"many-{number}", sku) for number in range(20)))
    pipeline.wait_until_settled([f"many-{number}" for number in range(20)])
    ops, environment = AwsOpsContext(stack.environment), stack.environment

    def drained() -> bool:
        queue = environment.client("sqs").get_queue_attributes(
            QueueUrl=environment.queue_url("projector"),
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )
        return not any(int(count) for count in queue["Attributes"].values())

    wait_until(drained, "all is projected")
    before = _all_rows(state)

    result = rebuild.rebuild(ops, environment, rebuild.Rebuild(rebuild.coverage(ops, environment)))

    wait_until(
        lambda: drained() and invoke_migrator(environment, {"action": "status"})["tenants"] != [],
        "the replay is projected",
    )
    assert result.complete
    wait_until(lambda: _all_rows(state) == before, "the rows are the same again")
    assert len(before["event_inbox"]) >= 80


def test_a_rebuild_that_would_lose_events_is_refused_and_changes_nothing(
    stack: RunningStack, state: StackState
) -> None:
    ops, environment = AwsOpsContext(stack.environment), stack.environment
    coverage = rebuild.coverage(ops, environment)
    before = _all_rows(state)

    with pytest.raises(ToolError, match="at least 7 would be lost"):
        rebuild.rebuild(
            ops,
            environment,
            rebuild.Rebuild(rebuild.Coverage(coverage.recorded, coverage.recorded - 7, coverage.since)),
        )

    assert _all_rows(state) == before
