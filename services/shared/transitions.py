"""Move orders on from wherever they are found to be, and retry what is contended."""

from collections.abc import Callable, Collection, Iterator, Mapping

from services.shared.backoff import Waits
from services.shared.ledger import Found, Key, Ledger, Move, Order, Outcome, Unsettled

_ROUNDS = 4  # few orders are moved by others more often than this in one attempt


def advance(
    ledger: Ledger, orders: Mapping[Key, Order], decide: Callable[[Order], Move | None]
) -> dict[Key, Outcome]:
    """Make the move that `decide` wants for each order; None leaves the order as it was found.

    An order that somebody else moved in the meantime is decided again, from where it is now.
    """
    outcomes: dict[Key, Outcome] = {key: Found(order) for key, order in orders.items()}
    undecided = dict(orders)
    for _ in range(_ROUNDS):
        moves = [move for order in undecided.values() if (move := decide(order)) is not None]
        if not moves:
            return outcomes
        latest = ledger.move(moves)
        outcomes |= latest
        undecided = {key: outcome.order for key, outcome in latest.items() if isinstance(outcome, Found)}
    return outcomes | {key: Unsettled("contention") for key, order in undecided.items() if decide(order)}


def advance_all(
    ledger: Ledger, orders: Mapping[Key, Order], decide: Callable[[Order], Move | None], waits: Waits
) -> Iterator[Mapping[Key, Outcome]]:
    """Advance orders until they are settled or the waits are used up, part by part."""

    def attempt(keys: Collection[Key]) -> Mapping[Key, Outcome]:
        return advance(ledger, {key: orders[key] for key in keys}, decide)

    return until_settled(attempt, orders.keys(), waits)


def until_settled(
    attempt: Callable[[Collection[Key]], Mapping[Key, Outcome]], keys: Collection[Key], waits: Waits
) -> Iterator[Mapping[Key, Outcome]]:
    """Attempt, yield what is settled, wait, and attempt the rest; what never settles comes in the last part.

    The caller finishes each part before the next wait: what is done is published, whatever is still busy.
    """
    waiting = waits()
    pending = keys
    while pending:
        outcomes = attempt(pending)
        contended = [
            key for key, outcome in outcomes.items() if isinstance(outcome, Unsettled) and not outcome.broken
        ]
        if not contended:
            yield outcomes
            return
        yield {key: outcome for key, outcome in outcomes.items() if key not in contended}
        if not next(waiting, False):
            yield {key: outcomes[key] for key in contended}
            return
        pending = contended
