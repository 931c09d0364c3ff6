"""Webhooks over HTTP: who may call what, and how a response looks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel

from services.shared.events import rfc3339
from services.shared.http.app import HttpApi, answer
from services.shared.http.caching import Caching
from services.shared.http.identity import Caller
from services.shared.http.params import NoParams, RequestParams, parse, parse_body
from services.shared.http.problems import WRONG_STATE, ProblemType
from services.shared.http.request import Request
from services.shared.http.responses import ResponseModel
from services.shared.http.roles import ADMINS, EDITORS
from services.shared.http.routes import Route
from services.shared.http.writers import Writers
from services.shared.telemetry import Telemetry
from services.webhooks import requests
from services.webhooks.model import Delivery, Message, Subscription
from services.webhooks.service import EndpointSpec, Webhooks

MAX_BODY_BYTES: Final = 64 * 1_024
DOCUMENT_PATH: Final = "/api/openapi.json"


@dataclass(frozen=True, slots=True)
class Call:
    """One request, checked."""

    caller: Caller
    params: Any
    body: Any

    @property
    def tenant_id(self) -> str:
        return self.caller.tenant_id


@dataclass(frozen=True, kw_only=True)
class WebhookRoute(Route):
    handler: Callable[[Webhooks, Call], ResponseModel]
    params_model: type[RequestParams] = NoParams
    caching: Caching = Caching.NEVER
    roles: Sequence[str] = ADMINS
    conflicts: frozenset[ProblemType] = frozenset({WRONG_STATE})


def _list(webhooks: Webhooks, call: Call) -> ResponseModel:
    return requests.WebhookViews(webhooks=[_view(it) for it in webhooks.all(call.tenant_id)])


def _add(webhooks: Webhooks, call: Call) -> ResponseModel:
    body: requests.NewWebhook = call.body
    spec = EndpointSpec(url=body.url, types=body.types, description=body.description, format=body.format)
    endpoint = webhooks.add(call.tenant_id, call.caller.user_id, spec)
    view = _view(webhooks.one(call.tenant_id, endpoint.id))
    return requests.CreatedWebhook(**view.model_dump(by_alias=False), secret=endpoint.secrets[0].value)


def _show(webhooks: Webhooks, call: Call) -> ResponseModel:
    return _view(webhooks.one(call.tenant_id, call.params.webhook_id))


def _change(webhooks: Webhooks, call: Call) -> ResponseModel:
    fields = call.body.model_dump(exclude_none=True, by_alias=False)
    return _view(webhooks.change(call.tenant_id, call.params.webhook_id, **fields))


def _remove(webhooks: Webhooks, call: Call) -> ResponseModel:
    webhooks.remove(call.tenant_id, call.params.webhook_id)
    return requests.Done()


def _rotate(webhooks: Webhooks, call: Call) -> ResponseModel:
    return requests.NewSecret(secret=webhooks.rotate(call.tenant_id, call.params.webhook_id))


def _test(webhooks: Webhooks, call: Call) -> ResponseModel:
    return _queued(webhooks.test(call.tenant_id, call.params.webhook_id))


def _log(webhooks: Webhooks, call: Call) -> ResponseModel:
    found = webhooks.log(call.tenant_id, call.params.webhook_id, call.params.limit)
    return requests.DeliveryLog(deliveries=[_delivery(it) for it in found])


def _redeliver(webhooks: Webhooks, call: Call) -> ResponseModel:
    params = call.params
    return _queued(webhooks.redeliver(call.tenant_id, params.webhook_id, params.message_id))


def _queued(message: Message) -> requests.QueuedMessage:
    return requests.QueuedMessage(message_id=message.id, type=message.type)


def _view(subscription: Subscription) -> requests.WebhookView:
    endpoint, health = subscription.endpoint, subscription.health
    return requests.WebhookView(
        id=endpoint.id,
        url=endpoint.url,
        types=list(endpoint.types),
        description=endpoint.description,
        format=endpoint.format,
        enabled=subscription.active,
        created_at=rfc3339(endpoint.created_at),
        created_by=endpoint.created_by,
        failing_since=_text(health.failing_since),
        disabled_at=_text(health.disabled_at),
        disabled_reason=health.disabled_reason,
    )


def _delivery(delivery: Delivery) -> requests.DeliveryView:
    return requests.DeliveryView(
        message_id=delivery.message.id,
        type=delivery.message.type,
        timestamp=rfc3339(delivery.message.timestamp),
        status=delivery.status,
        attempts=delivery.attempts,
        last_attempt_at=_text(delivery.last_at),
        http_status=delivery.http_status,
        error=delivery.error,
        request_id=delivery.request_id,
        duration_ms=delivery.duration_ms,
    )


def _text(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None


def _route(  # noqa: PLR0913 - the columns of the table of routes
    method_and_path: str,
    summary: str,
    handler: Callable[[Webhooks, Call], ResponseModel],
    response_model: type[ResponseModel],
    *,
    body: type[BaseModel] | None = None,
    params: type[RequestParams] = requests.WebhookParams,
    roles: Sequence[str] = ADMINS,
    status: int = 200,
) -> WebhookRoute:
    method, _, path = method_and_path.partition(" ")
    return WebhookRoute(
        method=method,
        path=path,
        summary=summary,
        handler=handler,
        response_model=response_model,
        body_model=body,
        params_model=params,
        roles=roles,
        status=status,
    )


# An id may hold any character, a slash among them: the longer paths come first.
ROUTES: Final = (
    _route(
        "POST /api/webhooks/{webhookId}/deliveries/{messageId}/redeliver",
        "Deliver a message again",
        _redeliver,
        requests.QueuedMessage,
        params=requests.MessageParams,
        status=202,
    ),
    _route(
        "GET /api/webhooks/{webhookId}/deliveries",
        "The log of deliveries, the newest first",
        _log,
        requests.DeliveryLog,
        params=requests.LogParams,
        roles=EDITORS,
    ),
    _route(
        "POST /api/webhooks/{webhookId}/secret", "Make a new secret", _rotate, requests.NewSecret, status=201
    ),
    _route(
        "POST /api/webhooks/{webhookId}/test",
        "Send a test message",
        _test,
        requests.QueuedMessage,
        status=202,
    ),
    _route("GET /api/webhooks/{webhookId}", "One webhook", _show, requests.WebhookView, roles=EDITORS),
    _route(
        "PATCH /api/webhooks/{webhookId}",
        "Change a webhook, disable or enable it",
        _change,
        requests.WebhookView,
        body=requests.WebhookChange,
    ),
    _route("DELETE /api/webhooks/{webhookId}", "Delete a webhook", _remove, requests.Done),
    _route(
        "GET /api/webhooks",
        "Webhooks, and how they are doing",
        _list,
        requests.WebhookViews,
        params=NoParams,
        roles=EDITORS,
    ),
    _route(
        "POST /api/webhooks",
        "Add a webhook",
        _add,
        requests.CreatedWebhook,
        body=requests.NewWebhook,
        params=NoParams,
        status=201,
    ),
)


def build(
    webhooks: Webhooks,
    writers: Writers,
    *,
    allowed_origins: Sequence[str],
    clock: Callable[[], datetime],
    telemetry: Telemetry,
) -> HttpApi[WebhookRoute]:
    def handle(route: WebhookRoute, request: Request, path_params: Mapping[str, str]) -> Response[str]:
        caller = writers.identify(route, request.claims, clock().astimezone(UTC))
        params = parse(route.params_model, [*path_params.items(), *request.query])
        body = parse_body(route.body_model, request.json(MAX_BODY_BYTES)) if route.body_model else None
        return answer(route, route.handler(webhooks, Call(caller, params, body)))

    return HttpApi(
        routes=ROUTES,
        handle=handle,
        document_path=DOCUMENT_PATH,
        allowed_origins=allowed_origins,
        clock=clock,
        telemetry=telemetry,
    )
