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
        fault = f"   [fault: {self.fault}]" if self.fault else ""
        orders = f" · {', '.join(self.orders)}" if self.orders else ""
        return f"{self.at:10.3f}s  {self.actor:<12} {self.what}{orders}{fault}"


def label(tenant_id: str, order_id: str) -> str:
    """Name an order the short way: only a second tenant is worth a mention."""
    return order_id if tenant_id == "default" else Key(tenant_id, order_id).pk


class Story:
    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self.steps: list[Step] = []

    def tell(self, what: str, orders: tuple[str, ...] = (), fault: Fault | None = None) -> None:
        actor = self._scheduler.actor
        self.steps.append(Step(self._scheduler.now, actor.name if actor else "world", what, orders, fault))

    def whole(self) -> str:
        return "\n".join(map(str, self.steps))

    def about(self, orders: frozenset[str]) -> str:
        """Tell the steps that bear on some orders, with their numbers in the whole story."""
        actors = {step.actor for step in self.steps if orders.intersection(step.orders)} - {"world"}
        lines, last = [], 0
        for number, step in enumerate(self.steps, 1):
            bears = orders.intersection(step.orders) if step.orders else step.actor in actors or step.fault
            if orders and not bears:
                continue
            if number > last + 1:
                lines.append("        ...")
            lines.append(f"{number:6}. {step}")
            last = number
        return "\n".join(lines)
