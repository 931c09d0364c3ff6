"""Commands over HTTP: who may call what, how often, and how a response looks."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel

from services.commands import requests
from services.commands.service import Commands
from services.shared.events import rfc3339
from services.shared.http import problems
from services.shared.http.app import HttpApi, answer
from services.shared.http.caching import Caching
from services.shared.http.identity import Caller
from services.shared.http.params import NoParams, RequestParams, parse, parse_body
from services.shared.http.problems import KEY_REUSED, WRONG_STATE
from services.shared.http.request import Request
from services.shared.http.responses import ResponseModel
from services.shared.http.roles import EDITORS, EVENTS_WRITE, INVENTORY_WRITE, ORDERS_WRITE
from services.shared.http.routes import Route
from services.shared.http.writers import Writers
from services.shared.ledger import Key
from services.shared.telemetry import Telemetry

MAX_BODY_BYTES: Final = 256 * 1_024
DOCUMENT_PATH: Final = "/api/openapi.json"
_KEY: Final = re.compile(r"[\x21-\x7e]{1,128}")


@dataclass(frozen=True, slots=True)
class Command:
    """One request, checked."""

    caller: Caller
    params: Any
    body: Any
    canonical: str
    """The body as text, the same for the same body."""
    idempotency_key: str

    def key(self, name: str) -> Key:
        return Key(self.caller.tenant_id, name)


@dataclass(frozen=True, slots=True)
class Accepted:
    data: ResponseModel
    location: str | None = None


@dataclass(frozen=True, kw_only=True)
class CommandRoute(Route):
    handler: Callable[[Commands, Command], Accepted]
    caching: Caching = Caching.NEVER
    roles: Sequence[str] = EDITORS
    scope: str | None = ORDERS_WRITE
    params_model: type[RequestParams] = NoParams
    method: str = "POST"
    status: int = 202


def _place(commands: Commands, command: Command) -> Accepted:
    body: requests.NewOrder = command.body
    receipt = commands.place(
        command.caller.tenant_id,
        command.idempotency_key,
        body.model_dump(mode="json", by_alias=True, exclude_none=True),
        command.canonical,
    )
    accepted = requests.AcceptedOrder(
        order_id=receipt.key.id, status="RECEIVED", accepted_at=rfc3339(receipt.accepted_at)
    )
    return Accepted(accepted, _order_path(receipt.key.id))


def _cancel(commands: Commands, command: Command) -> Accepted:
    key = command.key(command.params.order_id)
    commands.cancel(key, command.body.reason)
    accepted = requests.AcceptedRequest(order_id=key.id, requested="cancellation")
    return Accepted(accepted, _order_path(key.id))


def _refund(commands: Commands, command: Command) -> Accepted:
    key = command.key(command.params.order_id)
    body: requests.Refund = command.body
    if body.amount_minor is not None and not command.idempotency_key:
        raise problems.no_key()
    commands.refund(
        key,
        command.idempotency_key,
        amount_minor=body.amount_minor,
        restock=body.restock,
        reason=body.reason,
    )
    accepted = requests.AcceptedRequest(order_id=key.id, requested="refund")
    return Accepted(accepted, _order_path(key.id))


def _adjust(commands: Commands, command: Command) -> Accepted:
    change = commands.adjust(command.key(command.params.sku), command.body.delta)
    stock = change.stock
    return Accepted(
        requests.StockLevels(
            sku=stock.key.id,
            stock=stock.stock,
            reserved=stock.reserved,
            available=stock.available,
            published=change.published,
        )
    )


def _publish(commands: Commands, command: Command) -> Accepted:
    body: requests.ShopEvent = command.body
    at = {"occurredAt": body.occurred_at} if body.occurred_at else {}
    event = commands.publish(
        command.caller.tenant_id, command.idempotency_key, body.type, {**at, **body.detail}
    )
    return Accepted(requests.AcceptedEvent(event_id=event.event_id, type=body.type))


def _order_path(order_id: str) -> str:
    return f"/api/orders/{quote(order_id, safe='')}"


_CONFLICT: Final = frozenset({WRONG_STATE})

ROUTES: Final = (
    CommandRoute(
        path="/api/orders",
        summary="Place an order",
        body_model=requests.NewOrder,
        response_model=requests.AcceptedOrder,
        handler=_place,
        needs_key=True,
        located=True,
        conflicts=frozenset({KEY_REUSED}),
    ),
    CommandRoute(
        path="/api/orders/{orderId}/cancel",
        summary="Cancel an order; one that is paid is refunded",
        body_model=requests.Cancellation,
        response_model=requests.AcceptedRequest,
        handler=_cancel,
        params_model=requests.OrderParams,
        located=True,
        conflicts=_CONFLICT,
    ),
    CommandRoute(
        path="/api/orders/{orderId}/refund",
        summary="Refund an order that is paid, or a part of it",
        body_model=requests.Refund,
        response_model=requests.AcceptedRequest,
        handler=_refund,
        params_model=requests.OrderParams,
        takes_key=True,
        located=True,
        conflicts=_CONFLICT | {KEY_REUSED},
    ),
    CommandRoute(
        path="/api/inventory/{sku}/adjust",
        summary="Add units to the stock, or take some",
        body_model=requests.Adjustment,
        response_model=requests.StockLevels,
        handler=_adjust,
        scope=INVENTORY_WRITE,
        params_model=requests.SkuParams,
        status=200,
        conflicts=_CONFLICT,
    ),
    CommandRoute(
        path="/api/events",
        summary="Publish an event of the shop",
        body_model=requests.ShopEvent,
        response_model=requests.AcceptedEvent,
        handler=_publish,
        scope=EVENTS_WRITE,
        needs_key=True,
    ),
)


def build(
    commands: Commands,
    writers: Writers,
    *,
    allowed_origins: Sequence[str],
    clock: Callable[[], datetime],
    telemetry: Telemetry,
) -> HttpApi[CommandRoute]:
    def handle(route: CommandRoute, request: Request, path_params: Mapping[str, str]) -> Response[str]:
        caller = writers.identify(route, request.claims, clock().astimezone(UTC))
        command = _command(route, request, path_params, caller)
        accepted = route.handler(commands, command)
        return answer(route, accepted.data, {"location": accepted.location} if accepted.location else None)

    return HttpApi(
        routes=ROUTES,
        handle=handle,
        document_path=DOCUMENT_PATH,
        allowed_origins=allowed_origins,
        clock=clock,
        telemetry=telemetry,
    )


def _command(
    route: CommandRoute, request: Request, path_params: Mapping[str, str], caller: Caller
) -> Command:
    params = parse(route.params_model, [*path_params.items(), *request.query])
    idempotency_key = request.headers.get("idempotency-key") or ""
    expects_key = route.needs_key or (route.takes_key and bool(idempotency_key))
    if expects_key and not _KEY.fullmatch(idempotency_key):
        raise problems.no_key()
    body = parse_body(route.body_model or BaseModel, request.json(MAX_BODY_BYTES))
    canonical = json.dumps(body.model_dump(mode="json", by_alias=True, exclude_none=True), sort_keys=True)
    return Command(caller, params, body, canonical, idempotency_key)
