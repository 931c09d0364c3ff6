"""Whom alarms are sent to, and a test notification by the way that alarms take."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from scripts.common.errors import ToolError
from scripts.environment.environment import Environment
from services.notifications.domain import Kind, Receiver, receivers

_PARAMETER = "alert-receivers"
_LOOPBACK = {"127.0.0.1", "localhost"}


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A subscription of the topic of alarms."""

    protocol: str
    endpoint: str
    confirmed: bool


class Alerts:
    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._parameter = environment.names.secret(_PARAMETER)

    def receivers(self) -> Sequence[Receiver]:
        """List whom the function `notify` sends to."""
        ssm = self._environment.client("ssm")
        try:
            response = ssm.get_parameter(Name=self._parameter, WithDecryption=True)
        except ssm.exceptions.ParameterNotFound:
            raise ToolError(
                f"parameter {self._parameter} does not exist; deploy {self._environment.name} first."
            ) from None
        return receivers(response["Parameter"]["Value"])

    def add(self, receiver: Receiver) -> bool:
        """Add a receiver; False if it is one already."""
        self._check(receiver.url)
        known = self.receivers()
        if receiver not in known:
            self._write([*known, receiver])
        return receiver not in known

    def remove(self, kind: Kind) -> int:
        """Remove all receivers of a kind, and return their number."""
        known = self.receivers()
        remaining = [it for it in known if it.kind is not kind]
        if len(remaining) < len(known):
            self._write(remaining)
        return len(known) - len(remaining)

    def subscribers(self) -> Sequence[Subscriber]:
        """List the subscriptions of the topic: e-mail, AWS's own apps, and the function `notify`."""
        pages = self._environment.client("sns").get_paginator("list_subscriptions_by_topic")
        return [
            Subscriber(it["Protocol"], it["Endpoint"], it["SubscriptionArn"].startswith("arn:"))
            for page in pages.paginate(TopicArn=self._topic())
            for it in page["Subscriptions"]
        ]

    def test(self) -> str:
        """Publish a notification to the topic, as CloudWatch does, and return its message id."""
        name, now = self._environment.name, datetime.now(UTC).isoformat(timespec="seconds")
        response = self._environment.client("sns").publish(
            TopicArn=self._topic(),
            Subject=f"Test of the alarms of {name}",
            Message=f"Alarms of {name} reach you. Sent by `pulsequeue alerts test` at {now}; all is well.",
        )
        return str(response["MessageId"])

    def _topic(self) -> str:
        name = self._environment.names.alarm_topic
        for page in self._environment.client("sns").get_paginator("list_topics").paginate():
            for topic in page["Topics"]:
                if topic["TopicArn"].endswith(f":{name}"):
                    return str(topic["TopicArn"])
        raise ToolError(f"topic {name} does not exist in {self._environment.region}; deploy it first.")

    def _check(self, url: str) -> None:
        parts = urlsplit(url)
        local = self._environment.is_local and parts.hostname in _LOOPBACK
        if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
            raise ToolError("the address must be an https URL.", exit_code=2)

    def _write(self, configured: Sequence[Receiver]) -> None:
        by_kind: Mapping[str, Sequence[str]] = {
            kind: [it.url for it in configured if it.kind is kind] for kind in Kind
        }
        self._environment.client("ssm").put_parameter(
            Name=self._parameter, Value=json.dumps(by_kind), Type="SecureString", Overwrite=True
        )
