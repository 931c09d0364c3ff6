"""Virtual time: actors take turns wherever they wait, in an order that the seed alone decides.

An actor is a greenlet: plain code that is set aside when it waits and goes on later. There are no threads
and no real time, so a schedule is a function of its seed.
"""

import heapq
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from greenlet import getcurrent, greenlet

from tests.support.fakes import START

if TYPE_CHECKING:
    from services.shared.ledger import Key, Order
    from tests.simulation.queues import Message

MOST_STEPS = 500_000
"""A chain of messages over three days takes some 3,000 by itself."""


class Killed(BaseException):
    """The process of this actor is gone. Not an Exception: no handler may catch it and go on."""


class Actor(greenlet):
    """Somebody with a name who does one piece of work."""

    def __init__(self, name: str, started: float, work: Callable[[], None], hub: greenlet) -> None:
        super().__init__(work, hub)
        self.name = name
        self.started = started
        self.spared = False
        """It outlived its messages: another run may delete them, and nobody could finish its work."""
        self.faults = 0
        self.redelivery_failed = False
        """Its queue could not be told when the messages that failed are to return."""
        self.touched: set[str] = set()
        self.taken: list[Message] = []
        """Messages that it received from its queue itself."""
        self.done: set[str] = set()
        """Ids of those of them that it wanted to delete."""
        """The orders and SKUs that a fault of one of its calls concerned."""
        self.logged: set[Key] = set()
        """The orders of which it logged something other than contention."""
        self.committed: dict[Key, tuple[float, Order]] = {}
        self.announced: set[Key] = set()
        self.placements: dict[Key, set[str]] = {}
        """The orders it was asked to place and their SKUs, in the order in which they came."""
        self.counts: Counter[str] = Counter()
        """What it counted and did not write yet; that is lost with it."""
        self.uncounted: Counter[str] = Counter()
        """What it committed and did not write a count of yet."""


class Scheduler:
    """The clock, and the agenda of who acts when."""

    def __init__(self) -> None:
        self.now = 0.0
        self.steps = 0
        self.stopped = False
        self._hub = getcurrent()
        self._agenda: list[tuple[float, int, Callable[[], object]]] = []
        self._entered = 0
        self._millisecond = 0

    def clock(self) -> datetime:
        return START + timedelta(seconds=self.now)

    @property
    def actor(self) -> Actor | None:
        """Whoever acts now, unless it is the world itself."""
        current = getcurrent()
        return current if isinstance(current, Actor) else None

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        self._entered += 1
        heapq.heappush(self._agenda, (self.now + seconds, self._entered, action))

    def spawn(self, name: str, work: Callable[[], None]) -> Actor:
        actor = Actor(name, self.now, work, self._hub)
        self.after(0, actor.switch)
        return actor

    def sleep(self, seconds: float) -> None:
        """Let the acting actor wait, and everybody else go on."""
        self.after(seconds, cast("Actor", self.actor).switch)
        self._hub.switch()

    def sleep_until_alone(self) -> None:
        """Let the acting actor wait for a millisecond that no other has waited for in this way."""
        self._millisecond = max(self._millisecond, int(self.now * 1_000)) + 1
        self.sleep((self._millisecond + 0.5) / 1_000 - self.now)

    def stop(self) -> None:
        self.stopped = True

    def run(self) -> bool:
        """Go on until nothing is left to do; False when it does not come to an end."""
        while self._agenda and not self.stopped:
            self.steps += 1
            if self.steps > MOST_STEPS:
                return False
            self.now, _, action = heapq.heappop(self._agenda)
            action()
        return True
