"""Where an environment on AWS is looked for."""

import pytest

from scripts.environment.environment import open_environment


@pytest.mark.parametrize(
    ("env_vars", "region"),
    [
        ({"AWS_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-2"),
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-1"),
    ],
)
def test_an_environment_is_where_terraform_would_look_for_it(
    env_vars: dict[str, str], region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env_vars.items():
        monkeypatch.setenv(name, value)

    assert open_environment("dev").region == region


def test_a_function_is_waited_for_as_long_as_it_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")

    environment = open_environment("dev")

    longest = max(it.timeout_seconds for it in environment.topology.functions.values())
    assert environment.client("lambda").meta.config.read_timeout > longest  # type: ignore[attr-defined]
