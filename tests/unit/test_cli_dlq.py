"""`pulsequeue dlq` loses no letter, and does nothing that was not asked for twice."""

from tests.desk import MemoryDesk
from tests.unit.conftest import CommandLine


def test_a_redrive_is_only_described_until_it_is_confirmed(pulsequeue: CommandLine, desk: MemoryDesk) -> None:
    desk.dead["order"].lay("m-1", '{"detail-type": "OrderPlaced", "detail": {"orderId": "o-1"}}')

    ran = pulsequeue("dlq", "redrive")

    assert "o-1" in ran.out
    assert "retries_exhausted" in ran.out
    assert desk.queues["order"].bodies == []
    assert len(desk.dead["order"].lying) == 1


def test_a_redrive_whose_letters_come_back_at_once_comes_to_an_end(
    pulsequeue: CommandLine, desk: MemoryDesk
) -> None:
    desk.dead["order"].returns = True
    for number in range(5):
        desk.dead["order"].lay(f"m-{number}", f'"{number}"', reason="invalid_envelope")

    ran = pulsequeue("dlq", "redrive", "order", "--yes", "--json")

    assert ran.json == {"done": 5, "failed": 0, "doubled": 0}
    assert len(desk.dead["order"].lying) == 5
    assert desk.audit_log.actions() == ["dlq redrive"]


def test_what_the_function_does_not_take_stays_where_it_is(pulsequeue: CommandLine, desk: MemoryDesk) -> None:
    desk.dead["order"].lay("m-1", "bad")
    desk.dead["order"].lay("m-2", "good")
    desk.queues["order"].refuse = {"bad"}

    assert pulsequeue("dlq", "redrive", "--yes").code == 1
    assert [letter.message_id for letter in desk.dead["order"].lying] == ["m-1"]


def test_a_dropped_letter_is_kept_word_for_word_in_the_audit_log(
    pulsequeue: CommandLine, desk: MemoryDesk
) -> None:
    desk.dead["order"].lay("m-1", "its words")

    pulsequeue("dlq", "drop", "order", "--id", "m-1", "--yes")

    assert desk.dead["order"].lying == []
    assert [result.get("body") for _, _, result in desk.audit_log.lines] == ["its words", None]
