"""The command line as people run it: the installed program, a process of its own, against a running stack."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scripts.local import metrics_endpoint
from services.shared.log_events import LogEvent
from tests.conftest import RunningStack
from tests.support.pipeline_client import PipelineClient
from tests.support.polling import wait_until

pytestmark = pytest.mark.stack

PROGRAM = Path(sys.executable).parent / "pulsequeue"


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever was printed
        assert self.out, self.err
        return json.loads(self.out)


@dataclass
class Program:
    home: Path

    def __call__(self, *arguments: str, stdin: str = "") -> Ran:
        ended = subprocess.run(  # noqa: S603 - our own program
            [str(PROGRAM), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PULSEQUEUE_HOME": str(self.home)},
            timeout=120,
        )
        assert "Traceback" not in ended.stderr
        return Ran(ended.returncode, ended.stdout, ended.stderr)


@pytest.fixture
def pulsequeue(stack: RunningStack) -> Program:
    return Program(stack.home)


@pytest.fixture
def pipeline(stack: RunningStack) -> PipelineClient:
    return PipelineClient(stack.environment)


def _scenarios(folder: Path, **orders: Mapping[str, object]) -> str:
    path = folder / "scenarios.json"
    path.write_text(json.dumps(orders), encoding="utf-8")
    return str(path)


def test_named_scenarios_are_published_followed_and_shown_with_all_that_is_known(
    pulsequeue: Program, pipeline: PipelineClient, tmp_path: Path
) -> None:
    sku = pipeline.create_sku(5)
    name = pipeline.order_id("good")
    failing = {**pipeline.order("bad", sku), "orderId": f"test-failure-{pipeline.run}"}
    file = _scenarios(tmp_path, success=pipeline.order("good", sku, 2), failure=failing)

    published = pulsequeue("publish", file, "--wait", "--json")
    shown = pulsequeue("order", "show", name, "--json").json
    table = pulsequeue("order", "show", name)

    assert published.code == 0
    assert {order["orderId"]: order["status"] for order in published.json["orders"]} == {
        name: "CONFIRMED",
        f"test-failure-{pipeline.run}": "CANCELLED",
    }
    assert [event["event"] for event in shown["events"]] == [
        *("PaymentRequested", "PaymentProcessed", "OrderConfirmed"),
    ]
    assert {LogEvent.ORDER_RESERVED, LogEvent.ORDER_CONFIRMED} <= {line["event"] for line in shown["logs"]}
    assert {line["order_id"] for line in shown["logs"]} == {name}
    assert shown["deadLetters"] == []
    assert all(word in table.out for word in ("RESERVED", "OrderConfirmed", "order confirmed"))


def test_an_adjusted_stock_is_sold_out_and_refused_what_is_not_there(
    pulsequeue: Program, pipeline: PipelineClient
) -> None:
    sku = pipeline.create_sku(2)

    added = pulsequeue("inventory", "adjust", sku, "3", "--json")
    taken = pulsequeue("inventory", "adjust", sku, "-6")

    assert (added.code, added.json["available"]) == (0, 5)
    assert taken.code == 1
    assert "5 available" in taken.err
    assert pipeline.levels(sku) == (5, 0, 5)


def test_a_dead_letter_is_listed_shown_and_dropped_and_its_words_are_kept(
    pulsequeue: Program, pipeline: PipelineClient
) -> None:
    name = pipeline.order_id("poison")
    pipeline.place({"orderId": name, "items": []})
    wait_until(lambda: bool(pipeline.dlq("order")), "the order is set aside")

    (listed,) = pulsequeue("dlq", "ls", "order", "--order", name, "--json").json
    which = listed["messageId"]
    shown = pulsequeue("dlq", "show", "order", which, "--json").json
    dry = pulsequeue("dlq", "drop", "order", "--id", which)
    dropped = pulsequeue("dlq", "drop", "order", "--id", which, "--yes", "--json")
    after = pulsequeue("dlq", "ls", "order", "--order", name, "--json").json

    assert (listed["reason"], listed["event"]) == ("invalid_event", "OrderPlaced")
    assert shown["body"]["detail"]["orderId"] == name
    assert "1 would be dropped" in dry.err
    assert dropped.json == {"done": 1, "failed": 0, "duplicated": 0}
    assert after == []
    logs = pipeline.environment.client("logs").filter_log_events(
        logGroupName=pipeline.environment.names.operations_log_group, filterPattern=f'"{which}"'
    )["events"]
    written = [json.loads(event["message"]) for event in logs]
    assert [line["action"] for line in written] == ["dlq drop message", "dlq drop"]
    assert name in written[0]["result"]["body"]


def test_a_dead_letter_that_can_be_handled_now_is_sent_again(
    pulsequeue: Program, pipeline: PipelineClient
) -> None:
    sku, name = pipeline.create_sku(5), pipeline.order_id("early")
    pipeline.publish("RefundRequested", [{"orderId": name, "restock": True}])
    wait_until(lambda: len(pipeline.dlq("payment")) == 1, "five deliveries are enough")
    pipeline.place(pipeline.order("early", sku))
    pipeline.wait_for_status("early", "CONFIRMED")
    dead = pulsequeue("order", "show", name, "--json").json["deadLetters"]

    sent = pulsequeue("dlq", "redrive", "payment", "--id", dead[0]["messageId"], "--yes", "--json")

    assert [dead_letter["reason"] for dead_letter in dead] == ["retries_exhausted"]
    assert sent.json == {"done": 1, "failed": 0, "duplicated": 0}
    pipeline.wait_for_status("early", "REFUNDED")


def test_a_dry_replay_counts_the_window_and_reaches_nobody(
    pulsequeue: Program, pipeline: PipelineClient
) -> None:
    sku = pipeline.create_sku(5)
    pipeline.place(pipeline.order("counted", sku))
    order = pipeline.wait_for_status("counted", "CONFIRMED")
    chosen = ("--event", "RefundRequested", "--event", "OrderPlaced")

    dry = pulsequeue("replay", "--from", "1h", *chosen, "--json")

    assert dry.code == 0
    assert dry.json["events"]["OrderPlaced"] >= 1
    assert set(dry.json["events"]) <= {"OrderPlaced", "RefundRequested"}
    assert dry.json["sent"] == {}
    assert pipeline.get("counted") == order
    assert not [line for line in _lines(pulsequeue, pipeline.order_id("counted")) if "again" in line]


def _lines(pulsequeue: Program, order_id: str) -> list[str]:
    shown = pulsequeue("order", "show", order_id, "--json").json
    return [line["event"] for line in shown["logs"]]


def test_a_replay_of_chosen_events_reaches_their_consumers_alone_and_changes_nothing(
    pulsequeue: Program, pipeline: PipelineClient
) -> None:
    sku = pipeline.create_sku(5)
    pipeline.place(pipeline.order("replayed", sku))
    order = pipeline.wait_for_status("replayed", "CONFIRMED")

    ran = pulsequeue("replay", "--from", "1h", "--event", "OrderPlaced", "--yes", "--json")

    assert ran.code == 0
    assert ran.json["sent"].keys() == {"order", "projector"}
    wait_until(
        lambda: LogEvent.ORDER_DUPLICATE in _lines(pulsequeue, pipeline.order_id("replayed")),
        "the order service receives the order again",
    )
    assert pipeline.get("replayed") == order
    assert "payment asked for again, no second effect" not in _lines(
        pulsequeue, pipeline.order_id("replayed")
    )
    assert pipeline.ops.archive.unfinished() == []


def test_the_audit_agrees_and_counts_what_is_there(pulsequeue: Program, pipeline: PipelineClient) -> None:
    sku = pipeline.create_sku(5)
    pipeline.place(pipeline.order("audited", sku))
    pipeline.wait_for_status("audited", "CONFIRMED")

    ran = pulsequeue("audit", "--json")

    assert [one for one in ran.json["findings"] if one["about"] in (sku, pipeline.order_id("audited"))] == []
    assert ran.json["orders"] >= 1


def test_the_metrics_are_shown_as_prometheus_gets_them(pulsequeue: Program, stack: RunningStack) -> None:
    metrics_endpoint.collect(stack.environment)

    ran = pulsequeue("metrics", "orders_total", "--zeros", "--json")

    assert ran.code == 0
    outcomes = [sample["labels"]["outcome"] for sample in ran.json]
    assert outcomes == ["reserved", "rejected", "duplicate", "conflicted", "cancelled", "expired"]


def test_the_status_says_all_that_scripts_rely_on(pulsequeue: Program) -> None:
    ran = pulsequeue("status", "--json")

    assert ran.code == 0
    assert ran.json.keys() >= {"env", "awsEndpoint", "region", "healthy", "problems", "functions", "queues"}
    functions = {function["name"].rpartition("-")[2] for function in ran.json["functions"]}
    assert functions == {
        *("order", "payment", "expiry", "collector", "exposition"),
        *("projector", "analytics", "migrator", "audit"),
        *("claims", "commands", "notify", "organizations", "session"),
        *("fanout", "delivery", "retries", "webhook", "webhooks", "datasets", "ingest"),
    }
    assert {function["triggerState"] for function in ran.json["functions"]} == {"Enabled"}
    assert [queue["name"].rpartition("-")[2] for queue in ran.json["queues"]] == [
        "order",
        "payment",
        "expiry",
        "projector",
        "fanout",
        "delivery",
        "retries",
        "ingest",
    ]
    assert ran.json["metricsUrl"].startswith(ran.json["awsEndpoint"])
    assert ran.json["metricsUrl"].endswith("/metrics")
    assert ran.json["metricsToken"]
    assert ran.json["queues"][0].keys() == {"name", "visible", "inFlight", "delayed", "deadLetters"}
    assert ran.json["apiUrl"].startswith(ran.json["awsEndpoint"])
    port = ran.json["awsEndpoint"].rpartition(":")[2]
    assert re.fullmatch(rf"http://[a-z0-9]+\.cloudfront\.localhost:{port}", ran.json["consoleUrl"])
    assert ran.json["postgres"].startswith("postgresql://")
    assert {user["role"]: user["token"] for user in ran.json["users"]} == {
        role: f"pulsequeue token --role {role}" for role in ("admin", "editor", "viewer")
    }
    assert {user["signInUrl"] for user in ran.json["users"]} == {f"{ran.json['consoleUrl']}/auth/login"}
    assert all(user["password"] for user in ran.json["users"])


def test_a_token_for_a_role_opens_the_api(pulsequeue: Program) -> None:
    address = pulsequeue("status", "--json").json["apiUrl"]

    signed = pulsequeue("token", "--role", "viewer").out.strip()

    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{address}/api/orders?limit=1", headers={"Authorization": f"Bearer {signed}"}
    )
    with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310 - loopback
        assert json.load(response)["meta"]["tenant"] == "default"


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        ((), 2, "give either --role or --user"),
        (("--role", "owner"), 2, "role 'owner' not found; choose one of admin, editor, viewer"),
        (
            ("--user", "nobody", "--password", "x"),
            1,
            "sign-in of nobody failed: wrong user name, password or code",
        ),
    ],
)
def test_a_token_is_refused_in_a_sentence(
    pulsequeue: Program, arguments: tuple[str, ...], code: int, complaint: str
) -> None:
    ran = pulsequeue("token", *arguments)

    assert ran.code == code
    assert complaint in ran.err


def test_the_database_says_where_it_stands(pulsequeue: Program) -> None:
    migrated = pulsequeue("db", "migrate")
    status = pulsequeue("db", "status", "--json").json

    assert "All migrations are applied already" in migrated.out
    assert {it["state"] for it in status["migrations"]} == {"applied"}


def test_currencies_and_rates_are_set_for_one_tenant(pulsequeue: Program) -> None:
    assert pulsequeue("db", "currency", "gbp", "--tenant", "set-by-hand").code == 0
    assert (
        pulsequeue("db", "rate", "EUR", "0.85", "--from", "2026-01-01", "--tenant", "set-by-hand").code == 0
    )

    refused = pulsequeue("db", "rate", "EUR", "-1", "--from", "2026-01-01", "--tenant", "set-by-hand")
    tenants = {it["tenantId"]: it for it in pulsequeue("db", "status", "--json").json["tenants"]}

    assert tenants["set-by-hand"]["currency"] == "GBP"
    assert refused.code != 0


def test_a_rebuild_first_says_what_it_would_do_and_does_nothing(pulsequeue: Program) -> None:
    before = pulsequeue("db", "status", "--json").json

    ran = pulsequeue("db", "rebuild", "--json")

    assert ran.json["recorded"] == sum(it["events"] for it in before["tenants"])
    assert "Nothing changed" in ran.err
    assert pulsequeue("db", "status", "--json").json["migrations"] == before["migrations"]
