"""Mappings of the emulator get whole batches, and delayed messages cost nothing until they are due."""

from contextlib import nullcontext
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from scripts.local.aws.emulator_queues import MOST_MESSAGES, Receiver

URL = "queue"


class Emulator:
    """One queue, collected from as the emulator does it; counts how often it is walked."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.queue: dict[str, Any] = {"messages": [], "attributes": {"VisibilityTimeout": "30"}}
        self.walks = 0
        self.window = 0.0
        self.receiver = Receiver(
            lambda _: self.queue,
            lambda _: None,
            self._collect,
            nullcontext(),
            lambda _: self.window,
            clock=lambda: self.now,
        )

    def send(self, name: str, delay: float = 0) -> None:
        self.queue["messages"].append({"id": name, "visible_at": self.now + delay})

    def receive(self, most: int = 99) -> list[str]:
        return [message["id"] for message in self.receiver.receive(URL, most)]

    def delete(self, name: str) -> None:
        self.queue["messages"] = [it for it in self.queue["messages"] if it["id"] != name]

    def change_visibility(self, name: str, seconds: float) -> None:
        for message in self.queue["messages"]:
            if message["id"] == name:
                message["visible_at"] = self.now + seconds
        self.receiver.visibility_changed()

    def _collect(self, queue: dict[str, Any], most: int, visibility: int) -> list[dict[str, Any]]:
        self.walks += 1
        batch = [it for it in queue["messages"] if it["visible_at"] <= self.now][:most]
        for message in batch:
            message["visible_at"] = self.now + visibility
        return batch


def test_a_batch_holds_as_many_messages_as_the_mapping_asks_for() -> None:
    emulator = Emulator()
    for number in range(150):
        emulator.send(f"m-{number}")

    assert len(emulator.receive(99)) == 99
    assert len(emulator.receive(99)) == 51


def test_a_batch_that_is_not_whole_waits_for_the_end_of_the_window() -> None:
    emulator = Emulator()
    emulator.window = 5
    emulator.send("first")
    seen = []
    for _ in range(12):
        emulator.now += 1
        if emulator.now == 1_003:
            emulator.send("second")
        seen.append(emulator.receive())
        if emulator.now == 1_008:
            emulator.send("third")

    assert [(second, batch) for second, batch in enumerate(seen, 1) if batch] == [(6, ["first", "second"])]


def test_a_whole_batch_does_not_wait_and_the_next_window_begins_anew() -> None:
    emulator = Emulator()
    emulator.window = 5
    emulator.send("first")
    assert emulator.receive(2) == []
    emulator.send("second")
    assert emulator.receive(2) == ["first", "second"]

    emulator.now += 4
    emulator.send("third")
    emulator.now += 4
    assert emulator.receive(2) == []
    emulator.now += 5
    assert emulator.receive(2) == ["third"]


def test_a_batch_is_no_larger_than_aws_allows() -> None:
    emulator = Emulator()
    for number in range(MOST_MESSAGES + 1):
        emulator.send(f"m-{number}")

    assert len(emulator.receive(10 * MOST_MESSAGES)) == MOST_MESSAGES


def test_delayed_messages_are_not_walked_until_the_first_is_due() -> None:
    emulator = Emulator()
    emulator.send("late", delay=900)
    assert emulator.receive() == []
    walks = emulator.walks

    for number in range(100):
        emulator.send(f"later-{number}", delay=900 + number)
        assert emulator.receive() == []
    assert emulator.walks == walks

    emulator.now += 900
    assert emulator.receive() == ["late", "later-0"]


def test_a_message_that_becomes_visible_sooner_is_received() -> None:
    emulator = Emulator()
    emulator.send("m")
    assert emulator.receive() == ["m"]
    assert emulator.receive() == []

    emulator.change_visibility("m", 0)

    assert emulator.receive() == ["m"]


def test_a_message_received_before_comes_again_after_its_visibility_timeout() -> None:
    emulator = Emulator()
    emulator.send("m")
    emulator.receive()

    emulator.now += 30

    assert emulator.receive() == ["m"]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(0, 5), st.integers(0, 40)),
        st.tuples(st.just("receive"), st.integers(1, 3), st.just(0)),
        st.tuples(st.just("delete"), st.integers(0, 5), st.just(0)),
        st.tuples(st.just("visibility"), st.integers(0, 5), st.integers(0, 40)),
        st.tuples(st.just("wait"), st.integers(0, 40), st.just(0)),
    ),
    max_size=30,
)


@given(STEPS)
def test_nothing_that_is_due_is_ever_missed(steps: list[tuple[str, int, int]]) -> None:
    emulator = Emulator()
    for step, first, second in steps:
        match step:
            case "send":
                emulator.send(f"m-{first}", delay=second)
            case "receive":
                due = [it["id"] for it in emulator.queue["messages"] if it["visible_at"] <= emulator.now]
                assert emulator.receive(first) == due[:first]
            case "delete":
                emulator.delete(f"m-{first}")
            case "visibility":
                emulator.change_visibility(f"m-{first}", second)
            case _:
                emulator.now += first
