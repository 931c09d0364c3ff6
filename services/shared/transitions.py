"""Move orders on from wherever they are found to be."""

from collections.abc import Callable, Mapping

from services.shared.ledger import Found, Key, Ledger, Move, Order, Outcome, Unsettled

_ROUNDS = 4  # no order makes more moves than this in its life


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
