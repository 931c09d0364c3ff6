"""`pulsequeue user` and `pulsequeue org`, each test in an environment of its own."""

from dataclasses import dataclass
from itertools import count

import pytest

from tests.conftest import RunningEmulator
from tests.support.console import make_console_table
from tests.support.ops_context import MemoryOpsContext
from tests.unit.conftest import CliResult, CommandLine

pytestmark = pytest.mark.emulator

_NUMBERS = count(1)


@dataclass(frozen=True)
class Members:
    """The command line, in one environment."""

    command_line: CommandLine
    environment: str
    pool: str

    def __call__(self, *arguments: str) -> CliResult:
        return self.command_line(*arguments, "--env", self.environment)


@pytest.fixture
def pulsequeue(
    emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Members:
    environment = f"members-{next(_NUMBERS)}"
    cognito = emulator.clients.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName=f"{environment}-pulsequeue")["UserPool"]["Id"]
    make_console_table(emulator.clients.client("dynamodb"), f"{environment}-pulsequeue-console")
    settings = {"ENDPOINT_URL": emulator.endpoint, "REGION": emulator.clients.region}
    for name, value in {**settings, "ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "test"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    return Members(CommandLine(MemoryOpsContext([]), capsys), environment, pool)


def members(pulsequeue: Members, tenant: str = "shop") -> dict[str, str]:
    listed = pulsequeue("user", "ls", "--tenant", tenant, "--json").json
    return {it["email"]: it["role"] for it in listed}


def add(pulsequeue: Members, name: str, *options: str) -> CliResult:
    return pulsequeue("user", "add", name, "--tenant", "shop", *options)


def test_a_new_user_is_a_viewer_unless_told_otherwise(pulsequeue: Members) -> None:
    ran = add(pulsequeue, "ana", "--email", "ana@example.com")

    assert (ran.code, ran.out.strip()) == (0, "ana is a new user and is viewer of shop.")
    assert members(pulsequeue) == {"ana@example.com": "viewer"}


def test_an_address_counts_as_verified_because_an_operator_gave_it(
    pulsequeue: Members, emulator: RunningEmulator
) -> None:
    add(pulsequeue, "ana", "--email", "ana@example.com")

    cognito = emulator.clients.client("cognito-idp")
    pool = pulsequeue.pool
    user = cognito.admin_get_user(UserPoolId=pool, Username="ana")
    attributes = {it["Name"]: it["Value"] for it in user["UserAttributes"]}
    assert (attributes["email"], attributes["email_verified"]) == ("ana@example.com", "true")


def test_adding_a_member_again_sets_the_role(pulsequeue: Members) -> None:
    add(pulsequeue, "root", "--role", "admin")
    add(pulsequeue, "ana", "--role", "viewer")

    ran = add(pulsequeue, "ana", "--role", "editor")

    assert ran.out.strip() == "ana exists and is editor of shop."
    assert members(pulsequeue) == {"root": "admin", "ana": "editor"}


def test_the_last_admin_stays(pulsequeue: Members) -> None:
    add(pulsequeue, "root", "--role", "admin")

    demoted = add(pulsequeue, "root", "--role", "viewer")
    removed = pulsequeue("user", "remove", "root", "--tenant", "shop")

    assert (demoted.code, removed.code) == (1, 1)
    assert "at least one admin" in demoted.err
    assert members(pulsequeue) == {"root": "admin"}


def test_a_removed_member_is_listed_no_more(pulsequeue: Members) -> None:
    add(pulsequeue, "root", "--role", "admin")
    add(pulsequeue, "ana")

    ran = pulsequeue("user", "remove", "ana", "--tenant", "shop")

    assert ran.out.strip() == "ana is no longer a member of shop."
    assert members(pulsequeue) == {"root": "admin"}


def test_removing_a_stranger_says_so(pulsequeue: Members) -> None:
    add(pulsequeue, "root", "--role", "admin")

    ran = pulsequeue("user", "remove", "nobody", "--tenant", "shop")

    assert ran.code == 1
    assert "no member with this id" in ran.err


@pytest.mark.parametrize("command", [("add", "ana"), ("invite", "ana@example.com")])
def test_an_unknown_role_is_refused(pulsequeue: Members, command: tuple[str, str]) -> None:
    ran = pulsequeue("user", *command, "--role", "owner")

    assert ran.code == 2
    assert "choose one of" in ran.err


@pytest.mark.parametrize("address", ["ana", "ana@", "@example.com", "ana example.com", ""])
@pytest.mark.parametrize("command", [("invite",), ("add", "ana", "--email")])
def test_what_is_no_address_is_refused(pulsequeue: Members, command: tuple[str, ...], address: str) -> None:
    ran = pulsequeue("user", *command, address)

    assert ran.code == 2
    assert ran.err.strip() == f"pulsequeue: {address!r} is no e-mail address; give one like ana@example.com."


def test_members_of_an_organization_that_is_not_there_are_not_listed(pulsequeue: Members) -> None:
    ran = pulsequeue("user", "ls", "--tenant", "nowhere")

    assert ran.code == 1
    assert (
        ran.err.strip() == "pulsequeue: organization 'nowhere' not found; found it with `pulsequeue org add`."
    )


def test_an_invitation_shows_its_token_once(pulsequeue: Members) -> None:
    add(pulsequeue, "root", "--role", "admin")

    invite = ("user", "invite", "ana@example.com", "--tenant", "shop", "--json")
    first, second = pulsequeue(*invite).json, pulsequeue(*invite).json

    assert (first["email"], first["role"]) == ("ana@example.com", "viewer")
    assert first["token"] != second["token"]


def test_nobody_is_invited_to_an_organization_that_is_not_there(pulsequeue: Members) -> None:
    ran = pulsequeue("user", "invite", "ana@example.com", "--tenant", "none")

    assert ran.code == 1
    assert "pulsequeue org add" in ran.err


# --- organizations


def test_an_organization_is_founded_once(pulsequeue: Members) -> None:
    founded = pulsequeue("org", "add", "shop", "--name", "The shop")
    again = pulsequeue("org", "add", "shop")

    assert (founded.code, founded.out.strip()) == (0, "shop is founded.")
    assert again.code == 1
    assert "exists already" in again.err


def test_it_is_shown_with_its_name_and_the_number_of_its_members(pulsequeue: Members) -> None:
    pulsequeue("org", "add", "shop", "--name", "The shop")
    pulsequeue("user", "add", "ana", "--tenant", "shop", "--role", "admin")

    shown = pulsequeue("org", "show", "shop", "--json").json

    assert shown == {"id": "shop", "name": "The shop", "members": 1}


def test_an_unknown_organization_is_not_found(pulsequeue: Members) -> None:
    ran = pulsequeue("org", "show", "none")

    assert ran.code == 1
    assert "'none' not found" in ran.err


@pytest.mark.parametrize("name", ["", "a#b", "a" * 200])
def test_an_id_that_is_none_is_refused(pulsequeue: Members, name: str) -> None:
    ran = pulsequeue("org", "add", name)

    assert ran.code == 2
    assert "no valid id" in ran.err
