"""The few ways in which work cannot be finished now. Expected outcomes are values, not errors."""

from collections.abc import Collection, Mapping
from typing import Any


class PulseQueueError(Exception):
    """Any error that this project raises on purpose."""


class MisconfiguredError(PulseQueueError):
    """The environment a function was given lacks something, or holds something impossible."""


class NotAnSqsEventError(PulseQueueError):
    """A function that lives behind a queue was invoked with something else."""


class TransientError(PulseQueueError):
    """Try again later: nothing is lost, the message goes back to its queue."""


class StoreUnavailableError(TransientError):
    """The database gave no usable answer; the writes may or may not have been applied."""


class IncompleteReadError(StoreUnavailableError):
    """Part of a read failed: `values` has what was read, `unread` the keys that were not."""

    def __init__(self, why: str, values: Mapping[Any, Any], unread: Collection[Any]) -> None:
        super().__init__(why)
        self.values = values
        self.unread = frozenset(unread)


class GatewayUnavailableError(TransientError):
    """The payment gateway gave no usable answer; the charge may or may not have been made."""
