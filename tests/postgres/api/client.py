"""A client that invokes the API as the gateway does, and rows for its tables."""

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from psycopg import sql
from psycopg.types.json import Jsonb

from services.analytics.api.app import build
from services.analytics.api.unprojected import UnprojectedOrder
from services.shared.database import Connection, Database
from services.shared.errors import StoreUnavailableError
from services.shared.ledger import Key, Stock
from services.shared.membership import Membership
from tests.postgres.conftest import Analytics
from tests.support.fakes import START, ManualClock, RecordingTelemetry

ALLOWED_ORIGIN = "https://shop.example"
TODAY = START.date()

Claims = dict[str, Any]
Pairs = Sequence[tuple[str, str]]


def claims(tenant: str = "acme", role: object = "admin", **other: object) -> Claims:
    """Return the claims of a valid token as the authorizer passes them on: as text."""
    defaults = {
        "sub": f"user-of-{tenant}",
        "custom:tenant_id": tenant,
        "custom:role": role,
        "token_use": "id",
        "exp": str(int((START + timedelta(hours=1)).timestamp())),
    }
    return {**defaults, **other}


ADMIN = claims()


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:  # noqa: ANN401 - a JSON tree
        return json.loads(self.text)

    @property
    def data(self) -> Any:  # noqa: ANN401 - a JSON tree
        assert self.status == 200, self.text
        return self.body["data"]

    @property
    def errors(self) -> dict[str, str]:
        return {error["parameter"]: error["problem"] for error in self.body["errors"]}


@dataclass
class ApiClient:
    """Sends requests to the API of one database."""

    database: Database
    clock: ManualClock = field(default_factory=ManualClock)
    telemetry: RecordingTelemetry = field(default_factory=RecordingTelemetry)
    key: str = "a-secret-key"
    unprojected: dict[Key, UnprojectedOrder] = field(default_factory=dict)
    """Orders that the projector has not processed yet."""
    stock: dict[Key, Stock] = field(default_factory=dict)
    """The inventory table."""
    members: dict[tuple[str, str], Membership] = field(default_factory=dict)
    """By tenant and user; the admin of acme is one."""

    def __post_init__(self) -> None:
        self.join("acme", "user-of-acme", "admin")
        self._handler = build(
            self.database,
            cursor_keys=lambda: self.key,
            allowed_origins=[ALLOWED_ORIGIN],
            unprojected=self.unprojected.get,
            read_stock=lambda keys: {key: self.stock[key] for key in keys if key in self.stock},
            find_membership=lambda tenant, user: self.members.get((tenant, user)),
            clock=self.clock,
            telemetry=self.telemetry,
        )

    def join(self, tenant: str, user: str, role: str) -> None:
        self.members[tenant, user] = Membership(tenant, user, role, tenant)

    def ask(
        self,
        path: str,
        query: Mapping[str, object] | Pairs = (),
        *,
        by: Claims | None = ADMIN,
        headers: Mapping[str, str] | None = None,
        method: str = "GET",
        **event: object,
    ) -> Reply:
        """Send a request with these claims; None: not signed in."""
        raw = query if isinstance(query, Sequence) else list(query.items())
        authorizer: object = {} if by is None else {"jwt": {"claims": by, "scopes": None}}
        return self.send(
            {
                "version": "2.0",
                "rawPath": path,
                "rawQueryString": urlencode(raw),
                "headers": headers or {},
                "requestContext": {
                    "stage": "$default",
                    "http": {"method": method},
                    "authorizer": authorizer,
                    "requestId": "request-1",
                },
                **event,
            }
        )

    def send(self, event: Mapping[str, Any]) -> Reply:
        response = self._handler(event, None)
        return Reply(response["statusCode"], response["headers"], response["body"])


def out_of_reach() -> Database:
    """Return a database that cannot be reached."""

    def connect() -> Connection:
        raise StoreUnavailableError("unreachable")

    return Database(connect)


def insert(analytics: Analytics, table: str, *rows: Mapping[str, object]) -> None:
    """Insert rows of one table as its owner."""
    with closing(analytics.connect()) as owner, owner.transaction():
        for row in rows:
            owner.execute(
                sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                    sql.Identifier(table),
                    sql.SQL(", ").join(map(sql.Identifier, row)),
                    sql.SQL(", ").join([sql.Placeholder()] * len(row)),
                ),
                [Jsonb(value) if isinstance(value, dict | list) else value for value in row.values()],
            )


def make_tenant(analytics: Analytics, tenant: str, **columns: object) -> None:
    insert(analytics, "tenants", {"tenant_id": tenant, **columns})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def order(order_id: str, placed_at: datetime = START, **columns: object) -> dict[str, object]:
    """Return the row of a confirmed order of acme."""
    return {
        "tenant_id": "acme",
        "order_id": order_id,
        "customer_id": "ann",
        "status": "CONFIRMED",
        "amount_minor": 1_000,
        "currency": "USD",
        "units": 2,
        "placed_at": placed_at,
        "version": 1,
        **columns,
    }


def sold(day: str, region: str = "", currency: str = "USD", **columns: object) -> dict[str, object]:
    """Return what acme sold on a day."""
    return {"tenant_id": "acme", **_NOTHING, "day": day, "region": region, "currency": currency, **columns}


def sold_of(sku: str, day: str, currency: str = "USD", **columns: object) -> dict[str, object]:
    """Return what acme sold of a product on a day."""
    return {"tenant_id": "acme", **_NOTHING, "day": day, "sku": sku, "currency": currency, **columns}


def sold_on(channel: str, day: str, currency: str = "USD", **columns: object) -> dict[str, object]:
    """Return what acme sold on a channel on a day."""
    return {
        "tenant_id": "acme",
        **_NOTHING,
        "day": day,
        "channel": channel,
        "currency": currency,
        **columns,
    }


def sold_in(month: str, sku: str, currency: str = "USD", **columns: object) -> dict[str, object]:
    """Return what acme sold of a product in a month."""
    return {
        "tenant_id": "acme",
        **_NOTHING,
        "month": f"{month}-01",
        "sku": sku,
        "currency": currency,
        **columns,
    }


_NOTHING = dict.fromkeys(
    (
        *("orders", "confirmed", "rejected", "cancelled", "refunded"),
        *("units", "revenue_minor", "refunded_minor"),
    ),
    0,
)


def moved(month: str, movement: str, annual_minor: object, customers: int = 1) -> dict[str, object]:
    """Return what moved the recurring revenue of acme in a month."""
    return {
        "tenant_id": "acme",
        "month": f"{month}-01",
        "movement": movement,
        "annual_minor": annual_minor,
        "customers": customers,
    }


def cohort(
    began: str, month: str, entered: int = 0, left_off: int = 0, **columns: object
) -> dict[str, object]:
    return {
        "tenant_id": "acme",
        "basis": "order",
        "cohort": f"{began}-01",
        "month": f"{month}-01",
        "entered": entered,
        "left_off": left_off,
        **columns,
    }


def cohort_revenue(began: str, month: str, revenue_minor: object, **columns: object) -> dict[str, object]:
    return {
        "tenant_id": "acme",
        "basis": "order",
        "cohort": f"{began}-01",
        "month": f"{month}-01",
        "currency": "USD",
        "revenue_minor": revenue_minor,
        "refunded_minor": 0,
        **columns,
    }


def customer_moved(customer: str, month: str, movement: str, **columns: object) -> dict[str, object]:
    """Return how the recurring revenue of a customer of acme moved in a month."""
    return {
        "tenant_id": "acme",
        "customer_id": customer,
        "month": f"{month}-01",
        "movement": movement,
        "annual_minor": 1_200,
        **columns,
    }


def inbox_row(
    order_id: str, event: str, occurred_at: datetime = START, **detail: object
) -> dict[str, object]:
    return {
        "tenant_id": "acme",
        "kind": "order",
        "subject": order_id,
        "event": event,
        "event_id": f"{order_id}-{event}",
        "occurred_at": occurred_at,
        "detail": detail,
    }


def rule(metric: str, name: str, setting: object = None, tenant: str = "acme") -> dict[str, object]:
    return {"tenant_id": tenant, "metric": metric, "rule": name, "setting": Jsonb(setting)}
