"""Puts the links together, in the order in which an order passes them, and cleans up behind itself."""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from scripts.common.errors import ToolError
from scripts.ops.aws_context import AwsOpsContext
from scripts.verify import resource_checks
from scripts.verify.bus_probe import Listening
from scripts.verify.checks import BrokenLinkError, Finding, Link, Patience, Report, follow, told
from scripts.verify.deployed import as_deployed
from scripts.verify.dlq_checks import Letters, readers_of_placed_orders
from scripts.verify.order_checks import Orders
from scripts.verify.scenarios import Scenarios
from scripts.verify.telemetry_checks import Analytics, Metrics
from services.shared.errors import PulseQueueError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from scripts.environment.environment import Environment
    from scripts.verify.endpoints import Doors

SCENARIOS: Final = Path(__file__).resolve().parents[1] / "data" / "order-service-events.json"


@dataclass(frozen=True, slots=True)
class Pace:
    """How long each link may take, and how often is looked."""

    seconds: float
    pause: float
    collection_pause: float
    """Between two collections of the metrics, each of which asks CloudWatch, and is billed."""

    @classmethod
    def of(cls, environment: Environment, seconds: float | None = None) -> Pace:
        if environment.is_local:
            return cls(seconds or 45.0, 0.2, 0.5)
        # CloudWatch has logs after seconds, and numbers after one to three minutes.
        return cls(seconds or 300.0, 2.0, 20.0)


def verify(
    environment: Environment,
    doors: Doors,
    pace: Pace,
    *,
    seen: Callable[[Finding], object] = lambda _: None,
) -> Report:
    """Check the chain; whatever happens, what was put there for it is taken away again."""
    run = uuid4().hex[:12]
    published: dict[str, Any] = json.loads(SCENARIOS.read_text(encoding="utf-8"))
    verification = _Verification(as_deployed(environment), doors, pace, Scenarios.of(run, published))
    with verification.cleaned_up(seen):
        return follow(verification.links(), seen)


class _Verification:
    def __init__(self, environment: Environment, doors: Doors, pace: Pace, scenarios: Scenarios) -> None:
        ops = AwsOpsContext(environment)
        patience = Patience(ops.clock, pace.seconds, pace.pause)
        self._environment = environment
        self._ops = ops
        self._scenarios = scenarios
        self._listening = Listening(environment, scenarios.run, scenarios.order_ids)
        self._orders = Orders(environment, ops, scenarios, self._listening, patience)
        self._metrics = Metrics(environment, doors, Patience(ops.clock, pace.seconds, pace.collection_pause))
        self._analytics = Analytics(environment, doors, patience)
        self._letters = Letters(ops, scenarios, patience)
        self._clean = False

    def links(self) -> list[Link]:
        orders, metrics = self._orders, self._metrics
        moved = self._scenarios.counted(readers_of_placed_orders(self._ops))
        return [
            Link("wiring", "everything is there, on, and leads to the right place", self._wired),
            Link("bus", "an event comes to a rule and its queue", orders.heard_by_a_rule, ("wiring",)),
            Link("metrics page", "numbers for those with the token alone", metrics.readable, ("wiring",)),
            Link("inventory", "stock can be set", orders.shelved, ("wiring",)),
            Link("placing", "the bus takes orders", orders.placed, ("bus", "inventory")),
            Link("order function", "it decides on orders, and logs it", orders.decided, ("placing",)),
            Link("payment function", "it settles them, and logs it", orders.paid, ("order function",)),
            Link(
                "late queue", "it keeps reservations for their expiry", orders.held_late, ("order function",)
            ),
            Link("tables", "orders and stock are as they must be", orders.booked, ("payment function",)),
            Link("events", "all is told, once", orders.announced, ("payment function",)),
            Link(
                "late function",
                "it leaves alone what is settled",
                orders.left_alone,
                ("late queue", "events"),
            ),
            Link(
                "dead letters",
                "the unreadable is there, nothing else",
                self._letters.as_they_should,
                ("placing",),
            ),
            Link(
                "counters",
                "they count what happened",
                lambda: metrics.counted(moved),
                ("metrics page", "payment function"),
            ),
            Link(
                "analytics",
                "it tells the orders",
                lambda: self._analytics.tells(self._scenarios),
                ("payment function",),
            ),
            self._last(),
        ]

    def _last(self) -> Link:
        return Link("cleaning up", "nothing is left but the orders", self._clean_up)

    @contextmanager
    def cleaned_up(self, seen: Callable[[Finding], object]) -> Iterator[None]:
        """Clean up also when the chain was not followed to its end; `seen` hears what came of that."""
        try:
            yield
        except BaseException:
            if not self._clean:
                follow([self._last()], seen)
            raise

    def _wired(self) -> str:
        return resource_checks.whole(self._environment)

    def _clean_up(self) -> str:
        """Take everything away; what of it fails does not keep the rest."""
        self._clean = True
        left: list[str] = []
        parts: Sequence[tuple[str, Callable[[], object]]] = (
            (f"inventory {told([it.id for it in self._scenarios.skus])}", self._take_off_the_shelf),
            ("what is still reserved", self._orders.called_off),
            ("dead letters", self._take_out_letters),
            (f"rule and queue {self._listening.name}", self._stop_listening),
        )
        # Whoever interrupts this, too, has the rest tried all the same.
        with ExitStack() as undo:
            for what, remove in parts:
                undo.callback(_tried, left, what, remove)
        if left:
            raise BrokenLinkError("; ".join(left))
        return "rule, queue, letters and inventory are gone"

    def _stop_listening(self) -> None:
        self._listening.end(self._ops.clock.now())

    def _take_out_letters(self) -> None:
        if self._orders.were_sent:
            self._letters.take_out()

    def _take_off_the_shelf(self) -> None:
        if self._orders.unshelved():
            raise BrokenLinkError("orders are still reserved, and will be released when their time is over")


def _tried(left: list[str], what: str, remove: Callable[[], object]) -> None:
    try:
        remove()
    except (BrokenLinkError, ToolError, PulseQueueError, ClientError, BotoCoreError) as error:
        left.append(f"{what} cannot be taken away: {error}")
