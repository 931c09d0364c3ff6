"""MiniStack, but for its impatience: it takes what a function says only as far as it has come within 5 ms.

On a busy machine the last lines came later: with the next invocation, or not at all. A function has said all
that it has to say before it answers, so what is in its pipe by then is waited for.
"""

from __future__ import annotations

import fcntl
import runpy
import struct
import termios
import time
from typing import TYPE_CHECKING, Any, Final

from ministack.core import lambda_runtime  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST: Final = 2.0
_FIRST_LINE: Final = 0.05
"""How long is waited for a function that may have nothing to say; the emulator's own figure."""
_QUIET: Final = 0.02
"""How long nothing more must come of what was read already."""


def wait_for_output(drain: Callable[..., str]) -> Callable[..., str]:
    """Have a worker's lines taken when its pipe is empty, and not before."""

    def drained(worker: Any, first_line_wait: float = _FIRST_LINE) -> str:  # noqa: ANN401 - the emulator's own
        over = time.monotonic() + _LONGEST
        while _unread(worker) and time.monotonic() < over:
            time.sleep(0.001)
        return drain(worker, first_line_wait, _QUIET, _LONGEST)

    return drained


def _unread(worker: Any) -> int:  # noqa: ANN401 - as above
    """Count the bytes that a worker has written and nobody has read; none, when it is gone."""
    try:
        waiting = fcntl.ioctl(worker._proc.stderr.fileno(), termios.FIONREAD, bytes(4))  # noqa: SLF001
    except (AttributeError, OSError, ValueError):
        return 0
    return int(struct.unpack("i", waiting)[0])


def main() -> None:
    worker = lambda_runtime.Worker
    worker._drain_stderr_bounded = wait_for_output(worker._drain_stderr_bounded)  # noqa: SLF001
    runpy.run_module("ministack", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
