"""Moving orders on from wherever they are found to be."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from services.shared.ledger import Committed, Found, Key, Move, Order, Outcome, Placement, Status, Unsettled
from services.shared.transitions import advance, until_settled
from tests.support.builders import a_key, no_waiting, reserved
from tests.support.fakes import START

KEY = a_key("order-1")
RESERVED = reserved("order-1")
CANCELLED = RESERVED.moved(Status.CANCELLED, START, "cancel", reason="customer_request")


class ScriptedLedger:
    """Answers each round of moves as the test says, then commits."""

    def __init__(self, *rounds: Mapping[Key, Outcome]) -> None:
        self.attempts: list[list[Move]] = []
        self._rounds = list(rounds)

    def move(self, moves: Sequence[Move]) -> Mapping[Key, Outcome]:
        self.attempts.append(list(moves))
        if self._rounds:
            return self._rounds.pop(0)
        return {move.key: Committed(move.after) for move in moves}

    def reserve(self, placements: Sequence[Placement]) -> Mapping[Key, Outcome]:
        raise AssertionError(f"to advance is to move, not to reserve {placements}")

    def orders(self, keys: Collection[Key]) -> Mapping[Key, Order]:
        raise AssertionError(f"to advance is to move, not to read {keys}")


def cancel(order: Order) -> Move | None:
    if order.status is not Status.RESERVED:
        return None
    return Move(order, order.moved(Status.CANCELLED, START, "cancel", reason="customer_request"))


def test_an_order_makes_the_move_that_is_wanted() -> None:
    ledger = ScriptedLedger()

    assert advance(ledger, {KEY: RESERVED}, cancel) == {KEY: Committed(CANCELLED)}


def test_an_order_without_a_wanted_move_stays_as_it_was_found() -> None:
    ledger = ScriptedLedger()

    assert advance(ledger, {KEY: CANCELLED}, cancel) == {KEY: Found(CANCELLED)}
    assert ledger.attempts == []


def test_no_orders_are_no_work() -> None:
    assert advance(ScriptedLedger(), {}, cancel) == {}


def test_an_order_somebody_else_moved_is_decided_again_from_there() -> None:
    changed = reserved("order-1", {"prod-001": 2})
    ledger = ScriptedLedger({KEY: Found(changed)})

    outcomes = advance(ledger, {KEY: RESERVED}, cancel)

    assert outcomes == {
        KEY: Committed(changed.moved(Status.CANCELLED, START, "cancel", reason="customer_request"))
    }
    assert [move.before for moves in ledger.attempts for move in moves] == [RESERVED, changed]


def test_an_order_somebody_else_finished_is_found_as_it_is() -> None:
    ledger = ScriptedLedger({KEY: Found(CANCELLED)})

    assert advance(ledger, {KEY: RESERVED}, cancel) == {KEY: Found(CANCELLED)}
    assert len(ledger.attempts) == 1


def test_an_order_in_contention_is_left_unsettled_and_not_asked_again() -> None:
    ledger = ScriptedLedger({KEY: Unsettled("contention")})

    assert advance(ledger, {KEY: RESERVED}, cancel) == {KEY: Unsettled("contention")}
    assert len(ledger.attempts) == 1


def test_an_order_that_never_stands_still_is_left_unsettled() -> None:
    ledger = ScriptedLedger(*[{KEY: Found(RESERVED)}] * 20)

    assert advance(ledger, {KEY: RESERVED}, cancel) == {KEY: Unsettled("contention")}
    assert len(ledger.attempts) < 20


def test_an_order_that_comes_to_rest_in_the_last_round_is_found_there() -> None:
    ledger = ScriptedLedger(*[{KEY: Found(RESERVED)}] * 3, {KEY: Found(CANCELLED)})

    assert advance(ledger, {KEY: RESERVED}, cancel) == {KEY: Found(CANCELLED)}
    assert len(ledger.attempts) == 4


def test_only_the_orders_that_moved_meanwhile_are_asked_again() -> None:
    other = reserved("order-2")
    ledger = ScriptedLedger({KEY: Found(RESERVED), other.key: Committed(other)})

    advance(ledger, {KEY: RESERVED, other.key: other}, cancel)

    assert [[move.key.id for move in moves] for moves in ledger.attempts] == [
        ["order-1", "order-2"],
        ["order-1"],
    ]


# --- retrying what is contended -----------------------------------------------------------------------

CONTENDED, BROKEN = Unsettled("contention"), Unsettled("not a number", broken=True)
OTHER = Key("default", "order-2")


def test_what_is_settled_comes_before_the_wait_and_the_rest_after_it() -> None:
    steps: list[object] = []
    answers: Iterator[dict[Key, Outcome]] = iter(
        [{KEY: CONTENDED, OTHER: Committed(RESERVED)}, {KEY: Committed(RESERVED)}]
    )

    def attempt(keys: Collection[Key]) -> dict[Key, Outcome]:
        steps.append(sorted(keys))
        return next(answers)

    def waits() -> Iterator[bool]:
        steps.append("waited")
        yield True

    for part in until_settled(attempt, [KEY, OTHER], waits):
        steps.append(part)  # noqa: PERF402 - what comes when is the point

    assert steps == [
        [KEY, OTHER],
        {OTHER: Committed(RESERVED)},
        "waited",
        [KEY],
        {KEY: Committed(RESERVED)},
    ]


def test_what_never_settles_comes_last_as_unsettled() -> None:
    parts = list(until_settled(lambda keys: dict.fromkeys(keys, CONTENDED), [KEY], no_waiting(3)))

    assert parts == [{}, {}, {}, {}, {KEY: CONTENDED}]


def test_what_is_broken_is_not_tried_again() -> None:
    parts = list(until_settled(lambda keys: dict.fromkeys(keys, BROKEN), [KEY], no_waiting(3)))

    assert parts == [{KEY: BROKEN}]


def test_nothing_to_settle_is_not_attempted() -> None:
    assert list(until_settled(lambda keys: dict.fromkeys(keys, BROKEN), [], no_waiting(3))) == []
