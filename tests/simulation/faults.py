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
    UNEXPLAINED = "transaction cancelled without reasons"
    UNPROCESSED = "part of a read not processed"
    ENTRY_FAILED = "part of PutEvents failed"
    BUS_DOWN = "bus down for a spell"
    BURIAL_FAILED = "part of a burial failed"
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
    # from people
    PUBLISHED_TWICE = "published twice"
    ID_REUSED = "order id reused for another order"
    MALFORMED = "malformed event"
    CALLED_OFF = "order called off"
    REFUND_REQUESTED = "refund asked for"
    PRICE_CHANGED = "price changed"
    CURRENCY_CHANGED = "currency changed"
    STOCK_CHANGED = "stock changed"
    SKU_LAUNCHED = "SKU launched"


_ODDS = (0.02, 0.05, 0.1, 0.2, 0.4)


class FaultMix:
    """Each seed has a climate of its own: some kinds of fault never happen in it, others often.

    Mixing every fault into every schedule would make them all alike; what is rare together stays unseen.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        mix = random.choice((0.0, 0.15, 0.35, 0.6, 1.0))
        self._odds = {fault: random.choice(_ODDS) for fault in Fault if random.random() < mix}
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
