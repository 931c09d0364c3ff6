"""What is done to a running stack meanwhile: workers are killed, and the gateway refuses by spells."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

import psutil

from scripts.environment.environment import Environment
from scripts.environment.local_state import StackState
from scripts.local import processes


class Killer:
    """Kills one function process after another, without warning, but lets work be done in between.

    On a busy machine they would otherwise all be killed while they start, and nothing would be at stake.
    """

    def __init__(
        self, state: StackState, seed: int, pause: tuple[float, float], work_done: Callable[[], int]
    ) -> None:
        self.killed = 0
        self._state = state
        self._dice = Random(seed)
        self._pause = pause
        self._work_done = work_done

    def __call__(self, done: threading.Event) -> None:
        before = 0
        while not done.wait(self._dice.uniform(*self._pause)):
            now = self._work_done()
            workers = self._workers()
            if now == before or not workers:
                continue
            before = now
            try:
                self._dice.choice(workers).kill()
                self.killed += 1
            except psutil.NoSuchProcess:
                continue

    def _workers(self) -> list[psutil.Process]:
        """Find the processes that run our handlers: children of what this stack started."""
        roots = [root for record in self._state.processes if (root := processes.find(record))]
        return [child for root in roots for child in _children(root) if _runs_a_handler(child)]


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _runs_a_handler(process: psutil.Process) -> bool:
    try:
        return any(word.endswith("_worker.py") for word in process.cmdline())
    except psutil.Error:
        return False  # gone between being listed and being asked


def set_failure_rate(environment: Environment, rate: float) -> None:
    """Tell the gateway to decline a share of all charges, as a new deployment would."""
    functions, name = environment.client("lambda"), environment.names.function("payment")
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": {**variables, "GATEWAY_FAILURE_RATE": str(rate)}}
    )


@contextmanager
def meanwhile(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Do some work in a thread until the block is left."""
    done = threading.Event()
    thread = threading.Thread(target=work, args=(done,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
