"""Each function is told what it needs to know, and nothing it may not touch."""

import json

from scripts.function_variables import variables
from scripts.topology import Names, Topology
from services.shared.settings import Settings

TOPOLOGY = Topology.load()
DEV = Names("dev")


def test_a_consumer_understands_the_environment_it_is_given() -> None:
    told = variables(DEV, TOPOLOGY, "order", hold_seconds=9, dead_letter_queue_url="http://dlq")

    settings = Settings.from_environment(told)

    assert settings.consumer == told["POWERTOOLS_SERVICE_NAME"] == "order"
    assert settings.bus_name == "dev-pulsequeue"
    assert settings.orders_table == "dev-pulsequeue-orders"
    assert settings.inventory_table == "dev-pulsequeue-inventory"
    assert settings.dead_letter_queue_url == "http://dlq"
    assert settings.metrics_namespace == DEV.metrics_namespace
    assert settings.hold.total_seconds() == 9


def test_the_collector_is_told_what_there_is_to_be_measured() -> None:
    told = variables(DEV, TOPOLOGY, "collector", hold_seconds=9)

    deployed = json.loads(told["TOPOLOGY"])
    assert deployed["functions"].keys() == TOPOLOGY.functions.keys()
    assert deployed["functions"]["order"] == {"memoryMb": 1024, "queue": True}
    assert deployed["functions"]["collector"] == {"memoryMb": 512, "queue": False}
    assert deployed["tables"] == ["inventory", "orders", "metrics"]
    assert deployed["holdSeconds"] == 9
    assert " " not in told["TOPOLOGY"]


def test_the_exposition_is_told_where_its_token_lies_and_never_the_token() -> None:
    told = variables(DEV, TOPOLOGY, "exposition", hold_seconds=900)

    assert told == {
        "PULSEQUEUE_ENV": "dev",
        "PULSEQUEUE_FUNCTION": "exposition",
        "METRICS_TABLE": "dev-pulsequeue-metrics",
        "METRICS_TOKEN_PARAMETER": "/dev-pulsequeue/metrics-token",
        "STALE_SECONDS": "300",
        "POWERTOOLS_SERVICE_NAME": "exposition",
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }


def test_a_function_is_told_of_no_table_it_does_not_use() -> None:
    told = variables(DEV, TOPOLOGY, "collector", hold_seconds=900)

    assert {name for name in told if name.endswith("_TABLE")} == {"METRICS_TABLE"}
    assert "BUS_NAME" not in told
