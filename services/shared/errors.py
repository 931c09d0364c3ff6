"""The few ways in which work cannot be finished now. Expected outcomes are values, not errors."""


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


class GatewayUnavailableError(TransientError):
    """The payment gateway gave no usable answer; the charge may or may not have been made."""
