"""A rate limiter on the console's table: one conditional update for a caller within the limit."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from services.shared.adapters.clients import is_transient
from services.shared.errors import StoreUnavailableError
from services.shared.rate_limit import Rate, next_arrival, seconds_until_allowed

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_TRIES: Final = 5
_KEPT_SECONDS: Final = 86_400


class DynamoDBRateLimiter:
    """Implements `services.shared.rate_limit.RateLimiter`."""

    def __init__(self, client: "DynamoDBClient", table: str, rate: Rate, clock: Callable[[], float]) -> None:
        self._client = client
        self._table = table
        self._rate = rate
        self._clock = clock

    def seconds_to_wait(self, tenant_id: str, caller: str) -> int:
        key = {"pk": {"S": f"rate#{tenant_id}#{caller}"}, "sk": {"S": "rate"}}
        known: int | None = None
        for _ in range(_TRIES):
            now = int(self._clock() * 1_000)
            following = next_arrival(known, now, self._rate)
            if following is None:
                return seconds_until_allowed(known or now, now, self._rate)
            found = self._replace(key, known, following, now)
            if found is None:
                return 0
            known = found
        # As many requests at once as tries: the caller is in a hurry.
        return 1

    def _replace(self, key: dict[str, Any], known: int | None, following: int, now: int) -> int | None:
        """Store the next arrival time if nothing changed; returns the time that is there instead."""
        condition = (
            "attribute_not_exists(tat) OR tat < :now" if known is None or known < now else "tat = :known"
        )
        values = {":next": {"N": str(following)}, ":expires": {"N": str(now // 1_000 + _KEPT_SECONDS)}}
        values |= {":known": {"N": str(known)}} if condition == "tat = :known" else {":now": {"N": str(now)}}
        try:
            self._client.update_item(
                TableName=self._table,
                Key=key,
                UpdateExpression="SET tat = :next, expiresAt = :expires",
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                response: Any = error.response
                return int(response["Item"]["tat"]["N"]) if "Item" in response else now
            raise _unavailable(error) from error
        except BotoCoreError as error:
            raise _unavailable(error) from error
        return None


def _unavailable(error: ClientError | BotoCoreError) -> Exception:
    return StoreUnavailableError(f"rate limit: {error}") if is_transient(error) else error
