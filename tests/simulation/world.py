"""One world per seed: the real services among simulated clouds, queues, money and people."""

from collections.abc import Sequence
from datetime import timedelta
from random import Random

from services.shared.ledger import Key
from tests.simulation.actors import BANK_TRANSFER, Shop
from tests.simulation.answers import Answers
from tests.simulation.consumers import FUNCTIONS, AuditSchedule, Consumer, StoryTelemetry
from tests.simulation.dynamodb import ORDERS, Change, Database, DynamoDBClient
from tests.simulation.eventbridge import Bus, EventBridgeClient
from tests.simulation.faults import PROMPTLY, SETTLED_WITHIN, FaultMix
from tests.simulation.gateway import Gateway, GatewayLedger
from tests.simulation.invariants import Watch
from tests.simulation.network import Network
from tests.simulation.queues import Queue, SQSClient
from tests.simulation.scheduler import Scheduler
from tests.simulation.story import Story, label

HOLDS = (3, 40, 900, 900)
"""Seconds. A short hold ends while its payment is under way."""
LONG_HOLDS = (1_100, 259_200)
"""Seconds, of a bank transfer: past one delay of a queue, some of it in bad weather; three days."""
LONGEST_DELAYS = (200, 900, 900)
"""Seconds. A short one gives a chain of messages many links before the weather clears."""
CALM_AT = 1_500.0
REDRIVES = 6


class World:
    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.hold = timedelta(seconds=self.random.choice(HOLDS))
        self.long_holds = {BANK_TRANSFER: timedelta(seconds=self.random.choice(LONG_HOLDS))}
        self.longest_delay = timedelta(seconds=self.random.choice(LONGEST_DELAYS))
        self.max_actions = self.random.choice((6, 9, 20, 100))
        self.handed_over = self.random.choice((1, 3, 10))
        """Messages that a run begins with, at most; it takes the rest of a batch from its queue itself."""
        self.scheduler = Scheduler()
        self.story = Story(self.scheduler)
        self.fault_mix = FaultMix(self.random)
        self.network = Network(self.scheduler, self.fault_mix, self.story, self.random)
        self.gateway_ledger = GatewayLedger()
        self.watch = Watch(self.scheduler, self.gateway_ledger, self.hold_for)
        self.database = Database()
        self.database.on_commit = self._on_commit
        self.queues = {
            function.name: Queue(function.name, function.visibility, self.network) for function in FUNCTIONS
        }
        self.watch.is_set_aside = lambda key: any(
            label(*key) in one.about for one in self.queues["expiry"].dead
        )
        self.queues["expiry"].delay = self.hold.total_seconds()
        rules = {
            event.detail_type(): [self.queues[row.name] for row in FUNCTIONS if event in row.accepts]
            for function in FUNCTIONS
            for event in function.accepts
        }
        self.bus = Bus(rules, self.network)
        self.bus.on_event = self.watch.on_event
        self.bus.on_attempt = self.watch.runs.on_attempt
        self.dynamodb = DynamoDBClient(self.database, self.network)
        self.eventbridge = EventBridgeClient(self.bus, self.network)
        self.sqs = SQSClient(self.queues, self.network)
        self.gateway = Gateway(self.gateway_ledger, self.network, self.watch)
        self.telemetry = StoryTelemetry(self)
        self.answers = Answers(self)
        self.gateway.on_decision = self.answers.tell
        self.consumers = [Consumer(function, self) for function in FUNCTIONS]
        self.shop = Shop(self)

    def run(self) -> None:
        """Let everything happen: first in all weathers, then in calm, then what was set aside once more."""
        self.shop.open()
        AuditSchedule(self).open()
        self.scheduler.after(CALM_AT, self._clear_up)
        self._run()
        if not self.watch.violations:
            self.watch.on_rest()
            self._check_times()
        for _ in range(REDRIVES):
            if self.scheduler.stopped or not self._redrive():
                return
            self._run()

    def hold_for(self, payment_method: str | None) -> timedelta:
        return self.long_holds.get(payment_method or "", self.hold)

    def _check_times(self) -> None:
        """Hold every order to the bound of the only kind of fault, unless a message was set aside."""
        if len(self.fault_mix.kinds) > 1:
            return
        bound = max((SETTLED_WITHIN.get(kind, PROMPTLY) for kind in self.fault_mix.kinds), default=PROMPTLY)
        set_aside = {name for queue in self.queues.values() for letter in queue.dead for name in letter.about}
        for key, accepted_at in self.watch.accepted_at.items():
            methods = {wish.payment_method for wish in self.watch.wishes[key]}
            unpaid = not methods.isdisjoint(("never answered", "pending", BANK_TRANSFER))
            waited = max(map(self.hold_for, methods)).total_seconds() + PROMPTLY
            if answered_at := self.watch.answered_at.get(key):
                waited = min(waited, answered_at - accepted_at)
            latest = bound + (waited if unpaid else 0.0)
            took = self.watch.left.get(key, self.scheduler.now) - accepted_at
            if took > latest and label(*key) not in set_aside:
                self.watch.report(
                    "orders are settled or rejected in time", f"{took:.1f} s, not {latest:.1f} s", key
                )

    def _on_commit(self, changes: Sequence[Change]) -> None:
        written = " ".join(map(str, changes))
        keys = [Key.of(change.after["pk"]["S"]) for change in changes if change.table == ORDERS]
        self.story.info(f"writes {written}", tuple(label(*key) for key in keys))
        self.watch.on_commit(changes)

    def _run(self) -> None:
        if not self.scheduler.run():
            self.watch.report("everything comes to rest", f"{self.scheduler.steps} steps and no end")

    def _clear_up(self) -> None:
        self.fault_mix.clear_up()
        self.story.info("from here on nothing fails any more")

    def _redrive(self) -> bool:
        """Do what an operator does: send back whatever is not about an unknown order."""
        placed = {label(*key) for key in self.watch.wishes}
        redriven = 0
        for queue in self.queues.values():
            dead_letters = [
                dead_letter
                for dead_letter in queue.dead
                if not dead_letter.reason
                and (
                    placed.intersection(dead_letter.about)
                    or (queue.name, dead_letter.body) in self.watch.poison
                )
            ]
            queue.redrive(dead_letters)
            redriven += len(dead_letters)
        if redriven:
            self.story.info(f"{redriven} dead letters are sent round again")
        return redriven > 0
