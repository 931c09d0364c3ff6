"""The commands' API over fakes, called as the gateway would."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from services.commands.api import build
from services.commands.service import Commands
from services.shared.console import Put
from services.shared.events import Event
from services.shared.http.writers import Writers
from services.shared.ledger import Key, Price, Stock
from services.shared.membership import ConsoleMemberships, Membership, membership_item
from services.shared.rate_limit import Rate, next_arrival, seconds_until_allowed
from services.shared.receipts import Receipts
from tests.support.console import MemoryConsole
from tests.support.fakes import START, ManualClock, MemoryStore, RecordingTelemetry

ORDER: Mapping[str, Any] = {"customerId": "ann", "items": [{"sku": "prod-001", "quantity": 2}]}
RATE = Rate(per_second=20, burst=100)


class RecordingBus:
    """A bus that keeps what it accepts; `down` makes it refuse."""

    def __init__(self) -> None:
        self.published: list[Event] = []
        self.down = False

    def publish(self, events: Sequence[Event]) -> Collection[Event]:
        if self.down:
            return list(events)
        self.published += events
        return []


class MemoryRateLimiter:
    def __init__(self, clock: ManualClock, rate: Rate = RATE) -> None:
        self._clock = clock
        self._rate = rate
        self._arrivals: dict[tuple[str, str], int] = {}

    def seconds_to_wait(self, tenant_id: str, caller: str) -> int:
        now = int(self._clock().timestamp() * 1_000)
        known = self._arrivals.get((tenant_id, caller))
        following = next_arrival(known, now, self._rate)
        if following is None:
            return seconds_until_allowed(known or now, now, self._rate)
        self._arrivals[tenant_id, caller] = following
        return 0


class AdjustableStore(MemoryStore):
    """A MemoryStore with the operation of operators that commands use."""

    def adjust(self, key: Key, delta: int) -> Stock | None:
        stock = self.stock.get(key)
        if stock is None or stock.available + delta < 0:
            return None
        changed = Stock(
            key, stock.stock + delta, stock.reserved, stock.available + delta, stock.price, stock.name
        )
        self.stock[key] = changed
        return changed


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def data(self) -> Any:  # noqa: ANN401 - a JSON tree
        assert self.status < 300, self.body
        return self.body["data"]

    @property
    def problem(self) -> str:
        return str(self.body["type"].rpartition(":")[2])


@dataclass
class CommandsApi:
    """Ann is an editor of acme, Vic a viewer, Mac a machine that may write orders."""

    clock: ManualClock = field(default_factory=ManualClock)
    console: MemoryConsole = field(default_factory=MemoryConsole)
    bus: RecordingBus = field(default_factory=RecordingBus)
    store: AdjustableStore = field(
        default_factory=lambda: AdjustableStore([Stock(Key("acme", "prod-001"), 9, 2, 7, Price(500, "USD"))])
    )

    def __post_init__(self) -> None:
        telemetry = RecordingTelemetry()
        self._api = build(
            Commands(
                receipts=Receipts(self.console),
                store=self.store,
                bus=self.bus,
                telemetry=telemetry,
                clock=self.clock,
            ),
            Writers(ConsoleMemberships(self.console), MemoryRateLimiter(self.clock)),
            allowed_origins=[],
            clock=self.clock,
            telemetry=telemetry,
        )
        for user, role, scopes in (
            ("ann", "editor", ()),
            ("adam", "admin", ()),
            ("vic", "viewer", ()),
            ("mac", "machine", ("orders:write",)),
        ):
            self.join(user, role, *scopes)

    def join(self, user: str, role: str, *scopes: str, tenant: str = "acme") -> None:
        membership = Membership(tenant, user, role, tenant, frozenset(scopes))
        self.console.write(Put(membership_item(membership)))

    def claims(self, user: str, role: str, *scopes: str, tenant: str = "acme") -> dict[str, str]:
        values = {"custom:tenant_id": tenant, "custom:role": role}
        values |= {"custom:scopes": " ".join(scopes)} if scopes else {}
        expires = int((START + timedelta(days=90)).timestamp())
        return {"sub": user, "token_use": "id", "exp": str(expires), **values}

    def post(
        self,
        path: str,
        body: object = None,
        *,
        by: Mapping[str, str] | None = None,
        key: str | None = "key-1",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        text = body if isinstance(body, str) else json.dumps(body) if body is not None else ""
        sent = {"content-type": "application/json", **({"idempotency-key": key} if key else {})}
        event = {
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": "",
            "headers": {**sent, **(headers or {})},
            "body": text,
            "requestContext": {
                "stage": "$default",
                "http": {"method": "POST"},
                "requestId": "request-1",
                "authorizer": {"jwt": {"claims": by or self.claims("ann", "editor")}},
            },
        }
        answer = self.send(event)
        return Reply(answer["statusCode"], answer["headers"], json.loads(answer["body"]))

    def send(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Send an event as the gateway would."""
        return self._api(event, None)
