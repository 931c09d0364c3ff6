"""Each function gets the variables it needs, and no names of resources it does not use."""

import json

import pytest
from psycopg.conninfo import conninfo_to_dict

from scripts.common.errors import ToolError
from scripts.environment.lambda_env import DatabaseAddress, LambdaEnvInputs, SignIn, variables
from scripts.environment.topology import Names, Topology
from services.analytics.settings import ApiSettings, ProjectorSettings
from services.session.settings import SessionSettings
from services.shared.database import PROJECTOR
from services.shared.settings import LedgerSettings, QueueSettings

TOPOLOGY = Topology.load()
DEV = Names("dev")
SIGN_IN = SignIn(
    "https://console.test", "https://pool.test", "issuer", "https://keys.test", "client", ["Google"]
)


def test_a_consumer_understands_the_environment_it_is_given() -> None:
    env_vars = variables(
        DEV,
        TOPOLOGY,
        "order",
        LambdaEnvInputs(hold_seconds=9, queue_url="http://queue", dead_letter_queue_url="http://dlq"),
    )

    queue, settings = QueueSettings.from_environment(env_vars), LedgerSettings.from_environment(env_vars)

    assert queue.consumer == env_vars["POWERTOOLS_SERVICE_NAME"] == "order"
    assert settings.bus_name == "dev-pulsequeue"
    assert settings.orders_table == "dev-pulsequeue-orders"
    assert settings.inventory_table == "dev-pulsequeue-inventory"
    assert queue.queue_url == "http://queue"
    assert queue.dead_letter_queue_url == "http://dlq"
    assert settings.metrics_namespace == DEV.metrics_namespace
    assert settings.hold.total_seconds() == 9


def test_the_collector_is_told_what_there_is_to_be_measured() -> None:
    env_vars = variables(DEV, TOPOLOGY, "collector", LambdaEnvInputs(hold_seconds=9))

    deployed = json.loads(env_vars["TOPOLOGY"])
    assert deployed["functions"].keys() == TOPOLOGY.functions.keys()
    assert deployed["functions"]["order"] == {"memoryMb": 1024, "queue": True}
    assert deployed["functions"]["collector"] == {"memoryMb": 512, "queue": False}
    assert deployed["tables"] == ["inventory", "orders", "metrics", "webhooks", "console"]
    assert deployed["holdSeconds"] == 9
    assert " " not in env_vars["TOPOLOGY"]


def test_the_exposition_is_told_where_its_token_lies_and_never_the_token() -> None:
    env_vars = variables(DEV, TOPOLOGY, "exposition", LambdaEnvInputs(hold_seconds=900))

    assert env_vars == {
        "PULSEQUEUE_ENV": "dev",
        "PULSEQUEUE_FUNCTION": "exposition",
        "METRICS_TABLE": "dev-pulsequeue-metrics",
        "METRICS_TOKEN_PARAMETER": "/dev-pulsequeue/metrics-token",
        "STALE_SECONDS": "300",
        "POWERTOOLS_SERVICE_NAME": "exposition",
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }


def test_a_function_is_told_of_no_table_it_does_not_use() -> None:
    env_vars = variables(DEV, TOPOLOGY, "collector", LambdaEnvInputs(hold_seconds=900))

    assert {name for name in env_vars if name.endswith("_TABLE")} == {"METRICS_TABLE"}
    assert "BUS_NAME" not in env_vars


def test_the_projector_is_told_where_the_database_is_and_understands_it() -> None:
    inputs = LambdaEnvInputs(9, DatabaseAddress("proxy.test", 5432), "http://queue", "http://dlq")
    env_vars = variables(DEV, TOPOLOGY, "projector", inputs) | {"AWS_REGION": "eu-west-1"}

    settings = ProjectorSettings.from_environment(env_vars)

    assert settings.dead_letter_queue_url == "http://dlq"
    assert conninfo_to_dict(settings.conninfo(PROJECTOR)) == {
        "host": "proxy.test",
        "port": "5432",
        "dbname": "pulsequeue",
        "user": "pulsequeue_projector",
        "sslmode": "verify-full",
        "sslrootcert": "system",
    }


def test_the_api_is_told_where_its_key_lies_and_which_pages_may_ask() -> None:
    inputs = LambdaEnvInputs(
        9, DatabaseAddress("proxy.test", 5432), web_origins=("https://a.test", "https://b.test")
    )

    env_vars = variables(DEV, TOPOLOGY, "analytics", inputs) | {"AWS_REGION": "eu-west-1"}

    settings = ApiSettings.from_environment(env_vars)
    assert settings.cursor_key_parameter == "/dev-pulsequeue/cursor-key"
    assert settings.allowed_origins.split() == ["https://a.test", "https://b.test"]
    assert "STALE_SECONDS" not in env_vars


def test_only_who_owns_the_schema_is_told_of_the_administrator_s_secret() -> None:
    inputs = LambdaEnvInputs(9, DatabaseAddress("proxy.test", 5432), sign_in=SIGN_IN)

    by_function = {name: variables(DEV, TOPOLOGY, name, inputs) for name in TOPOLOGY.functions}

    assert {name for name, it in by_function.items() if "DATABASE_ADMIN_SECRET" in it} == {"migrator"}
    assert {name for name, it in by_function.items() if "DATABASE_HOST" in it} == {
        "projector",
        "analytics",
        "datasets",
        "dataset-ingest",
        "migrator",
    }
    assert by_function["migrator"]["DATABASE_ADMIN_SECRET"] == "dev-pulsequeue-database"


def test_a_function_that_needs_a_database_does_not_go_without() -> None:
    with pytest.raises(ToolError, match="function migrator needs a database"):
        variables(DEV, TOPOLOGY, "migrator", LambdaEnvInputs(hold_seconds=9))


def test_the_session_knows_the_pool_and_where_its_secret_is_but_not_the_secret() -> None:
    env_vars = variables(DEV, TOPOLOGY, "session", LambdaEnvInputs(hold_seconds=9, sign_in=SIGN_IN))

    settings = SessionSettings.from_environment(env_vars)

    assert (settings.console_url, settings.sign_in_url) == ("https://console.test", "https://pool.test")
    assert (settings.client_id, settings.providers) == ("client", "Google")
    assert settings.secret_parameter == "/dev-pulsequeue/oauth-client-secret"
    assert settings.console_table == "dev-pulsequeue-console"


def test_signing_in_takes_a_user_pool() -> None:
    with pytest.raises(ToolError, match="no user pool is given"):
        variables(DEV, TOPOLOGY, "session", LambdaEnvInputs(hold_seconds=9))
