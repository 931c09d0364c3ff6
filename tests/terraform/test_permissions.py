"""Each permission of a function's role is needed: without it, the function fails."""

import hmac
import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import timedelta
from http import HTTPStatus
from itertools import count
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import psycopg
import pytest

from scripts.common.errors import ToolError
from scripts.environment.cognito import pool_id
from scripts.environment.lambda_env import DatabaseAddress
from scripts.local import postgres
from scripts.local.aws.user_pool import TENANT
from scripts.ops.datasets.upload import send_file
from services.datasets.domain import Column, ColumnType, Inspection, Recipe
from services.datasets.load_messages import message as load_message
from services.datasets.records import LoadKey
from services.datasets.s3_files import object_key
from services.datasets.store import DatasetStore
from services.shared.adapters.console_table import ConsoleTable
from services.shared.database import API, Database
from services.shared.events import Event, InventoryAdjusted
from services.shared.group_commit import GroupCommit
from services.shared.ledger import Committed, Key, Placement, Price, Stock
from services.shared.receipts import Receipt, Receipts
from services.shared.wiring import utc_now
from services.webhooks.delivery import RETRY_SECONDS
from services.webhooks.model import Endpoint, Message, Secret
from services.webhooks.service import new_secret
from services.webhooks.store import WebhookStore
from tests.support.builders import envelope, payment_request
from tests.support.builders import placed as order_placed
from tests.support.pipeline_client import PipelineClient
from tests.support.polling import wait_until
from tests.terraform.conftest import Applied
from tests.terraform.function_runner import FunctionRunner


@pytest.fixture(scope="module")
def runner(applied: Applied) -> Iterator[FunctionRunner]:
    """Invokes functions directly, with the bus disconnected from their queues."""
    events, bus = applied.environment.client("events"), applied.environment.names.bus
    rules = [it["Name"] for it in events.list_rules(EventBusName=bus)["Rules"]]
    for rule in rules:
        events.disable_rule(Name=rule, EventBusName=bus)
    yield FunctionRunner(applied, PipelineClient(applied.environment), count())
    for rule in rules:
        events.enable_rule(Name=rule, EventBusName=bus)


UNREADABLE = envelope({}, "OrderPlaced")

Check = Callable[[], bool]
"""Exercises everything a function does once; returns whether all of it succeeded."""


def order(runner: FunctionRunner, _invocations: int) -> Check:
    def reserves_and_cancels() -> bool:
        name = runner.next_name()
        placed = envelope(runner.pipeline.order(name, runner.pipeline.create_sku(5)), "OrderPlaced")
        cancelled = envelope({"orderId": runner.pipeline.order_id(name)}, "OrderCancellationRequested")
        return all(runner.processes("order", it) for it in (placed, cancelled, UNREADABLE))

    return reserves_and_cancels


def payment(runner: FunctionRunner, _invocations: int) -> Check:
    def charges() -> bool:
        request = payment_request(runner.reserved().key.id)
        return all(runner.processes("payment", it) for it in (message(request), UNREADABLE))

    return charges


def expiry(runner: FunctionRunner, invocations: int) -> Check:
    reserved = [runner.reserved() for _ in range(invocations)]
    held_long = payment_request(runner.reserved("bank_transfer").key.id)
    wait_until(
        lambda: all(it.expires_at and it.expires_at < utc_now() for it in reserved), "the holds are over"
    )

    def releases() -> bool:
        request = payment_request(reserved.pop().key.id)
        return all(
            runner.processes("expiry", it) for it in (message(request), message(held_long), UNREADABLE)
        )

    return releases


def audit(runner: FunctionRunner, _invocations: int) -> Check:
    store = runner.pipeline.ops.store
    # A SKU without the orders that its numbers claim is read again.
    store.seed([Stock(Key("default", "right-leak"), 10, 3, 7, Price(100, "USD"))])

    def releases() -> bool:
        name, now = runner.next_name(), utc_now()
        sku = runner.pipeline.create_sku(5)
        overdue = Placement(
            key=Key("default", name),
            customer_id="customer",
            quantities=((sku, 1),),
            placed_at=now,
            payment_method=None,
            at=now,
            expires_at=now - timedelta(hours=1),
            event_id=name,
        )
        assert isinstance(GroupCommit(store).reserve([overdue])[overdue.key], Committed)
        return runner.invoke("audit", {}) is not None

    return releases


def collector(runner: FunctionRunner, _invocations: int) -> Check:
    # The third run deletes what the first has stored.
    return lambda: all(runner.invoke("collector", {}) is not None for _ in range(3))


def exposition(runner: FunctionRunner, _invocations: int) -> Check:
    environment = runner.applied.environment
    name = environment.names.secret("metrics-token")
    token = environment.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    assert runner.invoke("collector", {})

    def responds() -> bool:
        response = runner.invoke("exposition", {"headers": {"authorization": f"Bearer {token}"}})
        return response is not None and response["statusCode"] == 200

    return responds


def projector(runner: FunctionRunner, _invocations: int) -> Check:
    def writes() -> bool:
        placed = order_placed(runner.pipeline.order_id(runner.next_name()))
        return all(runner.processes("projector", it) for it in (message(placed), UNREADABLE))

    return writes


def analytics(runner: FunctionRunner, _invocations: int) -> Check:
    token = runner.applied.token("reader")
    for _ in range(2):
        assert runner.processes(
            "projector", message(order_placed(runner.pipeline.order_id(runner.next_name())))
        )

    adjusted = InventoryAdjusted(
        event_id=runner.next_name(),
        correlation_id="prod-001",
        occurred_at=utc_now(),
        tenant_id=TENANT,
        sku="prod-001",
        delta=1,
        stock=1,
        available=1,
        unit_price_minor=100,
        currency="USD",
    )
    assert runner.processes("projector", message(adjusted))

    received = Key(TENANT, runner.next_name())
    environment = runner.applied.environment
    console = ConsoleTable(environment.client("dynamodb"), environment.names.table("console"))
    body = {"customerId": "ann", "items": [{"sku": "a", "quantity": 1}]}
    Receipts(console).keep(Receipt(received, "digest", utc_now(), body))

    def answers() -> bool:
        # Two orders and a limit of one: the key that signs the next page's cursor is read.
        listed = runner.applied.get("/api/orders?limit=1", token)
        paths = (f"/api/orders/{received.id}", "/api/inventory")
        return listed is not None and all(runner.applied.get(it, token) is not None for it in paths)

    return answers


def signed_in(runner: FunctionRunner, name: str, role: str) -> Mapping[str, str]:
    """Make a user, and return the claims of their token as the gateway passes them on."""
    payload = runner.applied.token(name, role).split(".")[1]
    decoded = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return {claim: str(value) for claim, value in decoded.items()}


def request(
    claims: Mapping[str, str], method: str, path: str, body: object = None, **headers: str
) -> Mapping[str, Any]:
    """Make the event of a request, as the gateway does."""
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", **headers},
        "body": json.dumps(body or {}),
        "requestContext": {
            "stage": "$default",
            "http": {"method": method},
            "requestId": "request-1",
            "authorizer": {"jwt": {"claims": claims}},
        },
    }


def commands(runner: FunctionRunner, _invocations: int) -> Check:
    claims = signed_in(runner, "writer", "editor")
    sku = runner.pipeline.create_sku(1_000)

    def succeeds(path: str, body: object = None) -> bool:
        response = runner.invoke(
            "commands", request(claims, "POST", path, body, **{"idempotency-key": runner.next_name()})
        )
        return response is not None and response["statusCode"] in {200, 202}

    def writes() -> bool:
        order = {"customerId": "ann", "items": [{"sku": sku, "quantity": 1}]}
        return succeeds("/api/orders", order) and succeeds(f"/api/inventory/{sku}/adjust", {"delta": 1})

    return writes


def organizations(runner: FunctionRunner, _invocations: int) -> Check:
    claims = signed_in(runner, "owner", "admin")

    def call(method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - a JSON tree
        response = runner.invoke("organizations", request(claims, method, path, body))
        if response is None or response["statusCode"] not in {200, 201}:
            return None
        return json.loads(response["body"])["data"]

    def works() -> bool:
        machine = call("POST", "/api/machines", {"name": "shop", "scopes": ["orders:write"]})
        members = call("GET", "/api/members")
        deleted = machine and call("DELETE", f"/api/machines/{machine['clientId']}")
        return bool(members and deleted)

    return works


def session(runner: FunctionRunner, _invocations: int) -> Check:
    sub, password = new_user(runner, f"machine-{runner.next_name().replace('-', '')}")

    def call(method: str, path: str, **parts: object) -> Any:  # noqa: ANN401 - a JSON tree
        answer = runner.invoke("session", {**request({}, method, path), **parts})
        return answer and answer["statusCode"] == 200 and json.loads(answer["body"])

    def signs_in() -> bool:
        form = urlencode({"grant_type": "client_credentials", "client_id": sub, "client_secret": password})
        form_headers = {"content-type": "application/x-www-form-urlencoded"}
        token = call("POST", "/auth/token", body=form, headers=form_headers)
        cookie = f"__Host-session={token['access_token']}" if token else ""
        return bool(token and call("GET", "/auth/me", cookies=[cookie]))

    return signs_in


def stripe_webhook(runner: FunctionRunner, _invocations: int) -> Check:
    environment = runner.applied.environment
    name = environment.names.secret("stripe-webhook-secret")
    secret = environment.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]

    def publishes() -> bool:
        about = {"tenant_id": "default", "order_id": runner.pipeline.order_id(runner.next_name())}
        stamp = int(utc_now().timestamp())
        answer = {"id": "evt_1", "type": "payment_intent.succeeded", "created": stamp}
        body = json.dumps({**answer, "data": {"object": {"metadata": about}}})
        mac = hmac.new(secret.encode(), f"{stamp}.{body}".encode(), "sha256").hexdigest()
        request = {"body": body, "headers": {"stripe-signature": f"t={stamp},v1={mac}"}}
        response = runner.invoke("stripe-webhook", request)
        return response is not None and response["statusCode"] == HTTPStatus.OK

    return publishes


def new_user(runner: FunctionRunner, name: str) -> tuple[str, str]:
    """Make a user of the pool; returns its name and password."""
    cognito, password = runner.applied.environment.client("cognito-idp"), f"Aa1!{name}-password"
    pool = pool_id(runner.applied.environment) or ""
    cognito.admin_create_user(UserPoolId=pool, Username=name, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=pool, Username=name, Password=password, Permanent=True)
    return name, password


def claims(runner: FunctionRunner, _invocations: int) -> Check:
    event = {"request": {"userAttributes": {"sub": "somebody"}}, "response": {}}
    return lambda: runner.invoke("claims", event) is not None


def notify(runner: FunctionRunner, _invocations: int) -> Check:
    event = {"Records": [{"Sns": {"Message": "All is well.", "Timestamp": "2026-01-31T12:00:00Z"}}]}
    return lambda: runner.invoke("notify", event) is not None


def webhook(runner: FunctionRunner) -> Endpoint:
    """Add a webhook of an address that no message may go to: attempts fail without leaving the machine."""
    environment, name = runner.applied.environment, runner.next_name()
    store = WebhookStore(ConsoleTable(environment.client("dynamodb"), environment.names.table("webhooks")))
    endpoint = Endpoint(
        tenant_id=TENANT,
        id=name,
        url="https://127.0.0.1:9/",
        types=(),
        description="",
        format="standard",
        enabled=True,
        secrets=(Secret(new_secret()),),
        created_at=utc_now(),
        created_by="ann",
    )
    store.create(endpoint)
    return endpoint


def webhook_message(endpoint: Endpoint, attempts: int = 0) -> str:
    return Message(
        tenant_id=TENANT,
        endpoint_id=endpoint.id,
        id=f"msg_{endpoint.id}",
        type="order.confirmed",
        timestamp=utc_now(),
        data={},
        attempts=attempts,
    ).model_dump_json()


def webhook_fanout(runner: FunctionRunner, _invocations: int) -> Check:
    webhook(runner)

    # Poison comes first: without the permission for it nothing is sent, and no queue's address is cached.
    def queues() -> bool:
        placed = order_placed(runner.pipeline.order_id(runner.next_name()))
        return all(runner.processes("webhook-fanout", it) for it in (UNREADABLE, message(placed)))

    return queues


def webhook_delivery(runner: FunctionRunner, _invocations: int) -> Check:
    def moves_to_the_other_queue() -> bool:
        body = webhook_message(webhook(runner))
        return all(runner.processes("webhook-delivery", it) for it in ("{}", body))

    return moves_to_the_other_queue


def webhook_retries(runner: FunctionRunner, _invocations: int) -> Check:
    def makes_the_last_attempt() -> bool:
        last = webhook_message(webhook(runner), attempts=len(RETRY_SECONDS))
        return all(runner.processes("webhook-retries", it) for it in (last, "{}"))

    return makes_the_last_attempt


def webhooks(runner: FunctionRunner, _invocations: int) -> Check:
    claims = signed_in(runner, "webmaster", "admin")

    def call(method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - a JSON tree
        response = runner.invoke("webhooks", request(claims, method, path, body))
        if response is None or response["statusCode"] not in {200, 201, 202}:
            return None
        return json.loads(response["body"])["data"]

    def works() -> bool:
        added = call("POST", "/api/webhooks", {"url": "https://example.com/hooks"})
        path = f"/api/webhooks/{added['id']}" if added else ""
        return bool(added and call("POST", f"{path}/test") and call("DELETE", path) is not None)

    return works


def posted(form: Mapping[str, Any]) -> bool:
    """Post a file by a signed form."""
    with NamedTemporaryFile() as file:
        file.write(b"price\n1\n")
        file.flush()
        try:
            send_file(form["url"], form["fields"], Path(file.name), lambda _sent: None)
        except ToolError:
            return False
    return True


def downloaded(url: str) -> bool:
    try:
        with urlopen(url, timeout=20) as response:  # noqa: S310 - loopback
            return bool(response.read())
    except HTTPError as error:
        error.close()
        return False


@contextmanager
def dataset_store(runner: FunctionRunner) -> Iterator[DatasetStore]:
    where = runner.applied.database
    dsn = f"postgresql://{API}@{where.host}:{where.port}/{where.name}"
    with closing(Database(lambda: psycopg.connect(dsn, autocommit=True, prepare_threshold=None))) as opened:
        yield DatasetStore(opened)


def uploaded(store: DatasetStore, name: str) -> LoadKey:
    """Make a dataset whose only load waits for a confirmation."""
    store.create(TENANT, name, name, "ann")
    key = store.begin_load(TENANT, name, "sales.csv", "ann", automatic=False)
    assert key is not None
    store.uploaded(key, 1, "hash")
    columns = (Column(name="price", type=ColumnType.INTEGER),)
    recipe = Recipe(encoding="utf-8", delimiter=",", columns=columns)
    store.inspected(key, Inspection(recipe=recipe, guesses=(), sample=()))
    return key


def confirmed(store: DatasetStore, name: str) -> LoadKey:
    key = uploaded(store, name)
    found = store.load(key)
    assert found is not None
    assert found.proposal is not None
    assert store.confirm(key, found.proposal.recipe)
    return key


def dataset_ingest(runner: FunctionRunner, _invocations: int) -> Check:
    s3 = runner.applied.environment.client("s3")
    uploads, results = (runner.applied.bucket(it) for it in ("raw-uploads", "processed-data"))

    def loads_and_goes_on() -> bool:
        with dataset_store(runner) as store:
            new, resumed = (confirmed(store, runner.next_name()) for _ in range(2))
        s3.put_object(Bucket=uploads, Key=object_key(new), Body=b"price\n1\n2\n")
        if not runner.processes("dataset-ingest", load_message(new)):
            return False
        # Its upload is gone; an earlier attempt has stored the rows.
        s3.copy_object(
            Bucket=results,
            Key=f"{object_key(resumed)}/data.parquet",
            CopySource={"Bucket": results, "Key": f"{object_key(new)}/data.parquet"},
        )
        return all(runner.processes("dataset-ingest", it) for it in (load_message(resumed), "{}"))

    return loads_and_goes_on


def datasets(runner: FunctionRunner, _invocations: int) -> Check:
    claims = signed_in(runner, "uploader", "editor")
    s3, results = runner.applied.environment.client("s3"), runner.applied.bucket("processed-data")

    def call(method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - a JSON tree
        response = runner.invoke("datasets", request(claims, method, path, body))
        if response is None or response["statusCode"] not in {200, 201, 202}:
            return None
        return json.loads(response["body"])["data"]

    def works() -> bool:
        with dataset_store(runner) as store:
            waiting = uploaded(store, runner.next_name())
            ready = confirmed(store, runner.next_name())
            assert store.finish(ready, iter(()))
        s3.put_object(Bucket=results, Key=f"{object_key(ready)}/data.parquet", Body=b"rows")
        path = f"/api/datasets/{waiting.dataset_id}"
        if not call("POST", f"{path}/loads/1"):
            return False
        form = call("POST", f"{path}/loads", {"fileName": "sales.csv"})
        file = call("GET", f"/api/datasets/{ready.dataset_id}/file")
        return bool(form and file and posted(form) and downloaded(file["url"]) and call("DELETE", path))

    return works


def migrator(runner: FunctionRunner, _invocations: int) -> Check:
    def creates_a_missing_role() -> bool:
        with role_missing(runner.applied.database, API):
            return runner.invoke("migrator", {"action": "migrate"}) is not None

    return creates_a_missing_role


@contextmanager
def role_missing(database: DatabaseAddress, role: str) -> Iterator[None]:
    """Rename a role, and give it its name back; what was created in its place is dropped."""
    dsn = f"postgresql://{postgres.SUPERUSER}@{database.host}:{database.port}/{database.name}"
    with closing(psycopg.connect(dsn, autocommit=True)) as superuser:
        superuser.execute(f"ALTER ROLE {role} RENAME TO {role}_former".encode())
        try:
            yield
        finally:
            if superuser.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone() is not None:
                superuser.execute(f"DROP OWNED BY {role}".encode())
                superuser.execute(f"DROP ROLE {role}".encode())
            superuser.execute(f"ALTER ROLE {role}_former RENAME TO {role}".encode())


def message(event: Event) -> str:
    return envelope(event.model_dump(mode="json", by_alias=True), event.detail_type())


# Cached values need no permission: permissions are removed first, before anything is cached.
@pytest.mark.parametrize(
    "make_check",
    [
        order,
        payment,
        expiry,
        audit,
        collector,
        exposition,
        projector,
        analytics,
        commands,
        organizations,
        session,
        stripe_webhook,
        claims,
        notify,
        # Before those that fill its queue: it would remember the address of the next one.
        webhook_delivery,
        webhook_retries,
        webhook_fanout,
        webhooks,
        # As with webhooks.
        dataset_ingest,
        datasets,
        migrator,
    ],
    ids=lambda it: it.__name__,
)
def test_a_function_fails_without_any_one_of_its_permissions(
    runner: FunctionRunner, make_check: Callable[[FunctionRunner, int], Check]
) -> None:
    function = make_check.__name__.replace("_", "-")
    permissions = list(runner.permissions(function))
    succeeds = make_check(runner, len(permissions) + 1)

    unneeded = []
    for permission in permissions:
        with runner.without_permission(function, permission):
            if succeeds():
                unneeded.append(permission)

    assert unneeded == []
    assert succeeds()
