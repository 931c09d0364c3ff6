"""The verification suite: the checks in the order in which an order passes, and the cleanup."""

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
from scripts.verify.browser_checks import BrowserChecks
from scripts.verify.bus_probe import BusProbe
from scripts.verify.checks import (
    Check,
    CheckFailedError,
    CheckReport,
    CheckResult,
    Poller,
    listed,
    run_checks,
)
from scripts.verify.console_checks import ConsoleChecks
from scripts.verify.dlq_checks import DeadLetterChecks, order_placed_consumers
from scripts.verify.order_checks import OrderChecks
from scripts.verify.resource_checks import as_deployed, check_wiring
from scripts.verify.scenarios import Scenarios
from scripts.verify.sign_in_checks import SignInChecks
from scripts.verify.telemetry_checks import AnalyticsChecks, MetricsChecks
from services.shared.errors import PulseQueueError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from scripts.environment.environment import Environment
    from scripts.verify.endpoints import Endpoints

SCENARIOS: Final = Path(__file__).resolve().parents[1] / "data" / "order-service-events.json"
CLEANUP: Final = "cleanup"


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds that each check may take, and seconds between two polls."""

    timeout: float
    poll_interval: float
    collection_interval: float
    """Between two collections of the metrics, for each of which CloudWatch is billed."""

    @classmethod
    def of(cls, environment: Environment, timeout: float | None = None) -> Timing:
        if environment.is_local:
            return cls(timeout or 45.0, 0.2, 0.5)
        # CloudWatch has logs after seconds, and metrics after one to three minutes.
        return cls(timeout or 300.0, 2.0, 20.0)


def verify(
    environment: Environment,
    endpoints: Endpoints,
    timing: Timing,
    *,
    on_result: Callable[[CheckResult], object] = lambda _: None,
) -> CheckReport:
    """Run the suite; whatever happens, everything it created is removed again."""
    run = uuid4().hex[:12]
    published: dict[str, Any] = json.loads(SCENARIOS.read_text(encoding="utf-8"))
    suite = _Suite(as_deployed(environment), endpoints, timing, Scenarios.of(run, published))
    with suite.cleaned_up(on_result):
        return run_checks(suite.checks(), on_result)


class _Suite:
    def __init__(
        self, environment: Environment, endpoints: Endpoints, timing: Timing, scenarios: Scenarios
    ) -> None:
        ops = AwsOpsContext(environment)
        poller = Poller(ops.clock, timing.timeout, timing.poll_interval)
        collecting = Poller(ops.clock, timing.timeout, timing.collection_interval)
        self._environment = environment
        self._ops = ops
        self._scenarios = scenarios
        self._bus_probe = BusProbe(environment, scenarios.run, scenarios.order_ids)
        self._orders = OrderChecks(environment, ops, scenarios, self._bus_probe, poller)
        self._metrics = MetricsChecks(environment, endpoints, collecting)
        self._analytics = AnalyticsChecks(environment, endpoints, poller)
        self._browsers = BrowserChecks(environment, endpoints, poller)
        self._console = ConsoleChecks(environment, endpoints, poller)
        self._sign_in = SignInChecks(environment, endpoints)
        self._dead_letters = DeadLetterChecks(ops, scenarios, poller)
        self._is_clean = False

    def checks(self) -> list[Check]:
        orders, metrics = self._orders, self._metrics
        increases = self._scenarios.counter_increases(order_placed_consumers(self._ops))
        paid = ("payment function",)
        return [
            Check("wiring", "every resource exists, is enabled and wired correctly", self._wiring),
            Check("bus", "an event reaches a rule and its queue", orders.bus_delivers, ("wiring",)),
            Check(
                "metrics page", "metrics are served with the token only", metrics.page_is_served, ("wiring",)
            ),
            Check(
                "preflight",
                "browsers can call the API from the allowed origins",
                self._browsers.preflights_need_no_token,
                ("wiring",),
            ),
            Check(
                "console",
                "a session at the console's address reaches the API",
                self._console.session_reaches_the_api,
                ("wiring",),
            ),
            Check(
                "sign-in",
                "a sign-in at the console's address leads to the user pool, and back as a session",
                self._sign_in.people_sign_in,
                ("console",),
            ),
            Check("inventory", "stock can be set", orders.stock_is_set, ("wiring",)),
            Check("placing", "the bus accepts orders", orders.orders_are_placed, ("bus", "inventory")),
            Check("order function", "orders are decided and logged", orders.orders_are_decided, ("placing",)),
            Check(
                "payment function",
                "payments are settled and logged",
                orders.orders_are_paid,
                ("order function",),
            ),
            Check(
                "expiry queue",
                "reservations wait for their expiry",
                orders.expiry_is_queued,
                ("order function",),
            ),
            Check("tables", "orders and stock are as expected", orders.tables_are_consistent, paid),
            Check("events", "every event is published once", orders.events_are_published, paid),
            Check(
                "expiry function",
                "settled orders are left unchanged",
                orders.expiry_is_skipped,
                ("expiry queue", "events"),
            ),
            Check(
                "dead letters",
                "the malformed order is there, nothing else",
                self._dead_letters.only_malformed,
                ("placing",),
            ),
            Check(
                "counters",
                "counters increased as expected",
                lambda: metrics.counters_increased(increases),
                ("metrics page", *paid),
            ),
            Check(
                "analytics",
                "the API returns the orders",
                lambda: self._analytics.orders_are_returned(self._scenarios),
                paid,
            ),
            self._cleanup(),
        ]

    def _cleanup(self) -> Check:
        return Check(CLEANUP, "nothing is left but the orders", self._clean_up)

    @contextmanager
    def cleaned_up(self, on_result: Callable[[CheckResult], object]) -> Iterator[None]:
        """Clean up also when the suite is interrupted; `on_result` receives the outcome."""
        try:
            yield
        except BaseException:
            if not self._is_clean:
                run_checks([self._cleanup()], on_result)
            raise

    def _wiring(self) -> str:
        return check_wiring(self._environment)

    def _clean_up(self) -> str:
        """Remove everything; one failure does not stop the rest."""
        self._is_clean = True
        failures: list[str] = []
        steps: Sequence[tuple[str, Callable[[], object]]] = (
            (f"inventory {listed([it.id for it in self._scenarios.skus])}", self._remove_stock),
            ("open reservations", self._orders.cancel_reserved),
            ("dead letters", self._remove_dead_letters),
            (f"rule and queue {self._bus_probe.name}", self._stop_bus_probe),
        )
        # The remaining steps run even when this is interrupted, too.
        with ExitStack() as undo:
            for resource, remove in steps:
                undo.callback(_attempt, failures, resource, remove)
        if failures:
            raise CheckFailedError("; ".join(failures))
        return "rule, queue, dead letters and inventory removed"

    def _stop_bus_probe(self) -> None:
        self._bus_probe.stop()

    def _remove_dead_letters(self) -> None:
        if self._orders.were_placed:
            self._dead_letters.remove()

    def _remove_stock(self) -> None:
        if self._orders.remove_stock():
            raise CheckFailedError("orders are still reserved; they are released when their hold ends")


def _attempt(failures: list[str], resource: str, remove: Callable[[], object]) -> None:
    try:
        remove()
    except (CheckFailedError, ToolError, PulseQueueError, ClientError, BotoCoreError) as error:
        failures.append(f"{resource} cannot be removed: {error}")
