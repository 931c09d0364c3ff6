"""An environment, local or on AWS: its names and its AWS clients."""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, overload

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from scripts.common.errors import ToolError
from scripts.environment.local_state import StackState, home_folder
from scripts.environment.topology import Names, Topology

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_apigatewayv2 import ApiGatewayV2Client
    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_sts import STSClient

LOCAL = "local"

_CONFIG = Config(
    connect_timeout=5,
    read_timeout=30,
    max_pool_connections=50,
    retries={"mode": "standard", "total_max_attempts": 4},
)
_LAMBDA_CONFIG = _CONFIG.merge(Config(read_timeout=910, tcp_keepalive=True))
"""A function may run for 15 minutes; a client that times out earlier would invoke it a second time."""


class _TypedClients(ABC):
    """Typed overloads of `client` for each service."""

    @overload
    def client(self, service: Literal["apigatewayv2"]) -> ApiGatewayV2Client: ...
    @overload
    def client(self, service: Literal["cloudfront"]) -> CloudFrontClient: ...
    @overload
    def client(self, service: Literal["cloudwatch"]) -> CloudWatchClient: ...
    @overload
    def client(self, service: Literal["cognito-idp"]) -> CognitoIdentityProviderClient: ...
    @overload
    def client(self, service: Literal["dynamodb"]) -> DynamoDBClient: ...
    @overload
    def client(self, service: Literal["events"]) -> EventBridgeClient: ...
    @overload
    def client(self, service: Literal["iam"]) -> IAMClient: ...
    @overload
    def client(self, service: Literal["kms"]) -> Any: ...  # noqa: ANN401 -- its stubs are not installed
    @overload
    def client(self, service: Literal["lambda"]) -> LambdaClient: ...
    @overload
    def client(self, service: Literal["logs"]) -> CloudWatchLogsClient: ...
    @overload
    def client(self, service: Literal["rds"]) -> Any: ...  # noqa: ANN401 -- its stubs are not installed
    @overload
    def client(self, service: Literal["s3"]) -> S3Client: ...
    @overload
    def client(self, service: Literal["scheduler"]) -> EventBridgeSchedulerClient: ...
    @overload
    def client(self, service: Literal["secretsmanager"]) -> SecretsManagerClient: ...
    @overload
    def client(self, service: Literal["sns"]) -> Any: ...  # noqa: ANN401 -- its stubs are not installed
    @overload
    def client(self, service: Literal["sqs"]) -> SQSClient: ...
    @overload
    def client(self, service: Literal["ssm"]) -> SSMClient: ...
    @overload
    def client(self, service: Literal["sts"]) -> STSClient: ...
    def client(self, service: Any) -> Any:
        """Return the one client of this service; threads may share it."""
        return self._client(service)

    @abstractmethod
    def _client(self, service: Any) -> Any: ...  # noqa: ANN401 -- `client` has the types


class Clients(_TypedClients):
    """AWS clients of one session, each created once, on first use."""

    def __init__(self, session: boto3.Session, *, endpoint: str | None = None) -> None:
        self._session = session
        self._endpoint = endpoint
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    @property
    def region(self) -> str:
        return self._session.region_name

    def _client(self, service: Any) -> Any:  # noqa: ANN401 -- `client` has the types
        # Clients are thread-safe; creating one is not.
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._session.client(
                    service,
                    endpoint_url=self._endpoint,
                    config=_LAMBDA_CONFIG if service == "lambda" else _CONFIG,
                )
            return self._clients[service]

    @classmethod
    def of_emulator(cls, endpoint: str, region: str, access_key_id: str, secret_access_key: str) -> Clients:
        session = boto3.Session(
            aws_access_key_id=access_key_id, aws_secret_access_key=secret_access_key, region_name=region
        )
        return cls(session, endpoint=endpoint)

    @classmethod
    def of_state(cls, state: StackState) -> Clients:
        return cls.of_emulator(state.aws_endpoint, state.region, state.access_key_id, state.secret_access_key)


@dataclass(frozen=True)
class Environment(_TypedClients):
    name: str
    topology: Topology
    clients: Clients
    _queue_urls: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def names(self) -> Names:
        return Names(self.name)

    @property
    def region(self) -> str:
        return self.clients.region

    @property
    def is_local(self) -> bool:
        return self.name == LOCAL

    def _client(self, service: Any) -> Any:  # noqa: ANN401 -- `client` has the types
        return self.clients.client(service)

    def queue_url(self, function: str) -> str:
        self.topology.consumer(function)
        return self._url(self.names.queue(function))

    def dead_letter_url(self, function: str) -> str:
        self.topology.consumer(function)
        return self._url(self.names.dead_letter_queue(function))

    def _url(self, queue: str) -> str:
        if queue not in self._queue_urls:
            sqs = self.client("sqs")
            try:
                self._queue_urls[queue] = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
            except sqs.exceptions.QueueDoesNotExist:
                raise ToolError(
                    f"queue {queue} does not exist in {self.region}; deploy {self.name} first."
                ) from None
            except (BotoCoreError, ClientError) as error:
                raise ToolError(f"queue {queue} could not be looked up: {error}") from error
        return self._queue_urls[queue]


def open_environment(name: str, *, home: Path | None = None) -> Environment:
    """Open an environment by name; `local` is the stack that `make up` runs on this machine."""
    topology = Topology.load()
    if name == LOCAL:
        state = StackState.read(home or home_folder())
        if state is None:
            raise ToolError("the local stack is not running; start it with `make up`.")
        return Environment(name, topology, Clients.of_state(state))
    try:
        # Terraform and Lambda use AWS_REGION; boto3 itself reads AWS_DEFAULT_REGION only.
        session = boto3.Session(region_name=os.environ.get("AWS_REGION") or None)
    except BotoCoreError as error:
        raise ToolError(f"AWS is not configured for {name}: {error}") from error
    if session.region_name is None:
        raise ToolError(f"no AWS region is set for {name}; set AWS_REGION or choose a profile.")
    return Environment(name, topology, Clients(session))
