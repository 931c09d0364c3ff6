from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.common.errors import ToolError
from scripts.environment.topology import (
    TABLE_OF_FUNCTIONS,
    Names,
    Socket,
    SocketAuthorizer,
    StreamConsumer,
    Topology,
)
from services.shared.events import CATALOGUE


def changed(tmp_path: Path, *path: str, to: object) -> Path:
    """Write the real table of functions with one value changed; `...` removes it."""
    document: dict[str, Any] = yaml.safe_load(TABLE_OF_FUNCTIONS.read_text(encoding="utf-8"))
    section = document
    for name in path[:-1]:
        section = section[name]
    if to is ...:
        del section[path[-1]]
    else:
        section[path[-1]] = to
    file = tmp_path / "functions.yaml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    return file


def test_the_real_table_of_functions_is_accepted() -> None:
    topology = Topology.load()

    assert topology.consumers.keys() >= {"order", "payment", "expiry"}
    assert topology.consumer("order").subscriptions == ("OrderPlaced", "OrderCancellationRequested")


def test_every_handler_in_the_table_names_a_module_that_exists() -> None:
    for function in Topology.load().functions.values():
        module, _, _ = function.handler.rpartition(".")
        assert (TABLE_OF_FUNCTIONS.parents[1] / (module.replace(".", "/") + ".py")).is_file()


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        (("functions", "order", "batchSizes"), 1, "functions.order.batchSizes"),
        (("functions", "order", "handler"), ..., "functions.order.handler"),
        (("functions", "order", "subscriptions"), ["OrderPlacd"], "OrderPlacd, which is not an event"),
        (("functions", "order", "tables"), {"orderz": ["read"]}, "uses table orderz"),
        (("functions", "expiry", "delaySeconds"), 901, "delaySeconds must be"),
        (("functions", "expiry", "delaySeconds"), "later", "functions.expiry.delaySeconds"),
        (("functions", "order", "subscriptions"), ..., "functions.order: needs exactly one of queue"),
        (("functions", "order", "schedule"), "rate(1 minute)", "functions.order: needs exactly one of"),
        (("functions", "order"), "order.py", "functions.order: needs exactly one of"),
        (("functions", "collector", "batchSize"), 1, "functions.collector.batchSize"),
        (("functions", "collector", "schedule"), "rate(1 minutes)", "functions.collector.schedule"),
        (("functions", "collector", "schedule"), "hourly", "functions.collector.schedule"),
        (("functions", "collector", "reservedConcurrency"), 0, "functions.collector.reservedConcurrency"),
        (("functions", "exposition", "routes"), [], "functions.exposition.routes"),
        (("functions", "exposition", "routes"), ["FETCH /metrics"], "functions.exposition.routes.0"),
        (("functions", "analytics", "routes"), ["ANY /api/{proxy+}"], "functions.analytics.routes.0"),
        (("functions", "exposition", "tables"), {"metric": ["read"]}, "uses table metric"),
        (("functions", "claims", "userPool"), "preSignUp", "functions.claims.userPool"),
        (("tables", "metrics", "ttl"), "", "tables.metrics.ttl"),
        (("tables", "console", "sort"), "", "tables.console.sort"),
        (("settings", "staleSeconds"), 0, "settings.staleSeconds"),
        (("settings", "holdSeconds"), 901, "settings.holdSeconds"),
        (("settings", "retentionDays"), 15, "settings.retentionDays"),
    ],
)
def test_a_wrong_value_is_named_in_one_sentence(
    tmp_path: Path, path: tuple[str, ...], value: object, complaint: str
) -> None:
    with pytest.raises(ToolError) as error:
        Topology.load(changed(tmp_path, *path, to=value))

    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_missing_or_no_yaml_is_a_sentence_too(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("functions: [", encoding="utf-8")

    with pytest.raises(ToolError, match="cannot be read: No such file"):
        Topology.load(tmp_path / "nowhere.yaml")
    with pytest.raises(ToolError, match="is not YAML"):
        Topology.load(broken)


def test_an_unknown_function_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ToolError, match=r"function 'ordr' not found; known functions: order, payment"):
        Topology.load().function("ordr")


def test_every_function_has_exactly_one_kind_of_trigger() -> None:
    topology = Topology.load()
    kinds = [topology.consumers, topology.scheduled, topology.endpoints, topology.tasks]
    kinds.append(topology.pool_triggers)

    assert sorted(name for kind in kinds for name in kind) == sorted(topology.functions)
    assert topology.scheduled["collector"].schedule == "rate(1 minute)"
    assert topology.endpoints["exposition"].routes == ("GET /metrics",)
    assert topology.tasks.keys() == {"migrator", "notify"}
    assert topology.pool_triggers["claims"].user_pool == "preTokenGeneration"


def test_pages_of_other_origins_may_use_the_methods_of_users_routes_only() -> None:
    topology = Topology.load()
    served_by = topology.endpoints
    with_post = topology.model_copy(
        update={
            "functions": {
                "analytics": served_by["analytics"].model_copy(
                    update={"routes": ("POST /api/a", "GET /api/a")}
                ),
                "hooks": served_by["exposition"].model_copy(update={"routes": ("PUT /hooks",)}),
            }
        }
    )

    assert with_post.cors_methods == ["GET", "POST"]


def test_the_read_side_hears_every_event_there_is() -> None:
    projector = Topology.load().consumer("projector")

    assert set(projector.subscriptions) == {model.detail_type() for model in CATALOGUE}


def test_only_users_reach_the_api_and_the_others_guard_themselves() -> None:
    callers = {name: it.callers for name, it in Topology.load().endpoints.items()}

    assert callers == {
        "analytics": "users",
        "commands": "users",
        "datasets": "users",
        "exposition": "anyone",
        "organizations": "users",
        "session": "anyone",
        "stripe-webhook": "anyone",
        "webhooks": "users",
    }


def test_a_function_without_a_queue_is_no_consumer() -> None:
    with pytest.raises(
        ToolError, match=r"function collector has no queue; functions with a queue: order, payment, expiry"
    ):
        Topology.load().consumer("collector")
    with pytest.raises(ToolError, match="function 'ordr' not found"):
        Topology.load().consumer("ordr")


def test_a_route_leads_to_one_function(tmp_path: Path) -> None:
    document = yaml.safe_load(TABLE_OF_FUNCTIONS.read_text(encoding="utf-8"))
    document["functions"]["second"] = document["functions"]["exposition"]
    file = tmp_path / "functions.yaml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")

    with pytest.raises(ToolError, match="route GET /metrics leads to both exposition and second"):
        Topology.load(file)


TINY = {"description": "x", "handler": "services.order.handlers.audit", "memoryMb": 128, "timeoutSeconds": 5}
BROADCASTER = {**TINY, "stream": "console", "partitions": ["room#"], "batchSize": 10, "tries": 3}
PRESENCE = {**TINY, "socket": ["$connect", "$disconnect", "join"], "authorizer": "ticket"}
TICKET = {**TINY, "admits": "sockets"}


def test_functions_can_consume_a_stream_and_serve_a_socket(tmp_path: Path) -> None:
    document = yaml.safe_load(TABLE_OF_FUNCTIONS.read_text(encoding="utf-8"))
    document["functions"] |= {"broadcaster": BROADCASTER, "presence": PRESENCE, "ticket": TICKET}
    file = tmp_path / "functions.yaml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")

    functions = Topology.load(file).functions

    assert isinstance(functions["broadcaster"], StreamConsumer)
    assert isinstance(functions["presence"], Socket)
    assert isinstance(functions["ticket"], SocketAuthorizer)


@pytest.mark.parametrize(
    ("functions", "complaint"),
    [
        ({"broadcaster": {**BROADCASTER, "stream": "orders"}}, "stream of table orders, which has none"),
        ({"broadcaster": {**BROADCASTER, "stream": "others"}}, "stream of table others, which has none"),
        ({"broadcaster": {**BROADCASTER, "partitions": []}}, "functions.broadcaster.partitions"),
        ({"broadcaster": {**BROADCASTER, "tries": 0}}, "functions.broadcaster.tries"),
        ({"broadcaster": {**BROADCASTER, "schedule": "rate(1 hour)"}}, "needs exactly one of"),
        ({"presence": PRESENCE}, "socket presence needs an authorizer"),
        ({"presence": {**PRESENCE, "authorizer": "order"}}, "socket presence needs an authorizer"),
        ({"presence": {**PRESENCE, "socket": ["join"]}, "ticket": TICKET}, "needs the route \\$connect"),
        ({"presence": {**PRESENCE, "socket": ["$joined"]}, "ticket": TICKET}, "functions.presence.socket"),
        ({"presence": PRESENCE, "other": PRESENCE, "ticket": TICKET}, "only one function can serve"),
    ],
)
def test_streams_and_sockets_that_cannot_work_are_refused(
    tmp_path: Path, functions: dict[str, Any], complaint: str
) -> None:
    document = yaml.safe_load(TABLE_OF_FUNCTIONS.read_text(encoding="utf-8"))
    document["functions"] |= functions
    file = tmp_path / "functions.yaml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")

    with pytest.raises(ToolError, match=complaint):
        Topology.load(file)


def test_hold_stands_for_the_hold_and_nothing_for_no_delay() -> None:
    topology = Topology.load()

    assert topology.consumer("expiry").delay_seconds(hold_seconds=7) == 7
    assert topology.consumer("order").delay_seconds(hold_seconds=7) == 0


def test_a_message_stays_hidden_six_timeouts_and_the_window() -> None:
    assert Topology.load().consumer("expiry").visibility_timeout_seconds == 6 * 30 + 5


@pytest.mark.parametrize(("size", "window", "handed_over"), [(99, 0, 10), (99, 1, 99), (5, 0, 5), (5, 1, 5)])
def test_lambda_hands_over_more_than_ten_messages_at_the_end_of_a_window_only(
    size: int, window: int, handed_over: int
) -> None:
    order = Topology.load().consumer("order")
    batch = {"batch_size": size, "batch_window_seconds": window}

    assert order.model_copy(update=batch).handed_over == handed_over


def test_rules_match_live_events_by_name_alone_for_publishers_choose_their_source() -> None:
    assert Topology.load().consumer("payment").rule_pattern == {
        "detail-type": ["PaymentRequested", "PaymentAnswered", "OrderCancelled", "RefundRequested"],
        "replay-name": [{"exists": False}],
    }


def test_names_carry_the_environment() -> None:
    names = Names("dev")

    assert names.bus == names.archive == "dev-pulsequeue"
    assert names.orders_table == "dev-pulsequeue-orders"
    assert names.queue("order") == names.rule("order") == names.function("order") == "dev-pulsequeue-order"
    assert names.dead_letter_queue("order") == "dev-pulsequeue-order-dlq"
    assert names.log_group("order") == "/aws/lambda/dev-pulsequeue-order"
    assert names.schedule("collector") == "dev-pulsequeue-collector"
    assert names.api == "dev-pulsequeue"
    assert names.secret("metrics-token") == "/dev-pulsequeue/metrics-token"
    assert names.operations_log_group == "/pulsequeue/dev/operations"
