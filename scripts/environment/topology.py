"""infra/functions.yaml, read and validated, and the resource names derived from it.

The local stack, the command line and the Terraform parity test all take their names from here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from scripts.common.errors import ToolError
from scripts.common.project_files import project_file
from services.shared import events
from services.shared.messages import RECEIVED_AT_ONCE

TABLE_OF_FUNCTIONS = project_file("infra/functions.yaml")
_YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The parser in C where PyYAML was built with it: each command reads this file."""

MAX_DELAY_SECONDS = 900
"""The longest delay of SQS."""

Right = Literal["read", "list", "scan", "write", "update", "delete"]
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,23}$")]
Route = Annotated[str, Field(pattern=r"^(GET|POST|PUT|PATCH|DELETE) /[a-zA-Z0-9/{}._+-]*$")]
"""Every route names its method: with ANY, API Gateway asks browsers' preflight requests for a token."""
SocketRoute = Annotated[str, Field(pattern=r"^(\$connect|\$disconnect|\$default|[a-z][a-zA-Z0-9]{0,31})$")]
DatabaseRole = Literal["owner", "projector", "api"]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Settings(_Section):
    hold_seconds: int = Field(ge=1, le=MAX_DELAY_SECONDS)
    max_receives: int = Field(ge=1, le=1_000)
    retention_days: int = Field(ge=1, le=14)
    archive_days: int = Field(ge=1)
    log_days: int = Field(ge=1)
    stale_seconds: int = Field(ge=1)


class Table(_Section):
    key: str = Field(min_length=1)
    sort: str | None = Field(default=None, min_length=1)
    """The sort key."""
    ttl: str | None = Field(default=None, min_length=1)
    """The attribute with the time, in seconds, after which an item may be deleted."""
    stream: bool = False
    """Whether changes are published to a stream, with the item before and after."""


class Bucket(_Section):
    notifies: Slug | None = None
    """The function whose queue hears of each upload."""
    expire_days: int | None = Field(default=None, ge=1)


class Function(_Section):
    """What every function has, whatever triggers it."""

    description: str = Field(min_length=1, max_length=256)
    handler: str = Field(pattern=r"^services(\.[a-z_]+){3,}$")
    memory_mb: int = Field(ge=128, le=10_240)
    timeout_seconds: int = Field(ge=1, le=900)
    tables: Mapping[str, tuple[Right, ...]] = Field(default_factory=dict)
    buckets: Mapping[str, tuple[Literal["read", "write", "delete"], ...]] = Field(default_factory=dict)
    scratch_mb: int = Field(ge=512, le=10_240, default=512)
    publishes: bool = False
    reads_metrics: bool = False
    sends_to: tuple[Slug, ...] = ()
    """Functions whose queue it sends messages to."""
    manages_users: bool = False
    """Whether it creates and deletes users of the user pool."""
    signs_in: bool = False
    """Whether it is the OAuth client of the user pool."""
    database: DatabaseRole | None = None
    """The database role it connects as."""
    secrets: tuple[Slug, ...] = ()


class Consumer(Function):
    """A function that consumes its own queue: what a rule of the bus sends there."""

    subscriptions: tuple[str, ...] = Field(min_length=1)
    replayed: bool = True
    """Whether a replay of archived events includes it when no consumer is named."""
    delay: int | Literal["hold"] = Field(default=0, alias="delaySeconds")
    batch_size: int = Field(ge=1, le=10_000)
    batch_window_seconds: int = Field(ge=0, le=300)
    maximum_concurrency: int = Field(ge=2, le=1_000)

    @model_validator(mode="after")
    def _can_be_deployed(self) -> Self:
        unknown = [name for name in self.subscriptions if events.by_name(name) is None]
        if unknown:
            raise ValueError(f"subscribes to {', '.join(unknown)}, which is not an event")
        if isinstance(self.delay, int) and not 0 <= self.delay <= MAX_DELAY_SECONDS:
            raise ValueError(f"delaySeconds must be `hold` or 0 to {MAX_DELAY_SECONDS}")
        return self

    @property
    def handed_over(self) -> int:
        """The most messages that Lambda hands over at once; the function receives the rest itself."""
        return self.batch_size if self.batch_window_seconds else min(self.batch_size, RECEIVED_AT_ONCE)

    @property
    def visibility_timeout_seconds(self) -> int:
        """AWS's recommendation: six times the function's timeout, plus the batch window."""
        return 6 * self.timeout_seconds + self.batch_window_seconds

    @property
    def rule_pattern(self) -> dict[str, list[Any]]:
        """Match by event name: outside publishers choose their source. Replays use their own queues."""
        return {"detail-type": list(self.subscriptions), "replay-name": [{"exists": False}]}

    def delay_seconds(self, hold_seconds: int) -> int:
        return hold_seconds if self.delay == "hold" else self.delay

    def max_receives(self, settings: Settings) -> int:
        return settings.max_receives


class QueueSpec(_Section):
    max_receives: int = Field(ge=1, le=1_000)
    max_wait_seconds: int = Field(default=600, ge=60, le=604_800)


class Worker(Consumer):
    """A function that consumes its own queue: what functions with `sendsTo` send there."""

    subscriptions: tuple[str, ...] = Field(default=(), max_length=0)
    queue: QueueSpec

    def max_receives(self, settings: Settings) -> int:  # noqa: ARG002 - its queue has its own
        return self.queue.max_receives


class Scheduled(Function):
    """A function that runs on a schedule."""

    schedule: str = Field(pattern=r"^rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minutes|hours|days))\)$")
    reserved_concurrency: int | None = Field(default=None, ge=1)


class Endpoint(Function):
    """A function that serves HTTP routes."""

    routes: tuple[Route, ...] = Field(min_length=1)
    callers: Literal["users", "anyone"] = "anyone"
    """`users`: the API verifies tokens of the user pool; `anyone`: the function authorizes callers itself."""
    requests_per_second: int | None = Field(default=None, ge=1)
    """Of each route, on AWS; None for the limit of all routes."""
    reserved_concurrency: int | None = Field(default=None, ge=1)


class PoolTrigger(Function):
    """A function that the user pool invokes."""

    user_pool: Literal["preTokenGeneration"]


class StreamConsumer(Function):
    """A function that receives the changes of a table, in the order of each item."""

    stream: Slug
    """The table."""
    partitions: tuple[str, ...] = Field(min_length=1)
    """Beginnings of the partition key; changes of other items are left out, and cost nothing."""
    batch_size: int = Field(ge=1, le=10_000)
    tries: int = Field(ge=1, le=100)
    """How often a batch is tried, each time halved, before it goes to the dead-letter queue."""


class Socket(Function):
    """A function that serves a WebSocket API: connections, and messages by their `action`."""

    socket: tuple[SocketRoute, ...] = Field(min_length=1)
    authorizer: Slug
    """The function that admits connections by the ticket in their address."""


class SocketAuthorizer(Function):
    """A function that the WebSocket API asks whether a connection may be opened."""

    admits: Literal["sockets"]


class Task(Function):
    """A function that an operator, a deployment or the topic of alarms invokes."""

    invoked_by: Literal["operators", "alarms"]


_TRIGGERS = {
    "queue": "queue",
    "subscriptions": "subscriptions",
    "schedule": "schedule",
    "routes": "routes",
    "userPool": "user_pool",
    "stream": "stream",
    "socket": "socket",
    "admits": "admits",
    "invokedBy": "invoked_by",
}
"""The field that tells the kind of a function: its name in the file, and in the models."""


def _trigger(function: Any) -> str | None:  # noqa: ANN401 -- YAML
    """Return the trigger of a function; None if it has none, or several."""
    if isinstance(function, Function):
        return next(name for name, attribute in _TRIGGERS.items() if hasattr(function, attribute))
    triggers = [name for name in _TRIGGERS if isinstance(function, dict) and name in function]
    return triggers[0] if len(triggers) == 1 else None


AnyFunction = Annotated[
    Annotated[Consumer, Tag("subscriptions")]
    | Annotated[Worker, Tag("queue")]
    | Annotated[Scheduled, Tag("schedule")]
    | Annotated[Endpoint, Tag("routes")]
    | Annotated[PoolTrigger, Tag("userPool")]
    | Annotated[StreamConsumer, Tag("stream")]
    | Annotated[Socket, Tag("socket")]
    | Annotated[SocketAuthorizer, Tag("admits")]
    | Annotated[Task, Tag("invokedBy")],
    Discriminator(
        _trigger,
        custom_error_type="trigger",
        custom_error_message=f"needs exactly one of {', '.join(_TRIGGERS)}",
    ),
]


class Topology(_Section):
    """The content of infra/functions.yaml."""

    settings: Settings
    functions: Mapping[Slug, AnyFunction] = Field(min_length=1)
    tables: Mapping[Slug, Table]
    buckets: Mapping[Slug, Bucket] = Field(default_factory=dict)

    @property
    def consumers(self) -> Mapping[str, Consumer]:
        return {name: it for name, it in self.functions.items() if isinstance(it, Consumer)}

    @property
    def workers(self) -> Mapping[str, Worker]:
        return {name: it for name, it in self.functions.items() if isinstance(it, Worker)}

    @property
    def scheduled(self) -> Mapping[str, Scheduled]:
        return {name: it for name, it in self.functions.items() if isinstance(it, Scheduled)}

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        return {name: it for name, it in self.functions.items() if isinstance(it, Endpoint)}

    @property
    def pool_triggers(self) -> Mapping[str, PoolTrigger]:
        return {name: it for name, it in self.functions.items() if isinstance(it, PoolTrigger)}

    @property
    def tasks(self) -> Mapping[str, Task]:
        return {name: it for name, it in self.functions.items() if isinstance(it, Task)}

    @model_validator(mode="after")
    def _tables_exist(self) -> Self:
        for name, function in self.functions.items():
            missing = sorted(set(function.tables) - set(self.tables))
            if missing:
                raise ValueError(f"function {name} uses table {', '.join(missing)}, which is not listed")
        return self

    @model_validator(mode="after")
    def _buckets_exist(self) -> Self:
        for name, function in self.functions.items():
            missing = sorted(set(function.buckets) - set(self.buckets))
            if missing:
                raise ValueError(f"function {name} uses bucket {', '.join(missing)}, which is not listed")
        for name, bucket in self.buckets.items():
            if bucket.notifies is not None and bucket.notifies not in self.workers:
                raise ValueError(
                    f"bucket {name} notifies {bucket.notifies}, which is no function with `queue`"
                )
        return self

    @model_validator(mode="after")
    def _messages_have_a_queue(self) -> Self:
        for name, function in self.functions.items():
            for other in function.sends_to:
                if other not in self.workers and other != name:
                    raise ValueError(
                        f"function {name} sends to {other}, neither itself nor a function with `queue`"
                    )
        return self

    @model_validator(mode="after")
    def _streams_are_of_tables_that_have_one(self) -> Self:
        for name, it in self.functions.items():
            if isinstance(it, StreamConsumer) and not getattr(self.tables.get(it.stream), "stream", False):
                raise ValueError(f"function {name} consumes the stream of table {it.stream}, which has none")
        return self

    @model_validator(mode="after")
    def _sockets_have_an_authorizer(self) -> Self:
        sockets = {name: it for name, it in self.functions.items() if isinstance(it, Socket)}
        for name, it in sockets.items():
            if not isinstance(self.functions.get(it.authorizer), SocketAuthorizer):
                raise ValueError(  # noqa: TRY004 - pydantic reports these
                    f"socket {name} needs an authorizer: a function with `admits: sockets`"
                )
            if "$connect" not in it.socket:
                raise ValueError(f"socket {name} needs the route $connect, where callers are admitted")
        if len(sockets) > 1:
            raise ValueError(f"only one function can serve the socket, not {', '.join(sockets)}")
        return self

    @property
    def cors_methods(self) -> Sequence[str]:
        """The methods of the routes that pages of other origins may call."""
        return sorted(
            {
                route.partition(" ")[0]
                for it in self.endpoints.values()
                if it.callers == "users"
                for route in it.routes
            }
        )

    @model_validator(mode="after")
    def _routes_lead_to_one_function(self) -> Self:
        owners: dict[str, str] = {}
        for name, endpoint in self.endpoints.items():
            for route in endpoint.routes:
                if (other := owners.setdefault(route, name)) != name:
                    raise ValueError(f"route {route} leads to both {other} and {name}")
        return self

    @classmethod
    def load(cls, path: Path = TABLE_OF_FUNCTIONS) -> Self:
        """Read and validate the file."""
        try:
            return cls.model_validate(yaml.load(path.read_text(encoding="utf-8"), _YAML))  # noqa: S506 - a safe loader
        except OSError as error:
            raise ToolError(f"{path} cannot be read: {error.strerror}.") from error
        except yaml.YAMLError as error:
            raise ToolError(f"{path} is not YAML: {' '.join(str(error).split())}.") from error
        except ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(_path(fault['loc'])) or 'file'}: {fault['msg']}" for fault in error.errors()
            )
            raise ToolError(f"{path} is invalid: {faults}.") from error

    def function(self, name: str) -> Function:
        try:
            return self.functions[name]
        except KeyError:
            known = ", ".join(self.functions)
            raise ToolError(f"function {name!r} not found; known functions: {known}.") from None

    def consumer(self, name: str) -> Consumer:
        """Return a function that has a queue."""
        consumers = self.consumers
        try:
            return consumers[name]
        except KeyError:
            problem = (
                f"function {name} has no queue" if name in self.functions else f"function {name!r} not found"
            )
            raise ToolError(f"{problem}; functions with a queue: {', '.join(consumers)}.") from None


def _path(location: tuple[int | str, ...]) -> list[str]:
    """Return the path of a fault, without the tag that pydantic adds after the function's name."""
    inside_function = location[:1] == ("functions",) and len(location) > 2 and location[2] in _TRIGGERS  # noqa: PLR2004
    return [str(step) for step in (location[:2] + location[3:] if inside_function else location)]


@dataclass(frozen=True, slots=True)
class Names:
    """The resource names of one environment."""

    env: str

    @property
    def prefix(self) -> str:
        return f"{self.env}-pulsequeue"

    @property
    def bus(self) -> str:
        return self.prefix

    @property
    def archive(self) -> str:
        return self.prefix

    @property
    def metrics_namespace(self) -> str:
        return self.prefix

    @property
    def operations_log_group(self) -> str:
        """The log group of operators' actions."""
        return f"/pulsequeue/{self.env}/operations"

    @property
    def alarm_topic(self) -> str:
        return f"{self.prefix}-alarms"

    def table(self, table: str) -> str:
        return f"{self.prefix}-{table}"

    @property
    def inventory_table(self) -> str:
        return self.table("inventory")

    @property
    def orders_table(self) -> str:
        return self.table("orders")

    def function(self, function: str) -> str:
        return f"{self.prefix}-{function}"

    def role(self, function: str) -> str:
        return self.function(function)

    def rule(self, function: str) -> str:
        return self.function(function)

    def queue(self, function: str) -> str:
        return self.function(function)

    def dead_letter_queue(self, function: str) -> str:
        return f"{self.function(function)}-dlq"

    def log_group(self, function: str) -> str:
        return f"/aws/lambda/{self.function(function)}"

    def schedule(self, function: str) -> str:
        return self.function(function)

    @property
    def api(self) -> str:
        return self.prefix

    @property
    def socket(self) -> str:
        """The WebSocket API."""
        return f"{self.prefix}-socket"

    @property
    def user_pool(self) -> str:
        return self.prefix

    @property
    def site(self) -> str:
        """The distribution of the console, and what belongs to it."""
        return self.prefix

    def bucket(self, bucket: str, account: str) -> str:
        """Names of buckets are unique across all accounts."""
        return f"{self.prefix}-{bucket}-{account}"

    def site_bucket(self, account: str) -> str:
        """The bucket of the console's files."""
        return self.bucket("site", account)

    @property
    def oauth_client_secret(self) -> str:
        """The SSM parameter with the secret of the user pool's OAuth client."""
        return self.secret("oauth-client-secret")

    @property
    def database_secret(self) -> str:
        """The secret with the credentials of the database administrator."""
        return f"{self.prefix}-database"

    def secret(self, secret: str) -> str:
        """Return the name of the SSM parameter of a secret."""
        return f"/{self.prefix}/{secret}"
