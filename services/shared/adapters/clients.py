"""The one place where clients are made, and which decides whether a failed call is tried again."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import botocore
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError  # noqa: A004

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

T = TypeVar("T")

CONCURRENCY = 16
"""Calls in flight at once from one process; the connection pool is as large."""

_TRANSIENT = frozenset(
    {
        "InternalException",
        "InternalFailure",
        "InternalServerError",
        "KMSThrottlingException",
        "KmsThrottled",
        "KMSInternalException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)


class Clients:
    """The AWS clients of one process: one session, each client made when it is first asked for."""

    def __init__(self) -> None:
        # botocore's own: boto3 would bring the S3 transfer machinery along, a third of a cold start.
        self._session = botocore.session.get_session()
        self._config = Config(
            max_pool_connections=CONCURRENCY,
            # Two silent attempts, and the wait between them, take less than a function behind a queue has.
            connect_timeout=1,
            read_timeout=3,
            retries={"mode": "standard", "total_max_attempts": 2},
            # The service checks every request itself; checking it here, too, is a quarter of what a
            # transaction costs us. botocore also makes a user agent of twelve parts for every call,
            # unless it is given one (docs/benchmarks/botocore-overhead.md).
            parameter_validation=False,
            user_agent=f"pulsequeue Botocore/{botocore.__version__}",
        )

    def cloudwatch(self) -> "CloudWatchClient":
        return self._make("cloudwatch", read_timeout=10)  # type: ignore[no-any-return]

    def cognito_idp(self) -> "CognitoIdentityProviderClient":
        return self._make("cognito-idp")  # type: ignore[no-any-return]

    def dynamodb(self) -> "DynamoDBClient":
        return self._make("dynamodb")  # type: ignore[no-any-return]

    def events(self) -> "EventBridgeClient":
        return self._make("events")  # type: ignore[no-any-return]

    def kms(self) -> Any:  # noqa: ANN401 - its stubs are not installed
        return self._make("kms")

    def s3(self) -> "S3Client":
        # Otherwise some regions get links with signatures of version 2, which most regions refuse. Forms name
        # the bucket in its region: pages may send files there alone, and the global name redirects at first.
        hosts = {"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"}
        return self._make("s3", read_timeout=60, signature_version="s3v4", s3=hosts)  # type: ignore[no-any-return]

    def secretsmanager(self) -> "SecretsManagerClient":
        return self._make("secretsmanager")  # type: ignore[no-any-return]

    def sqs(self) -> "SQSClient":
        return self._make("sqs")  # type: ignore[no-any-return]

    def ssm(self) -> "SSMClient":
        return self._make("ssm")  # type: ignore[no-any-return]

    def _make(self, service: str, **options: Any) -> Any:  # noqa: ANN401 - the stubs type boto3's sessions, not botocore's
        # Before each call botocore looks through its arguments for ARNs, to find an endpoint by account. Ours
        # name tables without, and with a hundred actions that is a twentieth of what the call costs us.
        model = self._session.get_component("data_loader").load_service_model(service, "service-2")
        for operation in model["operations"].values():
            operation.pop("operationContextParams", None)
        return self._session.create_client(service, config=self._config.merge(Config(**options)))


def is_transient(error: BotoCoreError | ClientError) -> bool:
    """Tell a call that may go through later from one that never will."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return error.response["Error"]["Code"] in _TRANSIENT or status >= 500  # noqa: PLR2004 - HTTP
    return isinstance(error, (ConnectionError, HTTPClientError))


def in_batches(
    entries: Iterable[T], size: Callable[[T], int], *, most: int = 10, most_bytes: int = 240_000
) -> Iterator[Sequence[T]]:
    """Cut entries into batches within a service's limits of count and bytes for one call."""
    batch: list[T] = []
    weight = 0
    for entry in entries:
        entry_weight = size(entry)
        if batch and (len(batch) == most or weight + entry_weight > most_bytes):
            yield batch
            batch, weight = [], 0
        batch.append(entry)
        weight += entry_weight
    if batch:
        yield batch
