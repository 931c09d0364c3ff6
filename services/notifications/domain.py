"""What a notification says, read from what CloudWatch, Prometheus, Budgets or people published."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from urllib.parse import quote

from services.shared.errors import MisconfiguredError


class State(StrEnum):
    ALARM = "ALARM"
    OK = "OK"
    UNKNOWN = "INSUFFICIENT_DATA"
    NOTICE = "NOTICE"
    """A message that is not about an alarm."""


@dataclass(frozen=True, slots=True)
class Notification:
    title: str
    text: str
    state: State
    at: str
    """When it was published, RFC 3339."""
    link: str = ""
    """Where to see more."""


class Kind(StrEnum):
    """Where notifications can be sent."""

    SLACK = "slack"
    TEAMS = "teams"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Receiver:
    kind: Kind
    url: str


_ALERTMANAGER_STATES: Final = {"firing": State.ALARM, "resolved": State.OK}
_LINK: Final = re.compile(r"https://\S+")


def read(message: Mapping[str, Any]) -> Notification:
    """Read one message of the topic, as SNS hands it to a function."""
    text, subject, at = str(message["Message"]), str(message.get("Subject") or ""), str(message["Timestamp"])
    alarm = _json_object(text)
    if "AlarmName" in alarm:
        return _of_alarm(alarm, at)
    state = message.get("MessageAttributes", {}).get("state", {}).get("Value", "")
    link = _LINK.search(text)
    return Notification(
        title=subject or text.splitlines()[0],
        text=text.strip(),
        state=_ALERTMANAGER_STATES.get(state, State.NOTICE),
        at=at,
        link=link.group().rstrip(".,)") if link else "",
    )


def receivers(value: str) -> tuple[Receiver, ...]:
    """Read the receivers of an environment; none while the parameter has the value it was generated with."""
    if not value.startswith("{"):
        return ()
    configured = _json_object(value)
    unknown = sorted(set(configured) - set(Kind))
    if unknown or not configured:
        raise MisconfiguredError(
            f"receivers of alarms: {', '.join(unknown) or 'no JSON object'} is not known; "
            "write them with `pulsequeue alerts add`"
        )
    return tuple(Receiver(kind, url) for kind in Kind for url in configured.get(kind, ()))


def _of_alarm(alarm: Mapping[str, Any], at: str) -> Notification:
    name, arn = str(alarm["AlarmName"]), str(alarm.get("AlarmArn", ""))
    known = {it.value for it in State}
    value = str(alarm.get("NewStateValue", ""))
    region = arn.split(":")[3] if arn.count(":") > 3 else ""  # noqa: PLR2004 -- arn:partition:service:region:…
    console = f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#alarmsV2:alarm/"
    return Notification(
        title=f"{value}: {name}",
        text=str(alarm.get("AlarmDescription") or alarm.get("NewStateReason") or name),
        state=State(value) if value in known else State.NOTICE,
        at=str(alarm.get("StateChangeTime") or at),
        link=f"{console}{quote(name, safe='')}" if region else "",
    )


def _json_object(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
