"""What happened, step by step, as a person would want to read it."""

from dataclasses import dataclass

from services.shared.ledger import Key
from tests.simulation.faults import Fault
from tests.simulation.scheduler import Scheduler


@dataclass(frozen=True, slots=True)
class Step:
    at: float
    actor: str
    what: str
    orders: tuple[str, ...]
    fault: Fault | None = None

    def __str__(self) -> str:
        fault = ""
        if self.fault:
            fault = "   [fault]" if self.fault in self.what else f"   [fault: {self.fault}]"
        orders = f" · {', '.join(self.orders)}" if self.orders else ""
        return f"{self.at:10.3f}s  {self.actor:<12} {self.what}{orders}{fault}"


def label(tenant_id: str, order_id: str) -> str:
    """Name an order the short way: only a second tenant is worth a mention."""
    return order_id if tenant_id == "default" else Key(tenant_id, order_id).pk


class Story:
    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self.steps: list[Step] = []

    def info(self, what: str, orders: tuple[str, ...] = (), fault: Fault | None = None) -> None:
        actor = self._scheduler.actor
        self.steps.append(Step(self._scheduler.now, actor.name if actor else "world", what, orders, fault))

    def whole(self) -> str:
        return "\n".join(map(str, self.steps))

    def about(self, orders: frozenset[str]) -> str:
        """Tell the steps that bear on some orders, with their numbers in the whole story."""
        actors = {step.actor for step in self.steps if orders.intersection(step.orders)} - {"world"}
        lines, last = [], 0
        for number, step in enumerate(self.steps, 1):
            if orders and not self._bears(step, orders, actors):
                continue
            if number > last + 1:
                lines.append("        ...")
            lines.append(f"{number:6}. {step}")
            last = number
        return "\n".join(lines)

    @staticmethod
    def _bears(step: Step, orders: frozenset[str], actors: set[str]) -> bool:
        """Tell whether a step is about some orders, or befell somebody who worked on them."""
        if step.orders:
            return bool(orders.intersection(step.orders))
        return step.actor in actors or (step.fault is not None and step.actor == "world")
