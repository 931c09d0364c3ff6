"""The settings of a function."""

from datetime import timedelta

import pytest

from services.shared.errors import MisconfiguredError
from services.shared.settings import LedgerSettings, QueueSettings


class Settings(LedgerSettings, QueueSettings):
    """All settings of a function behind a queue that moves orders."""


MINIMUM = {
    "PULSEQUEUE_ENV": "test",
    "PULSEQUEUE_FUNCTION": "order",
    "BUS_NAME": "test-pulsequeue",
    "INVENTORY_TABLE": "test-pulsequeue-inventory",
    "ORDERS_TABLE": "test-pulsequeue-orders",
    "QUEUE_URL": "http://queue",
    "DEAD_LETTER_QUEUE_URL": "http://dlq",
}


def test_seven_names_are_enough() -> None:
    settings = Settings.from_environment(MINIMUM)

    assert (settings.consumer, settings.bus_name) == ("order", "test-pulsequeue")
    assert settings.hold == timedelta(minutes=15)
    assert (settings.gateway_failure_rate, settings.gateway_slow_seconds) == (0.0, 2.0)


def test_metrics_of_environments_are_kept_apart() -> None:
    assert Settings.from_environment(MINIMUM).metrics_namespace == "test-pulsequeue"


def test_text_from_the_environment_becomes_numbers() -> None:
    settings = Settings.from_environment({**MINIMUM, "HOLD_SECONDS": "60", "GATEWAY_FAILURE_RATE": "0.25"})

    assert (settings.hold, settings.gateway_failure_rate) == (timedelta(minutes=1), 0.25)


def test_the_rest_of_the_environment_is_ignored() -> None:
    assert Settings.from_environment({**MINIMUM, "PATH": "/bin"}) == Settings.from_environment(MINIMUM)


@pytest.mark.parametrize("missing", MINIMUM)
def test_a_missing_name_is_named(missing: str) -> None:
    environ = {name: value for name, value in MINIMUM.items() if name != missing}

    with pytest.raises(MisconfiguredError, match=missing):
        Settings.from_environment(environ)


@pytest.mark.parametrize("empty", MINIMUM)
def test_an_empty_name_is_named(empty: str) -> None:
    with pytest.raises(MisconfiguredError, match=empty):
        Settings.from_environment({**MINIMUM, empty: ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOLD_SECONDS", "0"),
        ("HOLD_SECONDS", "soon"),
        ("GATEWAY_FAILURE_RATE", "1.1"),
        ("GATEWAY_FAILURE_RATE", "-0.1"),
        ("GATEWAY_FAILURE_RATE", "nan"),
        ("GATEWAY_SLOW_SECONDS", "31"),
    ],
)
def test_an_impossible_value_is_named(name: str, value: str) -> None:
    with pytest.raises(MisconfiguredError, match=name):
        Settings.from_environment({**MINIMUM, name: value})


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(MisconfiguredError) as refusal:
        Settings.from_environment({})

    assert all(name in str(refusal.value) for name in MINIMUM)
