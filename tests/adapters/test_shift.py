"""Callers move to the newest version, a share first, and back; on an emulator, with alarms set by hand."""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

import pytest

from scripts.common.clock import Clock
from scripts.common.errors import ToolError
from scripts.deploy.shift import ALIAS, TrafficShift
from scripts.environment.environment import Environment
from scripts.environment.topology import Topology
from tests.conftest import RunningEmulator
from tests.support.fakes import ManualClock

FUNCTIONS = ("order", "payment")
ALARM = "shift-pulsequeue-order-errors"


@dataclass
class Deployed:
    environment: Environment
    manual: ManualClock = field(default_factory=ManualClock)
    weights: list[dict[str, float]] = field(default_factory=list)
    """The routing of the first function at each poll."""
    alarm_after: int | None = None
    """The poll during which an alarm goes off."""

    @property
    def traffic(self) -> TrafficShift:
        return TrafficShift(self.environment, Clock(self.manual, self._sleep))

    def _sleep(self, seconds: float) -> None:
        self.weights.append(self.alias("order")[1])
        if len(self.weights) == self.alarm_after:
            self.set_alarm("ALARM")
        self.manual.advance(timedelta(seconds=seconds))

    def alias(self, function: str) -> tuple[str, dict[str, float]]:
        name = self.environment.names.function(function)
        found = self.environment.client("lambda").get_alias(FunctionName=name, Name=ALIAS)
        return found["FunctionVersion"], found.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})

    def live(self) -> dict[str, str]:
        return {it: self.alias(it)[0] for it in FUNCTIONS}

    def deploy(self, function: str, code: str) -> None:
        functions, name = self.environment.client("lambda"), self.environment.names.function(function)
        functions.update_function_code(FunctionName=name, ZipFile=package(code), Publish=True)

    def set_alarm(self, state: Literal["ALARM"]) -> None:
        cloudwatch = self.environment.client("cloudwatch")
        cloudwatch.put_metric_alarm(
            AlarmName=ALARM,
            ComparisonOperator="GreaterThanThreshold",
            EvaluationPeriods=1,
            Namespace="AWS/Lambda",
            MetricName="Errors",
            Period=60,
            Statistic="Sum",
            Threshold=0,
        )
        cloudwatch.set_alarm_state(AlarmName=ALARM, StateValue=state, StateReason="set by the test")


def package(code: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("handlers.py", code)
    return file.getvalue()


@pytest.fixture
def deployed(emulator: RunningEmulator) -> Iterator[Deployed]:
    """Two functions at version 1, each with a version 2 that nobody invokes yet."""
    environment = Environment("shift", Topology.load(), emulator.clients)
    functions, iam = environment.client("lambda"), environment.client("iam")
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    role = iam.create_role(RoleName="shift", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    made = Deployed(environment)
    for it in FUNCTIONS:
        name = environment.names.function(it)
        functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=role,
            Handler="handlers.run",
            Code={"ZipFile": package("first = 1")},
            Publish=True,
        )
        functions.create_alias(FunctionName=name, Name=ALIAS, FunctionVersion="1")
        made.deploy(it, "second = 2")
    yield made
    for it in FUNCTIONS:
        functions.delete_function(FunctionName=environment.names.function(it))
    iam.delete_role(RoleName="shift")
    environment.client("cloudwatch").delete_alarms(AlarmNames=[ALARM])


def test_a_share_of_the_calls_is_shifted_while_alarms_are_watched_and_then_the_rest(
    deployed: Deployed,
) -> None:
    shifted = deployed.traffic.shift(percent=10, watch_seconds=15)

    assert [(it.live, it.newest) for it in shifted] == [("1", "2")] * 2
    assert deployed.weights == [{"2": 0.1}] * 3
    assert deployed.live() == {"order": "2", "payment": "2"}
    assert deployed.alias("order")[1] == {}


def test_an_alarm_during_the_canary_restores_the_previous_versions(deployed: Deployed) -> None:
    deployed.alarm_after = 2

    with pytest.raises(ToolError, match=rf"alarm {ALARM} went off while the new version served 25 %"):
        deployed.traffic.shift(percent=25, watch_seconds=60)

    assert len(deployed.weights) == 2
    assert deployed.live() == {"order": "1", "payment": "1"}
    assert deployed.alias("order")[1] == {}


def test_an_alarm_from_before_the_shift_does_not_stop_it(deployed: Deployed) -> None:
    deployed.set_alarm("ALARM")

    deployed.traffic.shift(percent=10, watch_seconds=10)

    assert deployed.live() == {"order": "2", "payment": "2"}


def test_an_interrupted_canary_restores_the_previous_versions(deployed: Deployed) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    traffic = TrafficShift(deployed.environment, Clock(deployed.manual, interrupt))

    with pytest.raises(KeyboardInterrupt):
        traffic.shift(percent=10, watch_seconds=10)

    assert deployed.alias("order") == ("1", {})


def test_a_rollback_returns_to_the_versions_before_the_last_shift_and_only_once(deployed: Deployed) -> None:
    deployed.traffic.shift(percent=10, watch_seconds=0)
    deployed.deploy("order", "third = 3")
    deployed.traffic.shift(percent=10, watch_seconds=0)

    returned = deployed.traffic.roll_back()
    nothing = deployed.traffic.roll_back()

    # payment had no third version: what the last shift did not change stays.
    assert [(it.live, it.previous) for it in returned] == [("3", "2")]
    assert deployed.live() == {"order": "2", "payment": "2"}
    assert nothing == []


def test_without_a_newer_version_nothing_is_shifted(deployed: Deployed) -> None:
    deployed.traffic.shift(percent=10, watch_seconds=0)

    assert deployed.traffic.shift(percent=10, watch_seconds=60) == []
    assert deployed.weights == []
