"""A rate limiter on the console's table: one conditional update for a caller at rest, two within a burst."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from services.shared.adapters.clients import is_transient
from services.shared.errors import StoreUnavailableError
from services.shared.rate_limit import Rate, next_arrival, seconds_until_allowed

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_TRIES: Final = 5
_LIFETIME_SECONDS: Final = 86_400


class DynamoDBRateLimiter:
    """Implements `services.shared.rate_limit.RateLimiter`."""

    def __init__(self, client: "DynamoDBClient", table: str, rate: Rate, clock: Callable[[], float]) -> None:
        self._client = client
        self._table = table
        self._rate = rate
        self._clock = clock

    def seconds_to_wait(self, tenant_id: str, caller: str) -> int:
        key = {"pk": {"S": f"rate#{tenant_id}#{caller}"}, "sk": {"S": "rate"}}
        for _ in range(_TRIES):
            now = int(self._clock() * 1_000)
            # Neither update depends on the value it replaces: requests at once do not fail for each other.
            for update in (self._begin, self._advance):
                arrival = update(key, now)
                if arrival is None:
                    return 0
                if next_arrival(arrival, now, self._rate) is None:
                    return seconds_until_allowed(arrival, now, self._rate)
        # The clocks of two functions differ, and each undid what the other saw.
        return 1

    def _begin(self, key: dict[str, Any], now: int) -> int | None:
        """Count a request of a caller at rest; returns the next arrival time of one that is not."""
        return self._update(
            key,
            now,
            "SET tat = :next, expiresAt = :expires",
            "attribute_not_exists(tat) OR tat < :now",
            {":next": now + self._rate.interval_ms, ":now": now},
        )

    def _advance(self, key: dict[str, Any], now: int) -> int | None:
        """Count a request of a caller within the burst; returns the next arrival time of one that is not."""
        return self._update(
            key,
            now,
            "SET tat = tat + :interval, expiresAt = :expires",
            "tat BETWEEN :now AND :latest",
            {
                ":interval": self._rate.interval_ms,
                ":now": now,
                ":latest": now + self._rate.tolerance_ms,
            },
        )

    def _update(
        self, key: dict[str, Any], now: int, update: str, condition: str, values: Mapping[str, int]
    ) -> int | None:
        """Store the next arrival time; returns the time that is there if the condition does not hold."""
        numbers = {**values, ":expires": now // 1_000 + _LIFETIME_SECONDS}
        try:
            self._client.update_item(
                TableName=self._table,
                Key=key,
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeValues={name: {"N": str(it)} for name, it in numbers.items()},
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
