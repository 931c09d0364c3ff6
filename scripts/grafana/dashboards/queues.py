"""Queues: depth, age of the oldest message, dead-letter queues and delivery rules."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from scripts.grafana import panels as p
from scripts.grafana.layout import Section, board, queue_variable
from scripts.grafana.panels import Column, Query
from scripts.grafana.promql import (
    DEAD_LETTER_QUEUES,
    SELECTED_QUEUE,
    WORK_QUEUES,
    gauge,
    increase_in_view,
    legend,
    rate,
)
from services.shared.metric_names import Label, Metric

_LEGEND = legend(Label.QUEUE)
_VISIBLE = Metric.SQS_VISIBLE
_OLDEST = Metric.SQS_OLDEST_AGE


def build() -> Dashboard:
    description = "All queues and dead-letter queues, and the rules that deliver to them."
    sections = [_dlq(), _queues(), _rules()]
    return board("pulsequeue-queues", "Queues and DLQs", description, sections, variables=[queue_variable()])


def _by_queue(metric: Metric, *matchers: str) -> str:
    return gauge(metric, SELECTED_QUEUE, *matchers, how="max", by=Label.QUEUE)


def _dlq() -> Section:
    return Section(
        "Dead letters",
        [
            [
                p.figure(
                    "Dead letters",
                    "Messages in the selected dead-letter queues.",
                    gauge(_VISIBLE, SELECTED_QUEUE, DEAD_LETTER_QUEUES),
                    unit=p.COUNT,
                    steps=p.ANY_IS_BAD,
                    runbook="dead-letters",
                ),
                p.figure(
                    "Oldest dead letter",
                    "Age of the oldest message in a dead-letter queue. Messages are retained for 14 days.",
                    gauge(_OLDEST, SELECTED_QUEUE, DEAD_LETTER_QUEUES, how="max"),
                    unit=p.SECONDS,
                    steps=((86_400, p.YELLOW), (7 * 86_400, p.RED)),
                    runbook="dead-letters",
                ),
                p.figure(
                    "Unreadable events",
                    "Events in the time range that a consumer could not read; they go to its dead-letter "
                    "queue without retries.",
                    increase_in_view(Metric.POISON_EVENTS),
                    unit=p.COUNT,
                    steps=p.ANY_IS_BAD,
                    at_end_of_view=True,
                    decimals=0,
                    runbook="unreadable-messages",
                ),
            ],
            [
                p.graph(
                    "Dead letters by queue",
                    "Messages in each dead-letter queue.",
                    Query(_by_queue(_VISIBLE, DEAD_LETTER_QUEUES), _LEGEND),
                    unit=p.COUNT,
                    steps=p.ANY_IS_BAD,
                    runbook="dead-letters",
                ),
                p.graph(
                    "Unreadable events by consumer",
                    "Events per second that a consumer could not read.",
                    Query(rate(Metric.POISON_EVENTS, by=Label.CONSUMER), legend(Label.CONSUMER)),
                    unit=p.EVENTS_PER_SECOND,
                    runbook="unreadable-messages",
                ),
                p.summary_table(
                    "Dead-letter queues",
                    "Current contents of each dead-letter queue.",
                    Label.QUEUE,
                    "Queue",
                    Column("Messages", _by_queue(_VISIBLE, DEAD_LETTER_QUEUES), p.COUNT),
                    Column("Oldest", _by_queue(_OLDEST, DEAD_LETTER_QUEUES), p.SECONDS),
                    runbook="dead-letters",
                ),
            ],
        ],
    )


def _queues() -> Section:
    return Section(
        "Queues",
        [
            [
                p.graph(
                    "Waiting",
                    "Messages waiting to be received.",
                    Query(_by_queue(_VISIBLE, WORK_QUEUES), _LEGEND),
                    unit=p.COUNT,
                    runbook="queue-backlog",
                ),
                p.graph(
                    "Oldest message",
                    "Age of the oldest message in each queue. In the expiry queue it is about the length of "
                    "the hold, by design.",
                    Query(_by_queue(_OLDEST, WORK_QUEUES), _LEGEND),
                    unit=p.SECONDS,
                    runbook="queue-backlog",
                ),
            ],
            [
                p.graph(
                    "In flight",
                    "Messages received and not yet deleted, including those of a failed batch until they are"
                    " redelivered.",
                    Query(_by_queue(Metric.SQS_IN_FLIGHT), _LEGEND),
                    unit=p.COUNT,
                ),
                p.graph(
                    "Delayed",
                    "Messages with a delivery delay. The expiry queue has one for each open or recent "
                    "reservation until its hold ends.",
                    Query(_by_queue(Metric.SQS_DELAYED), _LEGEND),
                    unit=p.COUNT,
                ),
            ],
        ],
    )


def _rules() -> Section:
    return Section(
        "Delivery rules",
        [
            [
                p.graph(
                    "Events delivered",
                    "Events per second that each rule delivered to its queue. Zero on the local stack, which"
                    " does not report them.",
                    Query(rate(Metric.EVENTS_INVOCATIONS, by=Label.RULE), legend(Label.RULE)),
                    unit=p.EVENTS_PER_SECOND,
                ),
                p.graph(
                    "Events not delivered",
                    "Events per second that a rule could not deliver; they go to the rule's dead-letter "
                    "queue. Zero on the local stack, which does not report them.",
                    Query(rate(Metric.EVENTS_FAILED, by=Label.RULE), legend(Label.RULE)),
                    unit=p.EVENTS_PER_SECOND,
                    runbook="dead-letters",
                ),
            ]
        ],
    )
