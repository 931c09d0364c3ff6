"""The cursor key is rotated in an order that no function refuses, over the real parameter store's API."""

from datetime import UTC, datetime, timedelta

import pytest

from scripts.common.errors import ToolError
from scripts.environment.environment import Environment
from scripts.environment.topology import Topology
from scripts.ops.secret_names import SecretName
from scripts.ops.secret_rotation import SecretRotation
from services.shared.adapters.rotated_secret import REREAD_SECONDS
from tests.conftest import RunningEmulator

pytestmark = pytest.mark.emulator


@pytest.fixture
def environment(emulator: RunningEmulator) -> Environment:
    environment = Environment("rotated", Topology.load(), emulator.clients)
    environment.client("ssm").put_parameter(
        Name=environment.names.secret("cursor-key"), Value="old", Type="SecureString", Overwrite=True
    )
    return environment


def keys(environment: Environment) -> list[str]:
    name = environment.names.secret("cursor-key")
    found = environment.client("ssm").get_parameter(Name=name, WithDecryption=True)
    return found["Parameter"]["Value"].split()


def test_a_new_key_is_accepted_by_all_before_it_signs(environment: Environment) -> None:
    meanwhile: list[tuple[float, list[str]]] = []
    rotation = SecretRotation(environment, wait=lambda it: meanwhile.append((it, keys(environment))))

    rotation.rotate(SecretName.CURSOR_KEY)

    new, old = keys(environment)
    ((waited, accepted),) = meanwhile
    assert old == "old"
    assert len(new) == 43
    assert accepted == ["old", new]
    assert waited > REREAD_SECONDS
    assert rotation.values(SecretName.CURSOR_KEY) == 2


def test_the_old_key_is_retired_once_every_function_has_the_new_one(environment: Environment) -> None:
    SecretRotation(environment, wait=lambda _: None).rotate(SecretName.CURSOR_KEY)
    later = SecretRotation(environment, now=lambda: datetime.now(UTC) + timedelta(minutes=2))

    with pytest.raises(ToolError, match="may use the previous value"):
        SecretRotation(environment).retire(SecretName.CURSOR_KEY)
    assert len(keys(environment)) == 2
    assert later.retire(SecretName.CURSOR_KEY)
    assert len(keys(environment)) == 1
    assert not later.retire(SecretName.CURSOR_KEY)


def test_a_second_rotation_keeps_one_previous_key(environment: Environment) -> None:
    rotation = SecretRotation(environment, wait=lambda _: None)

    rotation.rotate(SecretName.CURSOR_KEY)
    first = keys(environment)[0]
    rotation.rotate(SecretName.CURSOR_KEY)

    assert keys(environment)[1:] == [first]
