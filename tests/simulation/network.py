"""The way to every service of the cloud: each call takes time, and may fail in every way calls fail."""

from collections.abc import Callable, Collection, Iterable
from random import Random
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, ReadTimeoutError

from tests.simulation.faults import Fault, FaultMix
from tests.simulation.scheduler import Killed, Scheduler
from tests.simulation.story import Story

T = TypeVar("T")

PAUSE = 400.0
"""Longer than any message stays invisible."""


def refusal(operation: str, code: str, status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        operation,
    )


class UnforeseenError(Exception):
    """What no code expects: the boundary hands the message back."""


class Network:
    def __init__(self, scheduler: Scheduler, fault_mix: FaultMix, story: Story, random: Random) -> None:
        self.scheduler = scheduler
        self.story = story
        self._fault_mix = fault_mix
        self.random = random

    @property
    def calm(self) -> bool:
        return self._fault_mix.calm

    def strikes(self, fault: Fault, what: str = "", orders: tuple[str, ...] = ()) -> bool:
        """Let a fault happen to whoever acts now, if it is to happen, and tell of it."""
        actor = self.scheduler.actor
        if (actor is not None and actor.spared) or not self._fault_mix.strikes(fault):
            return False
        if actor is not None:
            actor.faults += 1
        self.story.info(what or str(fault), orders, fault)
        return True

    def touch(self, items: Iterable[str]) -> None:
        """Note which orders and SKUs a fault concerns: it excuses the messages about these, and no others."""
        if actor := self.scheduler.actor:
            actor.touched.update(items)

    def travel(self, operation: str) -> None:
        """Take the time a call takes; the handler may be paused or killed on the way."""
        self.scheduler.sleep(self.random.uniform(0.002, 0.05))
        actor = self.scheduler.actor
        if actor is not None and self.random.random() < 0.2 and self.strikes(Fault.PAUSED, operation):
            actor.spared = True
            self.scheduler.sleep(PAUSE * self.random.uniform(1, 2))
        if self.strikes(Fault.KILLED_BEFORE, operation):
            raise Killed

    def return_from(self, operation: str) -> None:
        if self.strikes(Fault.KILLED_AFTER, operation):
            raise Killed

    def call(self, operation: str, effect: Callable[[], T], about: Collection[str] = ()) -> T:
        """Make one AWS call about some orders or SKUs, whose effect happens in one instant or not at all."""
        try:
            return self._call(operation, effect)
        except (BotoCoreError, UnforeseenError):
            self.touch(about)
            raise
        except ClientError as error:
            # A cancelled transaction names those that stood in the way.
            if "CancellationReasons" not in error.response:
                self.touch(about)
            raise

    def _call(self, operation: str, effect: Callable[[], T]) -> T:
        self.travel(operation)
        if self.strikes(Fault.THROTTLED, operation):
            raise refusal(operation, "ThrottlingException")
        if self.strikes(Fault.LOST_BEFORE, operation):
            if self.random.random() < 0.5:
                raise refusal(operation, "InternalServerError", 500)
            raise EndpointConnectionError(endpoint_url=operation)
        if self.strikes(Fault.UNFORESEEN, operation):
            raise UnforeseenError(operation)
        result = effect()
        self.return_from(operation)
        if self.strikes(Fault.LOST_AFTER, operation):
            raise ReadTimeoutError(endpoint_url=operation)
        return result
