"""Events as they pass over the bus, chosen by type and tenant."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from scripts.common.errors import ToolError
from scripts.common.subprocesses import terminate_as_interrupt
from scripts.ops.bus_tap import BusTap
from services.webhooks.model import TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import timedelta

    from scripts.environment.environment import Environment
    from services.shared.events import Event

_DEFAULT_TENANT: Final = "default"
_USAGE: Final = 2


def pattern(names: Sequence[str], tenant: str | None) -> dict[str, Any]:
    """Return the pattern of the rule: events of these names, or all; of one tenant, or of all."""
    chosen: dict[str, Any] = {"detail-type": sorted(names)} if names else {}
    if tenant is not None:
        # Publishers may leave the default tenant out.
        others = [{"exists": False}] if tenant == _DEFAULT_TENANT else []
        chosen["detail"] = {"tenantId": [tenant, *others]}
    return chosen


def names_of(types: Sequence[str], known: Sequence[type[Event]]) -> list[str]:
    """Return the events that are meant: by their own names, or by what webhooks call them."""
    names = {it.detail_type(): it.detail_type() for it in known}
    names |= {outside: event.detail_type() for event, outside in TYPES.items()}
    if unknown := sorted(set(types) - set(names)):
        raise ToolError(
            f"there is no event {', '.join(unknown)}; `pulsequeue events ls` lists them.", exit_code=_USAGE
        )
    return [names[it] for it in types]


def tail(
    environment: Environment,
    chosen: Mapping[str, Any],
    lifetime: timedelta,
    *,
    listening: Callable[[], object],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[dict[str, Any]]:
    """Yield envelopes as they arrive, until the time is over or the caller is interrupted."""
    tap = BusTap(environment, "tail", uuid4().hex[:8], lifetime)
    with terminate_as_interrupt():
        try:
            tap.start(chosen)
            listening()
            while now() < tap.ends:
                yield from map(json.loads, tap.take())
        finally:
            tap.stop()
