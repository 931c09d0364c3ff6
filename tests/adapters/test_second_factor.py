"""A second factor in the emulator's user pool: set up by the command line, and needed by administrators."""

import base64
import hmac
import json
import struct
import time
from typing import Any

import pytest

from scripts.common.errors import ToolError
from scripts.environment.cognito import token
from scripts.environment.environment import Environment
from scripts.environment.topology import Topology
from scripts.local.aws.provision import Overrides, provision
from scripts.local.aws.triggers import route_url
from scripts.ops.members.second_factor import Enrolment
from tests.adapters.test_sign_in import PASSWORD, Site
from tests.conftest import RunningEmulator

pytestmark = pytest.mark.emulator


@pytest.fixture(scope="module")
def site(emulator: RunningEmulator) -> Site:
    environment = Environment("guarded", Topology.load(), emulator.clients)
    overrides = Overrides(users_password=PASSWORD, variables={"ADMINS_NEED_SECOND_FACTOR": "true"})
    made = provision(environment, overrides)
    return Site(environment, route_url(emulator.endpoint, environment.names.api, ""), made.url)


def code_of(secret: str) -> str:
    """Return what an authenticator app shows now (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, struct.pack(">Q", int(time.time()) // 30), "sha1")
    start = digest[-1] & 0xF
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def members(site: Site, bearer: str) -> int:
    return site.browser().get("/api/members", authorization=f"Bearer {bearer}").status


def claims_of(bearer: str) -> Any:  # noqa: ANN401 - a JSON tree
    return json.loads(base64.urlsafe_b64decode(f"{bearer.split('.')[1]}=="))


def test_an_administrator_is_refused_until_a_second_factor_is_set_up(site: Site) -> None:
    site.new_user("root", "admin")
    before = token(site.environment, "root", PASSWORD)
    assert claims_of(before)["custom:second_factor"] == "no"
    assert members(site, before) == 403

    enrolment = Enrolment(site.environment, "root", PASSWORD)
    assert enrolment.address.startswith("otpauth://totp/guarded-pulsequeue%3Aroot?secret=")
    enrolment.confirm(code_of(enrolment.secret))

    with pytest.raises(ToolError, match="second factor; give the code"):
        token(site.environment, "root", PASSWORD)
    with pytest.raises(ToolError, match="wrong user name, password or code"):
        token(site.environment, "root", PASSWORD, "000000")
    after = token(site.environment, "root", PASSWORD, code_of(enrolment.secret))
    assert claims_of(after)["custom:second_factor"] == "yes"
    assert members(site, after) == 200
    assert members(site, before) == 403


def test_a_wrong_code_sets_nothing_up(site: Site) -> None:
    site.new_user("clumsy", "admin")
    enrolment = Enrolment(site.environment, "clumsy", PASSWORD)

    with pytest.raises(ToolError, match="the code is wrong; nothing was changed"):
        enrolment.confirm("000000")

    assert members(site, token(site.environment, "clumsy", PASSWORD)) == 403


def test_others_need_none(site: Site) -> None:
    assert members(site, token(site.environment, "viewer", PASSWORD)) == 200
