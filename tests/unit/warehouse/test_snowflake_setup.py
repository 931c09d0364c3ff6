"""The statements for Snowflake's administrator: complete, valid as text, and with few privileges."""

import logging
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlglot

from services.warehouse import models
from services.warehouse.adapters.snowflake_warehouse import STAGE, SnowflakeAccount
from services.warehouse.snowflake_setup import Setup, SetupInvalidError, scripts
from services.warehouse.tables import BY_NAME

KEY = "-----BEGIN PUBLIC KEY-----\nTUlJQklqQU5CZ2txaGtpRzl3\nMEJBUUVGQUFPQ0FROEE=\n-----END PUBLIC KEY-----\n"
SETUP = Setup("s3://acme-export/out/", "arn:aws:iam::123456789012:role/snowflake", public_key=KEY)
ROLES = {"ACCOUNTADMIN", "SECURITYADMIN", "SYSADMIN"}


def _statements(setup: Setup = SETUP) -> list[str]:
    return [" ".join(it.split()) for script in scripts(setup, snowpipe=True) for it in script.statements]


def test_every_script_names_its_role_and_leaves_no_placeholder() -> None:
    found = scripts(SETUP, snowpipe=True)

    assert {script.role for script in found} == ROLES
    assert not [script.name for script in found if "${" in script.text]
    assert all(script.statements for script in found)


def test_every_statement_is_text_that_a_parser_of_snowflake_accepts(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)

    for statement in _statements():
        assert len(sqlglot.parse(statement, read="snowflake")) == 1, statement


def test_repeating_the_setup_is_safe() -> None:
    created = [it for it in _statements() if it.startswith("CREATE")]

    assert created
    assert all(re.match(r"CREATE [A-Z ]+ IF NOT EXISTS ", it) for it in created)
    assert not [it for it in _statements() if it.startswith(("DROP", "ALTER", "CREATE OR REPLACE"))]


def test_no_role_gets_more_than_it_needs() -> None:
    grants = [it for it in _statements() if it.startswith("GRANT")]

    assert not [it for it in grants if re.search(r"\bALL PRIVILEGES|OWNERSHIP|ADMIN\b", it)]
    reader = [it.partition(" TO ")[0] for it in grants if it.endswith("TO ROLE PULSEQUEUE_READER")]
    assert {it.split()[1] for it in reader} == {"USAGE", "SELECT"}
    assert not [it for it in reader if ".RAW" in it]
    loader = [it.partition(" TO ")[0] for it in grants if it.endswith("TO ROLE PULSEQUEUE_LOADER")]
    assert {privilege for it in loader for privilege in re.findall(r"USAGE|CREATE \w+", it)} == {
        "USAGE",
        "CREATE TABLE",
    }
    assert len(reader) + len(loader) + 1 == len(grants)


def test_the_cost_of_the_warehouse_is_limited() -> None:
    text = " ".join(_statements(replace(SETUP, credits=3)))

    assert "CREDIT_QUOTA = 3 FREQUENCY = MONTHLY" in text
    assert "WAREHOUSE_SIZE = XSMALL AUTO_SUSPEND = 60" in text
    assert "RESOURCE_MONITOR = PULSEQUEUE_MONITOR" in text


def test_the_loader_signs_in_by_key_pair_or_as_an_aws_role_and_never_by_password() -> None:
    by_key = " ".join(_statements())
    role = "arn:aws:iam::123456789012:role/loader"
    by_role = " ".join(_statements(replace(SETUP, public_key=None, loader_aws_role=role)))

    assert "RSA_PUBLIC_KEY = 'TUlJQklqQU5CZ2txaGtpRzl3MEJBUUVGQUFPQ0FROEE='" in by_key
    assert f"WORKLOAD_IDENTITY = (TYPE = AWS ARN = '{role}')" in by_role
    assert "PASSWORD" not in (by_key + by_role).upper()


def test_the_connection_uses_no_password_either() -> None:
    by_role = SnowflakeAccount("a", "u", "d", "w", "r").parameters()
    by_key = replace(SnowflakeAccount("a", "u", "d", "w", "r"), private_key_file="k.p8").parameters()

    assert (by_role["authenticator"], by_role["workload_identity_provider"]) == ("WORKLOAD_IDENTITY", "AWS")
    assert (by_key["authenticator"], by_key["private_key_file"]) == ("SNOWFLAKE_JWT", "k.p8")
    assert not [name for name in (*by_role, *by_key) if "password" in name]


def test_the_stage_is_the_one_that_loads_read() -> None:
    assert f"CREATE STAGE IF NOT EXISTS PULSEQUEUE.{STAGE.upper()} " in " ".join(_statements())
    assert (models.RAW, models.MODELED) == ("raw", "modeled")


def test_the_pipe_copies_columns_that_are_exported() -> None:
    (pipe,) = [it for it in _statements() if it.startswith("CREATE PIPE")]

    assert set(re.findall(r"\$1:(\w+)::", pipe)) <= {"export_day", *BY_NAME["orders"].names}
    assert not [script for script in scripts(SETUP) if "PIPE" in script.text]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: replace(SETUP, url="s3://acme-export"),
        lambda: replace(SETUP, url="https://acme-export/"),
        lambda: replace(SETUP, url="s3://acme-export/');DROP DATABASE x;--/"),
        lambda: replace(SETUP, aws_role="snowflake"),
        lambda: replace(SETUP, prefix="A;B"),
        lambda: replace(SETUP, public_key=None),
        lambda: replace(SETUP, public_key=None, loader_aws_role="'); DROP"),
        lambda: replace(SETUP, public_key=KEY.replace("PUBLIC", "PRIVATE")),
        lambda: replace(SETUP, public_key=KEY.replace("TUl", "');")),
        lambda: replace(SETUP, loader_aws_role="arn:aws:iam::123456789012:role/loader"),
    ],
)
def test_values_that_cannot_stand_in_a_statement_are_refused(wrong: Callable[[], Setup]) -> None:
    with pytest.raises(SetupInvalidError):
        scripts(wrong())
