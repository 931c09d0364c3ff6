"""Shifts the callers of every function to its newest version, a share of them first, and back again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scripts.common.clock import Clock
    from scripts.environment.environment import Environment

ALIAS: Final = "live"
_POLL_SECONDS: Final = 5.0
_PREVIOUS: Final = re.compile(r"Previous version: (\d+)\.")
_DESCRIPTION: Final = "The version that callers invoke."


@dataclass(frozen=True, slots=True)
class LiveFunction:
    """A function, the version that its callers invoke, the newest one, and the one before the last shift."""

    name: str
    live: str
    newest: str
    previous: str | None


class TrafficShift:
    def __init__(self, environment: Environment, clock: Clock) -> None:
        self._environment = environment
        self._clock = clock
        self._lambda = environment.client("lambda")

    def shift(self, *, percent: int, watch_seconds: float) -> Sequence[LiveFunction]:
        """Shift some callers, watch the alarms, then shift the rest; undo it when an alarm goes off."""
        functions = list(self._functions())
        outdated = [it for it in functions if it.live != it.newest]
        if outdated and watch_seconds > 0:
            try:
                self._watch(outdated, percent, watch_seconds)
            except BaseException:
                for it in outdated:
                    self._set(it.name, it.live, it.previous)
                raise
        for it in functions:
            # Of a function that this shift does not change, a rollback has nothing to undo.
            self._set(it.name, it.newest, it.live if it in outdated else None)
        return outdated

    def roll_back(self) -> Sequence[LiveFunction]:
        """Return callers to the versions before the last shift."""
        returned = []
        for it in list(self._functions()):
            if it.previous is not None:
                self._set(it.name, it.previous, None)
                returned.append(it)
        return returned

    def _watch(self, outdated: Sequence[LiveFunction], percent: int, seconds: float) -> None:
        before = self._alarms()
        started = self._clock.now()
        for it in outdated:
            self._set(it.name, it.live, it.previous, canary=(it.newest, percent / 100))
        while (self._clock.now() - started).total_seconds() < seconds:
            self._clock.sleep(_POLL_SECONDS)
            if raised := sorted(self._alarms() - before):
                raise ToolError(
                    f"alarm {', '.join(raised)} went off while the new version served {percent} % of the "
                    "calls. All calls are served by the previous version again."
                )

    def _functions(self) -> Iterator[LiveFunction]:
        for short in self._environment.topology.functions:
            name = self._environment.names.function(short)
            try:
                alias = self._lambda.get_alias(FunctionName=name, Name=ALIAS)
            except self._lambda.exceptions.ResourceNotFoundException:
                continue  # not deployed here: an environment without a read side
            pages = self._lambda.get_paginator("list_versions_by_function").paginate(FunctionName=name)
            versions = [it["Version"] for page in pages for it in page["Versions"]]
            newest = max((it for it in versions if it.isdigit()), key=int)
            previous = _PREVIOUS.search(alias.get("Description", ""))
            yield LiveFunction(name, alias["FunctionVersion"], newest, previous[1] if previous else None)

    def _set(
        self, name: str, version: str, previous: str | None, canary: tuple[str, float] | None = None
    ) -> None:
        note = f" Previous version: {previous}." if previous else ""
        self._lambda.update_alias(
            FunctionName=name,
            Name=ALIAS,
            FunctionVersion=version,
            Description=_DESCRIPTION + note,
            RoutingConfig={"AdditionalVersionWeights": dict([canary]) if canary else {}},
        )

    def _alarms(self) -> set[str]:
        pages = (
            self._environment.client("cloudwatch")
            .get_paginator("describe_alarms")
            .paginate(
                AlarmNamePrefix=self._environment.names.prefix,
                AlarmTypes=["MetricAlarm", "CompositeAlarm"],
                StateValue="ALARM",
            )
        )
        return {
            it["AlarmName"]
            for page in pages
            for it in (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ()))
        }
