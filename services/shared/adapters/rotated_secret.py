"""A secret in the parameter store that is rotated without a deployment."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

REREAD_SECONDS: Final = 60.0
"""`pulsequeue secrets rotate` waits longer than this before it uses what it has written."""


def rotated_secret(client: "SSMClient", parameter: str, clock: Callable[[], float]) -> Callable[[], str]:
    """Return a reader that reads again every minute, and keeps what it knows while that fails."""
    value, read_at = "", float("-inf")

    def current() -> str:
        nonlocal value, read_at
        now = clock()
        if now - read_at >= REREAD_SECONDS:
            try:
                value = client.get_parameter(Name=parameter, WithDecryption=True)["Parameter"]["Value"]
            except (ClientError, BotoCoreError):
                if not value:
                    raise
            read_at = now
        return value

    return current
