"""The claims of a token follow from membership and from nothing else."""

from typing import Any

import pytest

from services.organizations.claims import FindSecondFactor, with_claims
from services.organizations.store import add_member
from services.shared.console import Put
from services.shared.errors import StoreUnavailableError
from services.shared.log_events import LogEvent
from services.shared.membership import Membership
from tests.support.console import MemoryConsole
from tests.support.fakes import START, RecordingTelemetry


def console(*memberships: Membership) -> MemoryConsole:
    made = MemoryConsole()
    for membership in memberships:
        add_member(made, membership, "ann@example.com", START)
    return made


def overrides(made: MemoryConsole, **attributes: str) -> Any:  # noqa: ANN401 - a JSON tree
    event = {
        "triggerSource": "TokenGeneration_Authentication",
        "userName": "ann",
        "request": {
            "userAttributes": {"sub": "ann", **attributes},
            "groupConfiguration": {"groupsToOverride": ["admin"]},
        },
        "response": {"claimsAndScopeOverrideDetails": None},
    }
    answered = with_claims(event, made, RecordingTelemetry())
    assert {name: value for name, value in answered.items() if name != "response"} == {
        name: value for name, value in event.items() if name != "response"
    }
    return answered["response"]["claimsAndScopeOverrideDetails"]["idTokenGeneration"]


def test_a_member_gets_tenant_and_role() -> None:
    set_ = overrides(console(Membership("acme", "ann", "editor", "Acme")))

    assert set_["claimsToAddOrOverride"] == {"custom:tenant_id": "acme", "custom:role": "editor"}


def test_a_machine_gets_its_scopes_too() -> None:
    machine = Membership("acme", "ann", "machine", "Acme", frozenset({"orders:write", "orders:read"}))

    assert overrides(console(machine))["claimsToAddOrOverride"]["custom:scopes"] == "orders:read orders:write"


def test_attributes_and_groups_of_the_user_stand_in_for_nothing() -> None:
    set_ = overrides(console(), **{"custom:tenant_id": "acme", "custom:role": "admin"})

    assert set_["claimsToAddOrOverride"] == {}
    assert set(set_["claimsToSuppress"]) == {
        "custom:tenant_id",
        "custom:role",
        "custom:scopes",
        "custom:second_factor",
    }


def test_a_person_s_scopes_are_suppressed() -> None:
    set_ = overrides(
        console(Membership("acme", "ann", "viewer", "Acme")), **{"custom:scopes": "orders:write"}
    )

    assert set_["claimsToSuppress"] == ["custom:scopes", "custom:second_factor"]


def test_a_member_of_several_organizations_is_in_the_chosen_one() -> None:
    made = console(
        Membership("acme", "ann", "admin", "Acme"), Membership("globex", "ann", "viewer", "Globex")
    )
    assert overrides(made)["claimsToAddOrOverride"]["custom:tenant_id"] == "acme"

    made.write(Put({"pk": "user#ann", "sk": "choice", "tenantId": "globex"}))

    assert overrides(made)["claimsToAddOrOverride"] == {
        "custom:tenant_id": "globex",
        "custom:role": "viewer",
    }


def test_a_choice_of_an_organization_that_was_left_chooses_nothing() -> None:
    made = console(Membership("acme", "ann", "admin", "Acme"))
    made.write(Put({"pk": "user#ann", "sk": "choice", "tenantId": "globex"}))

    assert overrides(made)["claimsToAddOrOverride"]["custom:tenant_id"] == "acme"


# --- a second factor of administrators


def factor(
    role: str | None, has_second_factor: FindSecondFactor | None, **attributes: str
) -> tuple[str | None, RecordingTelemetry]:
    made = console(Membership("acme", "ann", role, "Acme")) if role else console()
    telemetry = RecordingTelemetry()
    event = {
        "userPoolId": "pool",
        "userName": "Ann",
        "request": {"userAttributes": {"sub": "ann", **attributes}},
        "response": {},
    }
    answered = with_claims(event, made, telemetry, has_second_factor)
    set_ = answered["response"]["claimsAndScopeOverrideDetails"]["idTokenGeneration"]
    return set_["claimsToAddOrOverride"].get("custom:second_factor"), telemetry


@pytest.mark.parametrize(("has", "claim"), [(True, "yes"), (False, "no")])
def test_an_administrator_is_looked_up_by_name(has: bool, claim: str) -> None:
    requested: list[tuple[str, str]] = []

    def find(pool: str, name: str) -> bool:
        requested.append((pool, name))
        return has

    assert factor("admin", find)[0] == claim
    assert requested == [("pool", "Ann")]


@pytest.mark.parametrize("role", ["viewer", "editor", None])
def test_nobody_else_is_looked_up_and_nobody_counts_as_having_one(role: str | None) -> None:
    def find(*_: str) -> bool:
        raise AssertionError("looked up")

    assert factor(role, find)[0] == "unknown"


def test_an_attribute_says_nothing_of_a_second_factor() -> None:
    found, _ = factor("admin", lambda *_: False, **{"custom:second_factor": "yes"})

    assert found == "no"


def test_where_the_setting_is_off_there_is_no_such_claim() -> None:
    assert factor("admin", None)[0] is None


def test_a_busy_pool_ends_no_session_but_admits_no_administrator() -> None:
    def find(*_: str) -> bool:
        raise StoreUnavailableError("throttled")

    claim, telemetry = factor("admin", find)

    assert claim == "unknown"
    assert LogEvent.SECOND_FACTOR_UNKNOWN in [event for event, _, _ in telemetry.lines]
