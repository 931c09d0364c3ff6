"""How full the queues are, how old their oldest message is, and what ended in a dead-letter queue."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from scripts.grafana import panels as p
from scripts.grafana.layout import Section, board, queue_variable
from scripts.grafana.panels import Column, Query
from scripts.grafana.promql import CHOSEN_QUEUE, CONSUMED, DEAD_LETTERS, gauge, increase_in_view, rate

_LEGEND = "{{queue}}"
_VISIBLE = "aws_sqs_messages_visible"
_OLDEST = "aws_sqs_oldest_message_age_seconds"


def build() -> Dashboard:
    description = "Every queue and every dead-letter queue, and the rules that feed them."
    sections = [_dlq(), _queues(), _rules()]
    return board("pulsequeue-queues", "Queues and DLQs", description, sections, variables=[queue_variable()])


def _by_queue(metric: str, *matchers: str) -> str:
    return gauge(metric, CHOSEN_QUEUE, *matchers, how="max", by="queue")


def _dlq() -> Section:
    return Section(
        "Dead letters",
        [
            [
                p.figure(
                    "Dead letters",
                    "Messages in the dead-letter queues that are chosen.",
                    gauge(_VISIBLE, CHOSEN_QUEUE, DEAD_LETTERS),
                    unit=p.COUNT,
                    steps=p.ANY_IS_BAD,
                    runbook="dead-letters",
                ),
                p.figure(
                    "Oldest dead letter",
                    "How long the oldest dead letter has been there. Messages are kept for 14 days.",
                    gauge(_OLDEST, CHOSEN_QUEUE, DEAD_LETTERS, how="max"),
                    unit=p.SECONDS,
                    steps=((86_400, p.YELLOW), (7 * 86_400, p.RED)),
                    runbook="dead-letters",
                ),
                p.figure(
                    "Unreadable events",
                    "Events in view that no consumer could read; they went to a dead-letter queue at once.",
                    increase_in_view("poison_events_total"),
                    unit=p.COUNT,
                    steps=p.ANY_IS_BAD,
                    at_end_of_view=True,
                    decimals=0,
                    runbook="poison",
                ),
            ],
            [
                p.graph(
                    "Dead letters by queue",
                    "Messages in each dead-letter queue.",
                    Query(_by_queue(_VISIBLE, DEAD_LETTERS), _LEGEND),
                    unit=p.COUNT,
                    steps=p.ANY_IS_BAD,
                    runbook="dead-letters",
                ),
                p.graph(
                    "Unreadable events by consumer",
                    "Events per second that a consumer could not read.",
                    Query(rate("poison_events_total", by="consumer"), "{{consumer}}"),
                    unit=p.EVENTS_PER_SECOND,
                    runbook="poison",
                ),
                p.listing(
                    "Dead-letter queues",
                    "What each dead-letter queue holds now.",
                    "queue",
                    "Queue",
                    Column("Messages", _by_queue(_VISIBLE, DEAD_LETTERS), p.COUNT),
                    Column("Oldest", _by_queue(_OLDEST, DEAD_LETTERS), p.SECONDS),
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
                    "Messages ready to be taken.",
                    Query(_by_queue(_VISIBLE, CONSUMED), _LEGEND),
                    unit=p.COUNT,
                    runbook="backlog",
                ),
                p.graph(
                    "Oldest message",
                    "How long the oldest message of each queue has been there. In the expiry queue it is "
                    "about the "
                    "hold, by design.",
                    Query(_by_queue(_OLDEST, CONSUMED), _LEGEND),
                    unit=p.SECONDS,
                    runbook="backlog",
                ),
            ],
            [
                p.graph(
                    "Being worked on",
                    "Messages taken and not yet deleted, those of a failed batch until they come again "
                    "included.",
                    Query(_by_queue("aws_sqs_messages_in_flight"), _LEGEND),
                    unit=p.COUNT,
                ),
                p.graph(
                    "Delayed",
                    "Messages whose time has not come. The expiry queue holds one for each open or recent "
                    "reservation until its hold is over.",
                    Query(_by_queue("aws_sqs_messages_delayed"), _LEGEND),
                    unit=p.COUNT,
                ),
            ],
        ],
    )


def _rules() -> Section:
    return Section(
        "Rules",
        [
            [
                p.graph(
                    "Events passed on",
                    "Events per second that each rule put into its queue. Zero on the local stack, which "
                    "does not "
                    "report them.",
                    Query(rate("aws_events_invocations_total", by="rule"), "{{rule}}"),
                    unit=p.EVENTS_PER_SECOND,
                ),
                p.graph(
                    "Events not passed on",
                    "Events per second that a rule could not deliver; they wait in the dead-letter queue "
                    "behind it. "
                    "Zero on the local stack, which does not report them.",
                    Query(rate("aws_events_failed_invocations_total", by="rule"), "{{rule}}"),
                    unit=p.EVENTS_PER_SECOND,
                    runbook="dead-letters",
                ),
            ]
        ],
    )
