"""The webhooks of an environment, as an operator manages them: the code of the API, without a sign-in."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from scripts.common.errors import ToolError
from services.shared.adapters.console_table import ConsoleTable
from services.shared.http.problems import ProblemError
from services.webhooks.queues import SqsMessageQueue
from services.webhooks.service import Webhooks, new_id, new_secret
from services.webhooks.store import WebhookStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scripts.environment.environment import Environment

OPERATOR = "operator"
DELIVERY = "webhook-delivery"


def webhooks_of(environment: Environment) -> Webhooks:
    table = ConsoleTable(environment.client("dynamodb"), environment.names.table("webhooks"))
    return Webhooks(
        store=WebhookStore(table),
        queue=SqsMessageQueue(environment.client("sqs"), environment.names.queue(DELIVERY)),
        clock=lambda: datetime.now(UTC),
        new_id=new_id,
        new_secret=new_secret,
        allow_local=environment.is_local,
    )


@contextmanager
def explained() -> Iterator[None]:
    """Turn a refusal of the API into an error of the command line."""
    try:
        yield
    except ProblemError as error:
        problem = error.problem("")
        details = "; ".join(f"{it.parameter} {it.problem}" for it in problem.errors or ())
        hint = " See `pulsequeue webhook ls` and --tenant." if problem.status == HTTPStatus.NOT_FOUND else ""
        raise ToolError(f"{details or problem.detail}{hint}") from error
