"""What can go wrong, and how often it does under one seed."""

from collections import Counter
from enum import StrEnum
from random import Random


class Fault(StrEnum):
    # to a call
    THROTTLED = "call throttled"
    LOST_BEFORE = "call lost before its effect"
    LOST_AFTER = "answer lost after the effect"
    CONFLICT = "transaction conflict"
    SKU_BUSY = "SKU throttled for a spell"
    UNEXPLAINED = "transaction cancelled without reasons"
    UNFORESEEN = "call failed in an unforeseen way"
    UNPROCESSED = "part of a read not processed"
    ENTRY_FAILED = "part of PutEvents failed"
    BUS_DOWN = "bus down for a spell"
    BURIAL_FAILED = "part of a burial failed"
    POSTPONEMENT_FAILED = "part of a postponement failed"
    # to a handler
    KILLED_BEFORE = "killed before a call took effect"
    KILLED_AFTER = "killed after a call took effect"
    PAUSED = "paused past the visibility time-out"
    BATCH_DEFERRED = "a dependency unavailable for a whole batch"
    COLD_START = "process recycled"
    AWAY = "consumer away"
    # to a message
    TWICE = "delivered twice"
    LATE = "delivered late, out of order"
    DELETION_LOST = "done, yet not deleted"
    HANDED_OUT_TWICE = "handed to two at once"
    EXPIRY_EARLY = "expiry delivered early"
    EXPIRY_LATE = "expiry delivered late"
    # to the gateway
    GATEWAY_DOWN = "gateway down for a spell"
    GATEWAY_SILENT_BEFORE = "gateway silent, nothing done"
    GATEWAY_SILENT_AFTER = "gateway silent, though done"
    GATEWAY_LATE = "gateway charges after the call was given up"
    ANSWER_LOST = "gateway never sends its answer"
    ANSWER_TWICE = "gateway sends its answer twice"
    ANSWER_FALSE = "gateway's message contradicts what it decided"
    # from people
    FORGED = "payment asked for by a stranger"
    ANSWER_FORGED = "answer of the gateway forged by a stranger"
    PUBLISHED_TWICE = "published twice"
    ID_REUSED = "order id reused for another order"
    MALFORMED = "malformed event"
    CALLED_OFF = "order called off"
    REFUND_REQUESTED = "refund asked for"
    PRICE_CHANGED = "price changed"
    CURRENCY_CHANGED = "currency changed"
    STOCK_CHANGED = "stock changed"
    SKU_LAUNCHED = "SKU launched"


SETTLED_WITHIN = {
    Fault.THROTTLED: 1_700.0,
    Fault.LOST_AFTER: 175.0,
    Fault.ENTRY_FAILED: 175.0,
    Fault.LATE: 130.0,
    Fault.GATEWAY_SILENT_BEFORE: 950.0,
    Fault.GATEWAY_SILENT_AFTER: 950.0,
    Fault.GATEWAY_LATE: 950.0,
    Fault.GATEWAY_DOWN: 950.0,
    Fault.EXPIRY_EARLY: 1_600.0,
    Fault.LOST_BEFORE: 3_000.0,
    Fault.AWAY: 1_100.0,
    Fault.SKU_BUSY: 3_000.0,
    Fault.BUS_DOWN: 3_000.0,
    Fault.PAUSED: 3_000.0,
    Fault.KILLED_BEFORE: 3_000.0,
    Fault.KILLED_AFTER: 3_000.0,
    Fault.BATCH_DEFERRED: 3_000.0,
    Fault.UNFORESEEN: 3_000.0,
}
"""Seconds from placement to settlement or rejection when a kind of fault is the only one. It takes a few
receives of a message (2, 15, 120 and 900 s apart, each up to half as much again), the end of the spell
(faults end at 1,500 s), or for a gateway the end of the longest hold. Measured, 250 seeds of each kind."""
PROMPTLY = 5.0
"""The same without faults, and under every other kind."""

_ODDS = (0.02, 0.05, 0.1, 0.2, 0.4)


class FaultMix:
    """Each seed has a climate of its own: some kinds of fault never happen in it, others often.

    Mixing every fault into every schedule would make them all alike; what is rare together stays unseen.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        mix = random.choice((0.0, 0.15, 0.35, 0.6, 1.0, None))
        kinds = (
            [random.choice([*Fault, *[Fault.SKU_BUSY] * 8])]
            if mix is None
            else [fault for fault in Fault if random.random() < mix]
        )
        self._odds = {fault: random.choice(_ODDS) for fault in kinds}
        self.kinds = frozenset(kinds)
        self.injected: Counter[Fault] = Counter()
        self.calm = False

    def clear_up(self) -> None:
        """From now on nothing fails any more."""
        self.calm = True

    def strikes(self, fault: Fault) -> bool:
        """Tell whether it happens here and now, and count it if it does."""
        if self.calm or fault not in self._odds or self._random.random() >= self._odds[fault]:
            return False
        self.injected[fault] += 1
        return True
