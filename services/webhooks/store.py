"""Endpoints, their health and their logs as items of the table `{env}-pulsequeue-webhooks`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from services.shared.console import ABSENT, NEW, Console, Delete, Item, Put
from services.shared.events import rfc3339
from services.shared.membership import org_key
from services.webhooks.model import HEALTHY, Delivery, Endpoint, Health, Message, Secret, Subscription

LOG_LIFETIME: Final = timedelta(days=30)
_ENDPOINT: Final = "endpoint#"
_HEALTH: Final = "#health"


@dataclass(frozen=True, slots=True)
class WebhookStore:
    table: Console

    def subscriptions(self, tenant_id: str) -> Sequence[Subscription]:
        return _subscriptions(self.table.list(org_key(tenant_id), _ENDPOINT))

    def subscription(self, tenant_id: str, endpoint_id: str) -> Subscription | None:
        found = _subscriptions(self.table.list(org_key(tenant_id), f"{_ENDPOINT}{endpoint_id}"))
        return next((it for it in found if it.endpoint.id == endpoint_id), None)

    def create(self, endpoint: Endpoint) -> None:
        self.table.write(Put(_endpoint_item(endpoint), NEW))

    def replace(self, endpoint: Endpoint) -> bool:
        """Replace an endpoint that is unchanged since it was read; returns False if it is not."""
        item = {**_endpoint_item(endpoint), "revision": endpoint.revision + 1}
        return self.table.write(Put(item, {"revision": endpoint.revision}))

    def remove(self, endpoint: Endpoint) -> None:
        """Remove an endpoint; its log expires."""
        pk, sk = org_key(endpoint.tenant_id), f"{_ENDPOINT}{endpoint.id}"
        self.table.write(Delete(pk, sk), Delete(pk, f"{sk}{_HEALTH}"))

    def set_health(self, endpoint: Endpoint, health: Health) -> None:
        self.table.write(Put(_health_item(endpoint, health)))

    def change_health(self, endpoint: Endpoint, before: Health, after: Health) -> bool:
        """Set the health if nobody has changed it since; returns False if somebody has."""
        known = _health_item(endpoint, before)
        condition = {name: ABSENT if known[name] is None else known[name] for name in ("failures", "retryAt")}
        return self.table.write(Put(_health_item(endpoint, after), condition))

    def record(self, delivery: Delivery, now: datetime, *, after: Delivery | None) -> bool:
        """Write the entry of a message over the one before; returns False if that is another one."""
        message = delivery.message
        item = {
            "pk": _log(message.tenant_id, message.endpoint_id),
            "sk": _entry(message),
            "message": message.model_dump_json(exclude={"attempts", "by_hand", "moved_at"}),
            "status": delivery.status,
            "attempts": delivery.attempts,
            "lastAt": _text(delivery.last_at),
            "httpStatus": delivery.http_status,
            "error": delivery.error,
            "requestId": delivery.request_id,
            "durationMs": delivery.duration_ms,
            "expiresAt": int((now + LOG_LIFETIME).timestamp()),
        }
        condition = {"status": after.status, "attempts": after.attempts} if after else NEW
        return self.table.write(Put(item, condition))

    def recorded(self, message: Message) -> Delivery | None:
        found = self.table.list(_log(message.tenant_id, message.endpoint_id), _entry(message))
        return _delivery(found[0]) if found else None

    def log(self, tenant_id: str, endpoint_id: str, most: int) -> Sequence[Delivery]:
        """Return the newest entries, by the time of what they tell of."""
        return [_delivery(it) for it in self.table.newest(_log(tenant_id, endpoint_id), most)]


def _log(tenant_id: str, endpoint_id: str) -> str:
    return f"log#{tenant_id}#{endpoint_id}"


def _entry(message: Message) -> str:
    return f"{rfc3339(message.timestamp)}#{message.id}"


def _endpoint_item(endpoint: Endpoint) -> Item:
    return {
        "pk": org_key(endpoint.tenant_id),
        "sk": f"{_ENDPOINT}{endpoint.id}",
        "url": endpoint.url,
        "types": list(endpoint.types),
        "description": endpoint.description,
        "format": endpoint.format,
        "enabled": endpoint.enabled,
        "secrets": [{"value": it.value, "expiresAt": _text(it.expires_at)} for it in endpoint.secrets],
        "createdAt": rfc3339(endpoint.created_at),
        "createdBy": endpoint.created_by,
        "revision": endpoint.revision,
    }


def _health_item(endpoint: Endpoint, health: Health) -> Item:
    return {
        "pk": org_key(endpoint.tenant_id),
        "sk": f"{_ENDPOINT}{endpoint.id}{_HEALTH}",
        "failures": health.failures,
        "failingSince": _text(health.failing_since),
        "retryAt": _text(health.retry_at),
        "quickAnswersDue": health.quick_answers_due,
        "disabledAt": _text(health.disabled_at),
        "disabledReason": health.disabled_reason,
    }


def _subscriptions(items: Sequence[Item]) -> list[Subscription]:
    health = {it["sk"].removesuffix(_HEALTH): _health(it) for it in items if it["sk"].endswith(_HEALTH)}
    return [
        Subscription(_endpoint(it), health.get(it["sk"], HEALTHY))
        for it in items
        if not it["sk"].endswith(_HEALTH)
    ]


def _endpoint(item: Item) -> Endpoint:
    return Endpoint(
        tenant_id=item["pk"].removeprefix(org_key("")),
        id=item["sk"].removeprefix(_ENDPOINT),
        url=item["url"],
        types=tuple(item["types"]),
        description=item["description"],
        format=item["format"],
        enabled=item["enabled"],
        secrets=tuple(Secret(it["value"], _moment(it.get("expiresAt"))) for it in item["secrets"]),
        created_at=datetime.fromisoformat(item["createdAt"]),
        created_by=item["createdBy"],
        revision=item["revision"],
    )


def _health(item: Item) -> Health:
    return Health(
        failures=item["failures"],
        failing_since=_moment(item.get("failingSince")),
        retry_at=_moment(item.get("retryAt")),
        quick_answers_due=item["quickAnswersDue"],
        disabled_at=_moment(item.get("disabledAt")),
        disabled_reason=item.get("disabledReason"),
    )


def _delivery(item: Item) -> Delivery:
    optional: dict[str, Any] = {
        "http_status": item.get("httpStatus"),
        "error": item.get("error"),
        "request_id": item.get("requestId"),
        "duration_ms": item.get("durationMs"),
    }
    return Delivery(
        message=Message.model_validate_json(item["message"]),
        status=item["status"],
        attempts=item["attempts"],
        last_at=_moment(item.get("lastAt")),
        **optional,
    )


def _text(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None
