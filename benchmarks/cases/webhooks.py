"""Measures what dead and slow webhooks cost the healthy ones."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

from benchmarks.fixtures.emulator import EmulatorFixture, emulator_fixture
from benchmarks.fixtures.webhook_receivers import SLOW_SECONDS, Receivers, receivers
from benchmarks.fixtures.webhooks import TABLE, Population, WebhookFixture, webhook_fixture
from benchmarks.harness.report import Report, Table
from benchmarks.harness.statistics import Scale, Spread, quantile, ratio, ratios
from benchmarks.harness.targets import TargetResult
from services.webhooks.http_client import TIMEOUT_SECONDS
from services.webhooks.service import MOST_ENDPOINTS

_ALL_HEALTHY = "none"
_SOME_BAD = "dead and slow"
_WITHIN_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class _Plan:
    variants: Mapping[str, Population]
    burst: int
    """Events of each organization that are queued at once."""
    events: int
    """Events after that, one every so often."""
    interval_seconds: float
    repetitions: int


@dataclass(frozen=True, slots=True)
class _Run:
    first_rate: float
    """Deliveries a second to the healthy webhooks, while nobody knows yet which are dead."""
    seconds: list[float]
    """From event to delivery, of each message to a healthy webhook after that."""
    rate: float
    """Deliveries a second to the healthy webhooks, in another burst after that."""


def _plan(scale: Scale) -> _Plan:
    webhooks = scale.pick(20, 200)
    return _Plan(
        variants={_ALL_HEALTHY: Population(webhooks), _SOME_BAD: Population(webhooks, some_bad=True)},
        burst=scale.pick(1, 5),
        events=scale.pick(2, 12),
        interval_seconds=1.25,
        repetitions=scale.pick(1, 5),
    )


def run(scale: Scale) -> Report:
    plan = _plan(scale)
    runs: dict[str, list[_Run]] = {name: [] for name in plan.variants}
    numbers = count()
    with emulator_fixture() as aws, receivers() as there:
        _create_table(aws)
        for repetition in range(plan.repetitions):
            for name in list(plan.variants)[:: -1 if repetition % 2 else 1]:
                runs[name].append(_measure(aws, there, f"b{next(numbers)}", plan, plan.variants[name]))
    return _report(plan, runs)


def _create_table(aws: EmulatorFixture) -> None:
    aws.clients.client("dynamodb").create_table(
        TableName=TABLE,
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )


def _measure(aws: EmulatorFixture, there: Receivers, name: str, plan: _Plan, population: Population) -> _Run:
    with webhook_fixture(aws, there, name, population) as fixture:
        return _Run(_burst(fixture, plan), _steady(fixture, plan), _burst(fixture, plan))


def _burst(fixture: WebhookFixture, plan: _Plan) -> float:
    started = time.monotonic()
    keys = [
        key
        for _ in range(plan.burst)
        for tenant in range(len(fixture.tenants))
        for key in fixture.publish(tenant)
    ]
    fixture.seconds(keys, within=_WITHIN_SECONDS)
    return len(keys) / (max(fixture.receivers.received[it] for it in keys) - started)


def _steady(fixture: WebhookFixture, plan: _Plan) -> list[float]:
    keys: list[tuple[str, str]] = []
    started = time.monotonic()
    for number in range(plan.events):
        time.sleep(max(0.0, started + number * plan.interval_seconds - time.monotonic()))
        keys += fixture.publish(number % len(fixture.tenants))
    return fixture.seconds(keys, within=_WITHIN_SECONDS)


def _report(plan: _Plan, runs: Mapping[str, list[_Run]]) -> Report:
    first = {name: [it.first_rate for it in each] for name, each in runs.items()}
    rates = {name: [it.rate for it in each] for name, each in runs.items()}
    median = {name: [quantile(it.seconds, 0.5) for it in each] for name, each in runs.items()}
    p99 = {name: [quantile(it.seconds, 0.99) for it in each] for name, each in runs.items()}
    return Report(
        name="webhooks",
        title="Webhooks beside dead and slow ones",
        question="When 20 of 200 webhooks are dead and 20 are slow: how long does a message to a healthy one "
        "take, and how many are delivered a second, compared with none?",
        method=_method(plan),
        findings=[
            (
                "A message to a healthy webhook takes "
                f"{ratio(median[_SOME_BAD], median[_ALL_HEALTHY]).text()} times as long beside dead and slow "
                "ones as beside healthy ones, at the 99th percentile "
                f"{ratio(p99[_SOME_BAD], p99[_ALL_HEALTHY]).text()} times."
            ),
            (
                f"In a burst they receive {ratio(rates[_SOME_BAD], rates[_ALL_HEALTHY]).text()} times as "
                "many messages a second; in a burst to webhooks that were never called, when the "
                "dead and slow ones are not known yet, "
                f"{ratio(first[_SOME_BAD], first[_ALL_HEALTHY]).text()} times."
            ),
        ],
        tables=(
            Table(
                "Messages to healthy webhooks",
                ("other webhooks", "p50 s", "p99 s", "slowest s", "a second, first burst", "second burst"),
                [
                    (
                        name,
                        Spread.of(median[name]).text(),
                        Spread.of(p99[name]).text(),
                        Spread.of([max(it.seconds) for it in runs[name]]).text(),
                        Spread.of(first[name]).text(),
                        Spread.of(rates[name]).text(),
                    )
                    for name in runs
                ],
            ),
        ),
        targets=(
            TargetResult(
                "webhook-latency",
                Spread.interval(
                    [bad - good for bad, good in zip(p99[_SOME_BAD], p99[_ALL_HEALTHY], strict=True)]
                ),
                "0 s",
                f"{TIMEOUT_SECONDS:g} s: one lane waits for the dead",
            ),
            TargetResult(
                "webhook-throughput", Spread.interval(ratios(rates[_SOME_BAD], rates[_ALL_HEALTHY])), "1 ×"
            ),
        ),
        series={
            f"{name}, repetition {n}: seconds to deliver": it.seconds
            for name, each in runs.items()
            for n, it in enumerate(each)
        }
        | {f"{name}: first burst, messages/s": first[name] for name in runs}
        | {f"{name}: second burst, messages/s": rates[name] for name in runs},
    )


def _method(plan: _Plan) -> list[str]:
    webhooks, watched = plan.variants[_SOME_BAD].webhooks, len(plan.variants[_SOME_BAD].watched)
    return [
        (
            f"{webhooks} webhooks of {-(-webhooks // MOST_ENDPOINTS)} organizations. In one variant one of "
            f"ten takes the connection and never answers, and another answers after {SLOW_SECONDS:g} s; in "
            f"the other variant they answer at once. {watched} answer at once in both, and only they are "
            "measured."
        ),
        (
            f"First {plan.burst} events of each organization are queued at once, for webhooks that were "
            "never called: the rate counts until the last message to a healthy webhook. Then "
            f"{plan.events} events follow, one every {plan.interval_seconds:g} s, each for the webhooks of "
            "one organization: the time is from event to delivery. Then the burst again, when both lanes "
            "know which webhooks are dead or slow."
        ),
        (
            "The code of the three functions runs in this process, on the queues and the table of an "
            "emulator, over HTTP on loopback. Threads stand for the event source mappings, with the batch "
            "sizes and the concurrency of infra/functions.yaml. Everything shares this machine's cores: the "
            "times describe this machine; the ratios are what counts."
        ),
        f"The variants in turns, {plan.repetitions} repetitions, each with new webhooks and new queues.",
    ]
