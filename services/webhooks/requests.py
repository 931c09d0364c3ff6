"""The bodies and parameters of the routes of webhooks, and their responses."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from services.shared.events import Identifier
from services.shared.http.params import RequestParams
from services.shared.http.responses import ResponseModel
from services.webhooks.addresses import MAX_URL_LENGTH
from services.webhooks.model import TYPES, Format, Status

_TYPES = tuple(TYPES.values())
_DATE_TIME = Field(json_schema_extra={"format": "date-time"})


def _known(types: tuple[str, ...]) -> tuple[str, ...]:
    if unknown := sorted(set(types) - set(_TYPES)):
        raise ValueError(f"there is no type {', '.join(unknown)}; the types are {', '.join(_TYPES)}")
    return tuple(sorted(set(types)))


Url = Annotated[str, StringConstraints(min_length=1, max_length=MAX_URL_LENGTH)]
Types = Annotated[
    tuple[str, ...],
    Field(
        max_length=100,
        description="The types it hears of; none: all.",
        json_schema_extra={"items": {"enum": list(_TYPES)}},
    ),
    AfterValidator(_known),
]
Description = Annotated[str, StringConstraints(max_length=256)]


class Body(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, defer_build=True
    )


class NewWebhook(Body):
    url: Url
    types: Types = ()
    description: Description = ""
    format: Format = "standard"


class WebhookChange(Body):
    url: Url | None = None
    types: Types | None = None
    description: Description | None = None
    format: Format | None = None
    enabled: bool | None = None


class WebhookParams(RequestParams):
    webhook_id: Annotated[Identifier, Field(alias="webhookId", description="The webhook's id.")]


class LogParams(WebhookParams):
    limit: Annotated[int, Field(ge=1, le=200, description="The most entries to return.")] = 50


class MessageParams(WebhookParams):
    message_id: Annotated[Identifier, Field(alias="messageId", description="The message's id.")]


class WebhookView(ResponseModel):
    id: str
    url: str
    types: list[str]
    description: str
    format: Format
    enabled: bool
    created_at: Annotated[str, _DATE_TIME]
    created_by: str
    failing_since: Annotated[str | None, _DATE_TIME]
    disabled_at: Annotated[str | None, _DATE_TIME]
    disabled_reason: Annotated[
        Literal["gone", "failing"] | None,
        Field(description="`gone`: it answered 410. `failing`: it accepted nothing for a week."),
    ]


class WebhookViews(ResponseModel):
    webhooks: list[WebhookView]


class CreatedWebhook(WebhookView):
    secret: Annotated[str, Field(description="Shown once; verify signatures with it.")]


class NewSecret(ResponseModel):
    secret: Annotated[str, Field(description="Shown once; the one before signs beside it for 24 hours.")]


class QueuedMessage(ResponseModel):
    message_id: str
    type: str


class DeliveryView(ResponseModel):
    message_id: str
    type: str
    timestamp: Annotated[str, _DATE_TIME]
    status: Status
    attempts: int
    last_attempt_at: Annotated[str | None, _DATE_TIME]
    http_status: int | None
    error: Annotated[str | None, Field(description="Why no response came.")]
    request_id: Annotated[str | None, Field(description="`X-Request-Id` of the response.")]
    duration_ms: int | None


class DeliveryLog(ResponseModel):
    deliveries: list[DeliveryView]


class Done(ResponseModel):
    done: Literal[True] = True
