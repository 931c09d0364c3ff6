"""One run: a stack of its own, a storm over it while orders pour in, rest, and a recount of everything."""

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from scripts.environment.environment import Environment, open_environment
from scripts.environment.local_state import StackState
from scripts.local import stack as local_stack
from scripts.local.aws import emulator as ministack
from scripts.local.stack import StackOptions
from services.shared.ledger import Status
from tests.chaos.disruptions import Killer, meanwhile, set_failure_rate
from tests.chaos.fault_schedule import FaultSchedule
from tests.chaos.plan import CONFIRMED, EXPIRED, Plan, make_plan
from tests.chaos.proxy import FaultProxy
from tests.chaos.traffic import TooLateError, Traffic
from tests.chaos.verdict import Finding, SystemState, Wrong, check, end_of
from tests.support.pipeline_client import EventRecorder

Progress = Callable[[str], None]
_FAILURE_RATES = ((0.35, 0.5), (0.5, 0.0))
"""The share of charges that the gateway declines from a share of the run on."""
_DECIDED_UNDER_FAULTS = 0.6
_ROUNDS = 6
"""Redrives until nothing runs out of deliveries any more; a storm leaves work for one or two."""


@dataclass(frozen=True, slots=True)
class Scale:
    orders: int
    seed: int
    hold_seconds: int
    retry_seconds: int
    """Longer than a cold start, or a message uses up its deliveries while it is worked on."""
    sending_seconds: float
    longer_seconds: float
    """How much longer the storm may last for orders that are slower than their sender."""
    kill_pause: tuple[float, float]
    spell_seconds: tuple[float, float]
    deadline_seconds: float

    @classmethod
    def full(cls, orders: int, seed: int) -> "Scale":
        sending = max(20.0, orders / 40)
        return cls(orders, seed, 120, 8, sending, sending, (1.5, 5.0), (1.0, 4.0), 10 * sending + 900)

    @classmethod
    def small(cls, orders: int, seed: int) -> "Scale":
        return cls(orders, seed, 8, 3, 6.0, 20.0, (0.5, 1.5), (0.3, 0.9), 120.0)


@dataclass
class Report:
    scale: Scale
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    spells: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    killed: int = 0
    messages: int = 0
    poison: int = 0
    redriven: int = 0
    events: int = 0
    late_charges: int = 0
    expired_payable: int = 0
    """Orders that could have been paid, and were not in time: released, as they must be."""
    sending_seconds: float = 0.0
    fault_seconds: float = 0.0
    decided_under_faults: int = 0
    seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)
    unfinished: str = ""

    @property
    def ok(self) -> bool:
        return not self.findings and not self.unfinished

    def found(self, wrong: Wrong) -> int:
        return sum(finding.wrong is wrong for finding in self.findings)

    @property
    def orders_per_second(self) -> float:
        """What the system decided while the storm was on."""
        return self.decided_under_faults / self.fault_seconds if self.fault_seconds else 0.0


@dataclass(frozen=True, slots=True)
class _Scene:
    state: StackState
    environment: Environment
    proxy: FaultProxy


def run(scale: Scale, *, progress: Progress = lambda _: None) -> Report:
    """Do it all, and leave nothing running, however it ends."""
    started = time.monotonic()
    report = Report(scale)
    plan = make_plan(scale.orders, scale.seed)
    report.messages, report.poison = len(plan.messages), len(plan.poison)
    schedule = FaultSchedule(scale.seed, spell_seconds=scale.spell_seconds)
    with _stack(scale, schedule, progress) as scene, EventRecorder(scene.environment) as witness:
        traffic = Traffic(scene.environment, witness, started + scale.deadline_seconds)
        traffic.ops.store.seed(plan.stock)
        try:
            progress(f"Sending {len(plan.messages)} messages for {scale.orders} orders into the storm ...")
            _send_under_faults(plan, scene, traffic, report)
            progress("The storm is over; what ran out of deliveries goes round again ...")
            _calm(traffic)
        except TooLateError as error:
            report.unfinished = str(error)
        progress("Counting everything again ...")
        state = traffic.read_state()
        report.findings = check(plan, state, traffic.ops.clock.now())
        report.requests = scene.proxy.requests
        report.redriven = traffic.redriven
    _describe(report, plan, state, schedule)
    report.seconds = time.monotonic() - started
    return report


def _send_under_faults(plan: Plan, scene: _Scene, traffic: Traffic, report: Report) -> None:
    scale, proxy = report.scale, scene.proxy
    killer = Killer(scene.state, scale.seed, scale.kill_pause, lambda: proxy.requests)
    rates = list(_FAILURE_RATES)

    def reached(share: float) -> None:
        while rates and share >= rates[0][0]:
            set_failure_rate(scene.environment, rates.pop(0)[1])

    started = time.monotonic()
    scene.proxy.schedule.begin()
    with meanwhile(killer):
        traffic.send(plan.messages, report.scale.sending_seconds, reached)
        report.sending_seconds = time.monotonic() - started
        # On a busy machine the orders are slower than their sender; the storm is for them.
        share = int(_DECIDED_UNDER_FAULTS * report.scale.orders)
        traffic.go_on(share, report.scale.longer_seconds)
    scene.proxy.schedule.clear()
    report.fault_seconds = time.monotonic() - started
    report.decided_under_faults = traffic.decided()
    report.killed = killer.killed


def _calm(traffic: Traffic) -> None:
    traffic.redrive()
    for _ in range(_ROUNDS):
        traffic.rest()
        if not traffic.redrive():
            return
    raise TooLateError(f"messages still run out of deliveries after {_ROUNDS} redrives")


def _describe(report: Report, plan: Plan, state: SystemState, schedule: FaultSchedule) -> None:
    report.outcomes = Counter(end_of(order) for order in state.orders)
    report.late_charges = sum(
        order.status is Status.CANCELLED and order.payment is not None and order.payment.charge_id is not None
        for order in state.orders
    )
    report.expired_payable = sum(
        end_of(order) == EXPIRED and CONFIRMED in plan.orders[order.key.id].ends
        for order in state.orders
        if order.key.id in plan.orders
    )
    for (operation, fault), count in schedule.counts.items():
        report.faults[f"{operation or 'other'}: {fault}"] += count
    report.spells = schedule.spells
    report.events = len(state.events)


@contextmanager
def _stack(scale: Scale, schedule: FaultSchedule, progress: Progress) -> Iterator[_Scene]:
    port = ministack.free_port()
    with ExitStack() as undo:
        home = Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="pulsequeue-chaos-")))
        proxy = undo.enter_context(FaultProxy(port, schedule))
        options = StackOptions(
            port=port,
            hold_seconds=scale.hold_seconds,
            retry_seconds=scale.retry_seconds,
            gateway_slow_seconds=0.5,
            functions_endpoint=proxy.endpoint,
        )
        undo.callback(local_stack.reset, home=home)
        state = local_stack.up(options, home=home, progress=progress)
        yield _Scene(state, open_environment("local", home=home), proxy)
