"""What members do with webhooks."""

from dataclasses import replace

import pytest

from services.shared.http.problems import ProblemError
from services.webhooks.service import MOST_ENDPOINTS
from tests.support.webhooks import Shop


def refused(error: pytest.ExceptionInfo[ProblemError]) -> str:
    return error.value.problem_type.name


def test_a_url_that_leads_inside_is_refused_when_it_is_added_or_changed() -> None:
    shop = Shop()
    endpoint = shop.add()

    with pytest.raises(ProblemError) as error:
        shop.add("https://10.0.0.1/")
    assert refused(error) == "bad-parameters"
    with pytest.raises(ProblemError) as error:
        shop.webhooks.change("acme", endpoint.id, url="http://shop.example/")
    assert refused(error) == "bad-parameters"
    assert shop.state(endpoint).endpoint.url == "https://shop.example/hooks"


def test_a_webhook_of_another_organization_is_not_found() -> None:
    shop = Shop()
    endpoint = shop.add()

    for call in (shop.webhooks.one, shop.webhooks.remove, shop.webhooks.rotate, shop.webhooks.test):
        with pytest.raises(ProblemError) as error:
            call("globex", endpoint.id)
        assert refused(error) == "not-found"


def test_an_organization_has_a_limited_number() -> None:
    shop = Shop()
    for number in range(MOST_ENDPOINTS):
        shop.add(f"https://{number}.example/")

    with pytest.raises(ProblemError) as error:
        shop.add()
    assert refused(error) == "wrong-state"


def test_a_change_meanwhile_is_not_lost() -> None:
    shop = Shop()
    endpoint = shop.add()
    stale = shop.state(endpoint).endpoint
    shop.webhooks.change("acme", endpoint.id, description="the shop's own")

    assert not shop.store.replace(replace(stale, url="https://old.example/"))
    assert shop.state(endpoint).endpoint.description == "the shop's own"


def test_a_test_message_takes_the_way_of_all_others() -> None:
    shop = Shop()
    endpoint = shop.add(types=("order.confirmed",))

    message = shop.webhooks.test("acme", endpoint.id)

    assert shop.queue.messages == [message]
    assert message.type == "webhook.test"


def test_a_message_of_the_log_is_delivered_again_under_its_id() -> None:
    shop = Shop()
    endpoint = shop.add()
    shop.fast.deliver(shop.message(endpoint))

    shop.webhooks.redeliver("acme", endpoint.id, "msg_1")
    shop.fast.deliver(shop.queue.messages[0])

    assert [it.headers["webhook-id"] for it in shop.subscriber.posted] == ["msg_1", "msg_1"]
    assert shop.subscriber.posted[0].body == shop.subscriber.posted[1].body


def test_an_unknown_message_is_not_delivered_again() -> None:
    shop = Shop()
    endpoint = shop.add()

    with pytest.raises(ProblemError) as error:
        shop.webhooks.redeliver("acme", endpoint.id, "msg_9")
    assert refused(error) == "not-found"


def test_a_disabled_webhook_is_neither_tested_nor_delivered_to_again() -> None:
    shop = Shop()
    endpoint = shop.add()
    shop.fast.deliver(shop.message(endpoint))
    shop.webhooks.change("acme", endpoint.id, enabled=False)

    with pytest.raises(ProblemError) as error:
        shop.webhooks.test("acme", endpoint.id)
    assert refused(error) == "wrong-state"
    with pytest.raises(ProblemError) as error:
        shop.webhooks.redeliver("acme", endpoint.id, "msg_1")
    assert refused(error) == "wrong-state"
