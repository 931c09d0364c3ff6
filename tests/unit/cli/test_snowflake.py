"""`pulsequeue snowflake setup` prints statements, and runs them only when it is told to and can."""

from pathlib import Path

import pytest

from tests.unit.conftest import CommandLine

KEY = "-----BEGIN PUBLIC KEY-----\nTUlJQklqQU5CZ2txaGtpRzl3\n-----END PUBLIC KEY-----\n"
OPTIONS = ("--url", "s3://acme-export/", "--aws-role", "arn:aws:iam::123456789012:role/snowflake")


@pytest.fixture
def key(tmp_path: Path) -> str:
    path = tmp_path / "loader.pub"
    path.write_text(KEY)
    return str(path)


def test_setup_prints_what_it_would_run(pulsequeue: CommandLine, key: str) -> None:
    printed = pulsequeue("snowflake", "setup", *OPTIONS, "--public-key", key)

    assert printed.code == 0
    assert "CREATE RESOURCE MONITOR IF NOT EXISTS PULSEQUEUE_MONITOR" in printed.out
    assert "Nothing was run" in printed.err


def test_setup_as_json_has_the_statements_one_by_one(pulsequeue: CommandLine, key: str) -> None:
    printed = pulsequeue("snowflake", "setup", *OPTIONS, "--public-key", key, "--snowpipe", "--json")

    assert [it["name"] for it in printed.json][-1] == "60_snowpipe"
    assert all(";" not in statement for it in printed.json for statement in it["statements"])


def test_running_without_an_account_says_what_is_missing(
    pulsequeue: CommandLine, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SNOWFLAKE_ACCOUNT", "SNOWFLAKE_USER", "SNOWFLAKE_PRIVATE_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)

    refused = pulsequeue("snowflake", "setup", *OPTIONS, "--public-key", key, "--run")

    assert (refused.code, refused.out) == (1, "")
    assert "--run needs SNOWFLAKE_ACCOUNT, SNOWFLAKE_USER" in refused.err


def test_a_sign_in_is_required(pulsequeue: CommandLine) -> None:
    refused = pulsequeue("snowflake", "setup", *OPTIONS)

    assert refused.code == 2
    assert "either the AWS role of the loader, or its public key" in refused.err


def test_a_key_that_is_not_there_is_named(pulsequeue: CommandLine, tmp_path: Path) -> None:
    refused = pulsequeue("snowflake", "setup", *OPTIONS, "--public-key", str(tmp_path / "none.pub"))

    assert refused.code == 2
    assert "none.pub: No such file" in refused.err
