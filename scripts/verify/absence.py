"""Tells what is not there from what cannot be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

_ABSENT: Final = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "NotFoundException",
        "ParameterNotFound",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
    }
)


def unless_absent(what: str, look: Callable[[], str | None]) -> str | None:
    """Return what is wrong with something; that it is not there is wrong, too."""
    try:
        return look()
    except ClientError as error:
        if error.response["Error"]["Code"] in _ABSENT:
            return f"{what} does not exist"
        raise
