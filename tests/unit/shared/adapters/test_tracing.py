"""Only what X-Ray asks for is traced, and only that pays for it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from services.shared.adapters.tracing import Tracing, is_sampled

_ROOT = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8"


class Recorder:
    """An X-Ray provider that records its calls."""

    def __init__(self) -> None:
        self.loaded = 0
        self.subsegments: list[str] = []

    def load(self, _service: str) -> "Recorder":
        self.loaded += 1
        return self

    @contextmanager
    def in_subsegment(self, name: str) -> Iterator[None]:
        self.subsegments.append(name)
        yield


@pytest.mark.parametrize(
    ("header", "sampled"),
    [
        (f"{_ROOT};Sampled=1", True),
        (f"{_ROOT};Sampled=1;Lineage=1:a87bd80c:0", True),
        (f"{_ROOT}; Sampled=1", True),
        (f"{_ROOT};Sampled=0", False),
        (f"{_ROOT};Sampled=?", False),
        (_ROOT, False),
        ("", False),
    ],
)
def test_the_header_says_whether_an_invocation_is_traced(header: str, sampled: bool) -> None:
    assert is_sampled(header) is sampled


def test_an_invocation_that_is_not_sampled_loads_nothing() -> None:
    recorder = Recorder()
    tracing = Tracing("order", environ={"_X_AMZN_TRACE_ID": f"{_ROOT};Sampled=0"}, load=recorder.load)

    with tracing.batch():
        pass

    assert recorder.loaded == 0


def test_the_first_sampled_invocation_loads_the_recorder_and_later_ones_keep_it() -> None:
    recorder = Recorder()
    environ = {"_X_AMZN_TRACE_ID": f"{_ROOT};Sampled=1"}
    tracing = Tracing("order", environ=environ, load=recorder.load)

    with tracing.batch():
        pass
    environ["_X_AMZN_TRACE_ID"] = f"{_ROOT};Sampled=0"
    with tracing.batch():
        pass

    assert recorder.loaded == 1
    assert recorder.subsegments == ["## batch", "## batch"]
