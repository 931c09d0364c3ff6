"""What follows from each answer of an endpoint, in both lanes."""

from datetime import timedelta

import pytest

from services.shared.errors import TransientError
from services.shared.log_events import LogEvent
from services.shared.metric_names import Metric, WebhookOutcome
from services.webhooks.delivery import DISABLED_AFTER, RETRY_SECONDS, Answer
from services.webhooks.model import Delivery, Endpoint
from tests.support.webhooks import OK, Shop, Subscriber

ERROR = Answer(0.1, 500, request_id="r-7")
TIMEOUT = Answer(10.0, error="timeout")
SLOW = Answer(5.0, 200)
GONE = Answer(0.1, 410)


def shop_with(*answers: Answer) -> tuple[Shop, Endpoint]:
    shop = Shop(subscriber=Subscriber(*answers))
    return shop, shop.add()


def logs(shop: Shop) -> set[LogEvent]:
    return {event for event, _, _ in shop.telemetry.lines}


def logged(shop: Shop, endpoint: Endpoint, message_id: str = "msg_1") -> Delivery:
    (entry,) = [it for it in shop.webhooks.log("acme", endpoint.id, 100) if it.message.id == message_id]
    return entry


def test_a_message_is_delivered_at_once_and_logged() -> None:
    shop, endpoint = shop_with(OK)

    assert shop.fast.deliver(shop.message(endpoint)) is None

    assert [it.url for it in shop.subscriber.posted] == ["https://shop.example/hooks"]
    entry = logged(shop, endpoint)
    assert (entry.status, entry.attempts, entry.http_status, entry.duration_ms) == ("delivered", 1, 204, 50)
    assert shop.retries.messages == []


def test_a_message_that_fails_is_retried_for_more_than_a_day_under_one_id() -> None:
    shop, endpoint = shop_with(ERROR)
    message = shop.message(endpoint)
    shop.fast.deliver(message)
    waited = shop.retries.delays[0]
    shop.clock.advance(timedelta(seconds=waited))

    waits = [waited]
    while (away := shop.slow.deliver(shop.retries.messages[0])) is not None:
        assert away <= 12 * 3_600  # the longest time-out of SQS
        waits.append(away)
        shop.clock.advance(timedelta(seconds=away))

    assert len(shop.subscriber.posted) == len(RETRY_SECONDS) + 1
    assert {it.headers["webhook-id"] for it in shop.subscriber.posted} == {"msg_1"}
    assert sum(waits) > 24 * 3_600
    entry = logged(shop, endpoint)
    assert (entry.status, entry.attempts, entry.http_status) == ("failed", len(RETRY_SECONDS) + 1, 500)
    assert entry.request_id == "r-7"
    assert LogEvent.WEBHOOK_FAILED in logs(shop)


def test_each_attempt_is_signed_anew() -> None:
    shop, endpoint = shop_with(ERROR)
    shop.fast.deliver(shop.message(endpoint))
    shop.clock.advance(timedelta(minutes=10))
    shop.slow.deliver(shop.retries.messages[0])

    first, second = (it.headers["webhook-timestamp"] for it in shop.subscriber.posted)
    assert int(second) - int(first) == 600


def test_a_failing_endpoint_rests_and_is_not_called_for_every_message() -> None:
    shop, endpoint = shop_with(TIMEOUT)
    for number in range(20):
        shop.fast.deliver(shop.message(endpoint, f"msg_{number}"))

    assert len(shop.subscriber.posted) == 1
    assert len(shop.retries.messages) == 20
    assert shop.slow.deliver(shop.retries.messages[3]) == RETRY_SECONDS[0]
    assert len(shop.subscriber.posted) == 1


def test_one_success_ends_the_rest() -> None:
    shop, endpoint = shop_with(TIMEOUT, OK)
    shop.fast.deliver(shop.message(endpoint))
    shop.clock.advance(timedelta(minutes=1))

    assert shop.slow.deliver(shop.retries.messages[0]) is None
    assert shop.state(endpoint).health.failures == 0
    assert logged(shop, endpoint).status == "delivered"
    assert logged(shop, endpoint).attempts == 2


def test_a_slow_endpoint_leaves_the_fast_lane_until_it_has_been_quick_for_a_while() -> None:
    shop, endpoint = shop_with(SLOW, SLOW, OK)
    shop.fast.deliver(shop.message(endpoint, "msg_first"))
    moved = 0
    while not shop.state(endpoint).health.sound:
        shop.fast.deliver(shop.message(endpoint, f"msg_{moved}"))
        assert shop.retries.messages[moved].id == f"msg_{moved}"
        assert shop.slow.deliver(shop.retries.messages[moved]) is None
        moved += 1

    shop.fast.deliver(shop.message(endpoint, "msg_last"))

    assert moved == 11  # one more that was slow, and ten that were quick
    assert len(shop.retries.messages) == moved
    assert logged(shop, endpoint, "msg_last").status == "delivered"


def test_a_failing_endpoint_is_called_in_the_fast_lane_only_after_a_success() -> None:
    shop, endpoint = shop_with(ERROR, OK)
    shop.fast.deliver(shop.message(endpoint, "msg_1"))
    shop.clock.advance(timedelta(hours=1))
    shop.fast.deliver(shop.message(endpoint, "msg_2"))

    assert len(shop.subscriber.posted) == 1
    assert shop.slow.deliver(shop.retries.messages[1]) is None
    shop.fast.deliver(shop.message(endpoint, "msg_3"))
    assert len(shop.subscriber.posted) == 3
    assert len(shop.retries.messages) == 2


def test_one_message_alone_finds_out_whether_a_failing_endpoint_answers_again() -> None:
    shop, endpoint = shop_with(TIMEOUT)
    shop.fast.deliver(shop.message(endpoint, "msg_1"))
    shop.clock.advance(timedelta(minutes=1))
    away: list[int | None] = []
    # The second message is received while the first one's call is made.
    shop.subscriber.during = lambda: away.append(shop.slow.deliver(shop.message(endpoint, "msg_2")))

    shop.slow.deliver(shop.message(endpoint, "msg_1"))

    assert len(shop.subscriber.posted) == 2
    assert away == [15]


def test_the_loser_of_a_race_for_a_failing_endpoint_waits() -> None:
    shop, endpoint = shop_with(TIMEOUT)
    shop.fast.deliver(shop.message(endpoint, "msg_1"))
    shop.clock.advance(timedelta(minutes=1))
    before = shop.state(endpoint)

    assert shop.slow.attempts.claim(before, shop.clock())
    assert not shop.slow.attempts.claim(before, shop.clock())


def test_410_disables_at_once() -> None:
    shop, endpoint = shop_with(GONE)
    shop.fast.deliver(shop.message(endpoint))

    subscription = shop.state(endpoint)
    assert not subscription.active
    assert subscription.health.disabled_reason == "gone"
    assert logged(shop, endpoint).status == "failed"
    assert shop.retries.messages == []
    assert LogEvent.WEBHOOK_DISABLED in logs(shop)


def test_a_week_of_failures_disables() -> None:
    shop, endpoint = shop_with(ERROR)
    end = shop.clock() + DISABLED_AFTER + timedelta(hours=2)
    number = 0
    while shop.clock() < end and shop.state(endpoint).active:
        number += 1
        shop.slow.deliver(shop.message(endpoint, f"msg_{number}"))
        shop.clock.advance(timedelta(hours=1))

    assert shop.state(endpoint).health.disabled_reason == "failing"
    assert end - shop.clock() < timedelta(hours=2)


def test_a_message_for_a_disabled_endpoint_is_dropped_and_said_to_be() -> None:
    shop, endpoint = shop_with(OK)
    shop.webhooks.change("acme", endpoint.id, enabled=False)

    assert shop.fast.deliver(shop.message(endpoint)) is None
    assert shop.slow.deliver(shop.message(endpoint, "msg_2")) is None

    assert shop.subscriber.posted == []
    assert {it.status for it in shop.webhooks.log("acme", endpoint.id, 10)} == {"dropped"}


def test_a_message_for_a_deleted_endpoint_leaves_no_trace() -> None:
    shop, endpoint = shop_with(OK)
    message = shop.message(endpoint)
    shop.webhooks.remove("acme", endpoint.id)

    assert shop.fast.deliver(message) is None
    assert shop.subscriber.posted == []
    assert shop.table.items == {}


def test_enabling_again_forgets_why_it_was_disabled() -> None:
    shop, endpoint = shop_with(GONE, OK)
    shop.fast.deliver(shop.message(endpoint))
    shop.webhooks.change("acme", endpoint.id, enabled=True)

    assert shop.state(endpoint).active
    shop.fast.deliver(shop.message(endpoint, "msg_2"))
    assert len(shop.subscriber.posted) == 2


def test_a_message_that_cannot_be_moved_stays_where_it_is() -> None:
    shop, endpoint = shop_with(ERROR)
    shop.retries.down = True

    with pytest.raises(TransientError):
        shop.fast.deliver(shop.message(endpoint))


def test_a_second_copy_of_a_delivered_message_is_not_sent_by_the_lane_of_retries() -> None:
    shop, endpoint = shop_with(ERROR, OK)
    message = shop.message(endpoint)
    shop.fast.deliver(message)
    shop.clock.advance(timedelta(minutes=1))
    shop.slow.deliver(message)

    assert shop.slow.deliver(message) is None
    assert len(shop.subscriber.posted) == 2


def test_every_attempt_of_two_copies_of_a_message_is_counted() -> None:
    shop, endpoint = shop_with(ERROR, ERROR, OK)
    message = shop.message(endpoint)
    shop.subscriber.during = lambda: shop.fast.deliver(message)

    shop.fast.deliver(message)  # both are in work at the same time

    assert (logged(shop, endpoint).status, logged(shop, endpoint).attempts) == ("retrying", 2)
    shop.clock.advance(timedelta(minutes=1))
    shop.slow.deliver(message)
    assert (logged(shop, endpoint).status, logged(shop, endpoint).attempts) == ("delivered", 3)


def test_a_copy_that_fails_does_not_undo_what_another_delivered() -> None:
    shop, endpoint = shop_with(OK, ERROR)
    message = shop.message(endpoint)
    shop.fast.deliver(message)
    shop.fast.deliver(message)

    entry = logged(shop, endpoint)
    assert (entry.status, entry.attempts, entry.http_status) == ("delivered", 2, 204)
    assert shop.retries.messages == []


def test_a_message_that_is_moved_keeps_what_the_log_says_of_its_attempts() -> None:
    shop, endpoint = shop_with(ERROR)
    message = shop.message(endpoint)
    shop.fast.deliver(message)
    shop.fast.deliver(message)  # a copy, when the endpoint is known to fail

    assert (logged(shop, endpoint).status, logged(shop, endpoint).attempts) == ("retrying", 1)


def test_a_dropped_message_keeps_the_count_of_its_attempts() -> None:
    shop, endpoint = shop_with(ERROR)
    message = shop.message(endpoint)
    shop.fast.deliver(message)
    shop.webhooks.change("acme", endpoint.id, enabled=False)
    shop.slow.deliver(message)

    assert (logged(shop, endpoint).status, logged(shop, endpoint).attempts) == ("dropped", 1)


def test_a_delivered_message_whose_copy_comes_late_is_not_shown_as_dropped() -> None:
    shop, endpoint = shop_with(OK)
    message = shop.message(endpoint)
    shop.fast.deliver(message)
    shop.webhooks.change("acme", endpoint.id, enabled=False)
    shop.fast.deliver(message)

    assert logged(shop, endpoint).status == "delivered"


def test_many_messages_of_a_dead_endpoint_all_end_in_time_and_none_fills_a_dead_letter_queue() -> None:
    shop, endpoint = shop_with(TIMEOUT)
    for number in range(5):
        shop.fast.deliver(shop.message(endpoint, f"msg_{number}"))
    receives: dict[str, int] = {}
    due = [
        (shop.clock() + timedelta(seconds=delay), it)
        for it, delay in zip(shop.retries.messages, shop.retries.delays, strict=True)
    ]
    started = shop.clock()
    while due:
        at, message = due.pop(due.index(min(due, key=lambda it: it[0])))
        shop.clock.advance(max(timedelta(0), at - shop.clock()))
        receives[message.id] = receives.get(message.id, 0) + 1
        if (away := shop.slow.deliver(message)) is not None:
            assert away <= 12 * 3_600
            due.append((shop.clock() + timedelta(seconds=away), message))

    assert shop.clock() - started < timedelta(seconds=120_000)  # maxWaitSeconds in infra/functions.yaml
    assert max(receives.values()) < 200  # maxReceives
    assert {it.status for it in shop.webhooks.log("acme", endpoint.id, 10)} == {"failed"}
    failed = Metric.WEBHOOK_DELIVERIES, frozenset({("outcome", WebhookOutcome.FAILED)})
    assert shop.telemetry.counts[failed] == 5


def test_a_test_is_tried_at_once_while_its_endpoint_rests_and_ends_the_rest() -> None:
    shop, endpoint = shop_with(TIMEOUT, OK)
    shop.fast.deliver(shop.message(endpoint))

    test = shop.webhooks.test("acme", endpoint.id)
    shop.fast.deliver(test)

    assert shop.retries.delays[-1] == 0
    assert shop.slow.deliver(shop.retries.messages[-1]) is None
    assert logged(shop, endpoint, test.id).status == "delivered"
    assert shop.state(endpoint).health.failures == 0


def test_a_test_that_fails_waits_like_any_other_message() -> None:
    shop, endpoint = shop_with(TIMEOUT)
    shop.fast.deliver(shop.message(endpoint))
    test = shop.webhooks.test("acme", endpoint.id)

    assert shop.slow.deliver(test) is not None
    posted = len(shop.subscriber.posted)
    assert shop.slow.deliver(test) == shop.state(endpoint).health.pause(shop.clock())
    assert len(shop.subscriber.posted) == posted


def test_a_message_delivered_again_is_tried_at_once_while_its_endpoint_rests() -> None:
    shop, endpoint = shop_with(TIMEOUT, OK)
    message = shop.message(endpoint)
    shop.fast.deliver(message)

    shop.fast.deliver(shop.webhooks.redeliver("acme", endpoint.id, message.id))
    shop.slow.deliver(shop.retries.messages[-1])

    assert (logged(shop, endpoint).status, logged(shop, endpoint).attempts) == ("delivered", 1)
