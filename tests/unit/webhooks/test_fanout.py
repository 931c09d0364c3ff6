"""An event becomes one message for each endpoint that hears of it."""

from collections.abc import Sequence

from services.shared.console import Item
from services.shared.errors import StoreUnavailableError
from services.shared.events import Event, OrderCancellationRequested, OrderConfirmed
from services.shared.messages import Delivery
from services.webhooks.fanout import FanOut
from services.webhooks.service import EndpointSpec
from services.webhooks.store import WebhookStore
from tests.support.console import MemoryConsole
from tests.support.fakes import START
from tests.support.webhooks import Shop


def confirmed(tenant: str = "acme", name: str = "e-1") -> Event:
    return OrderConfirmed(
        event_id=name,
        occurred_at=START,
        tenant_id=tenant,
        order_id="o-1",
        customer_id="ann",
        items=(),
        amount_minor=100,
        currency="EUR",
    )


def fan_out(shop: Shop, *events: Event) -> set[str]:
    deliveries = [Delivery(f"sqs-{number}", it) for number, it in enumerate(events)]
    return set(FanOut(store=shop.store, queue=shop.queue, telemetry=shop.telemetry).handle(deliveries))


def test_an_endpoint_hears_of_the_types_it_chose_and_of_all_if_it_chose_none() -> None:
    shop = Shop()
    everything = shop.add("https://a.example/")
    confirmations = shop.add("https://b.example/", types=("order.confirmed",))
    shop.add("https://c.example/", types=("refund.processed",))

    assert fan_out(shop, confirmed()) == set()

    assert {it.endpoint_id for it in shop.queue.messages} == {everything.id, confirmations.id}
    assert {it.type for it in shop.queue.messages} == {"order.confirmed"}


def test_no_tenant_hears_of_anothers_orders() -> None:
    shop = Shop()
    shop.add()
    shop.webhooks.add("globex", "zoe", EndpointSpec(url="https://globex.example/"))

    fan_out(shop, confirmed("globex"))

    assert {it.tenant_id for it in shop.queue.messages} == {"globex"}


def test_a_request_of_our_own_is_told_to_nobody() -> None:
    shop = Shop()
    shop.add()
    request = OrderCancellationRequested(event_id="e-2", occurred_at=START, tenant_id="acme", order_id="o-1")

    assert fan_out(shop, request) == set()
    assert shop.queue.messages == []


def test_the_id_of_a_message_is_the_same_however_often_its_event_comes() -> None:
    shop = Shop()
    shop.add()

    fan_out(shop, confirmed(), confirmed())
    fan_out(shop, confirmed(name="e-2"))

    first, again, other = (it.id for it in shop.queue.messages)
    assert first == again != other


def test_a_disabled_endpoint_hears_nothing() -> None:
    shop = Shop()
    shop.webhooks.change("acme", shop.add().id, enabled=False)

    fan_out(shop, confirmed())

    assert shop.queue.messages == []


def test_an_event_whose_messages_were_not_queued_is_retried() -> None:
    shop = Shop()
    shop.add()
    shop.queue.down = True

    assert fan_out(shop, confirmed()) == {"sqs-0"}


class _HalfReadable(MemoryConsole):
    def list(self, pk: str, prefix: str = "") -> Sequence[Item]:
        if pk == "org#globex":
            raise StoreUnavailableError("throttled")
        return super().list(pk, prefix)


def test_a_failed_read_concerns_that_tenants_events_only() -> None:
    shop = Shop(table=_HalfReadable())
    shop.store = WebhookStore(shop.table)
    shop.add()

    assert fan_out(shop, confirmed("globex"), confirmed()) == {"sqs-0"}
    assert [it.tenant_id for it in shop.queue.messages] == ["acme"]
