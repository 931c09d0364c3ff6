"""Subscriptions of a file: one record is the terms of a subscription for some time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from scripts.ops.imports.plan import NOT_YET, Plan, RowRefusedError, faults
from scripts.ops.imports.records import Record
from services.shared.events import (
    SubscriptionCancelled,
    SubscriptionChanged,
    SubscriptionEvent,
    SubscriptionStarted,
    event_id,
)

if TYPE_CHECKING:
    from services.shared.events import Event


@dataclass(frozen=True, slots=True)
class _Terms:
    record: Record
    subscription_id: str
    customer_id: str
    started_at: datetime
    ended_at: datetime | None
    details: dict[str, Any]


def plan_subscriptions(records: Iterator[Record], plan: Plan) -> None:
    by_id: dict[str, list[_Terms]] = {}
    spoilt: dict[str, int] = {}
    for record in records:
        subscription_id = plan.reader.text(record, "subscription")
        try:
            terms = _terms(plan, record)
        except RowRefusedError as error:
            plan.reject(record, error.reason, error.column)
            if subscription_id is not None:
                spoilt.setdefault(subscription_id, record.line)
            continue
        by_id.setdefault(terms.subscription_id, []).append(terms)
    for subscription_id, rows in by_id.items():
        if subscription_id in spoilt:
            _reject_all(plan, rows, f"line {spoilt[subscription_id]} of the same subscription was rejected")
            continue
        try:
            plan.subjects.append(_events(plan, sorted(rows, key=lambda it: it.started_at)))
        except RowRefusedError as error:
            _reject_all(plan, rows, error.reason, error.column)
            continue
        newest = max(rows, key=lambda it: it.started_at)
        sums = plan.of_currency(newest.details["currency"])
        sums.subjects += 1
        sums.revenue_minor += newest.details["amount_minor"] if newest.ended_at is None else 0


def _reject_all(plan: Plan, rows: Sequence[_Terms], reason: str, column: str = "") -> None:
    for row in rows:
        plan.reject(row.record, reason, column)


def _terms(plan: Plan, record: Record) -> _Terms:
    reader = plan.reader
    currency = reader.required(record, "currency").upper()
    started_at, ended_at = reader.moment(record, "started_at"), reader.moment(record, "ended_at")
    amount_minor = reader.minor(record, "amount", currency)
    if started_at is None:
        raise RowRefusedError("empty", reader.column("started_at"))
    if amount_minor is None:
        raise RowRefusedError("empty", reader.column("amount"))
    if ended_at is not None and ended_at <= started_at:
        raise RowRefusedError("it ends before it starts", reader.column("ended_at"))
    return _Terms(
        record,
        reader.required(record, "subscription"),
        reader.required(record, "customer"),
        started_at,
        ended_at,
        {
            "plan": reader.required(record, "plan"),
            "interval": reader.word("interval", reader.required(record, "interval")),
            "amount_minor": amount_minor,
            "currency": currency,
        },
    )


def _events(plan: Plan, rows: Sequence[_Terms]) -> "list[Event]":
    """Return a start, changes of terms, and ends; what starts again after an end is a start."""
    if len({row.customer_id for row in rows}) > 1:
        raise RowRefusedError(
            "rows of the subscription have different customers", plan.reader.column("customer")
        )
    found: list[Event] = []
    before: _Terms | None = None
    for row in rows:
        if before and before.started_at == row.started_at:
            raise RowRefusedError(
                f"line {before.record.line} has terms from the same time on", plan.reader.column("started_at")
            )
        if before and before.ended_at and before.ended_at > row.started_at:
            raise RowRefusedError(
                f"the terms of line {before.record.line} end later than these start",
                plan.reader.column("ended_at"),
            )
        starts = before is None or before.ended_at is not None
        kind = SubscriptionStarted if starts else SubscriptionChanged
        found.append(_event(plan, kind, row, row.started_at, row.details))
        if row.ended_at is not None:
            found.append(_event(plan, SubscriptionCancelled, row, row.ended_at, {}))
        before = row
    return found


def _event(
    plan: Plan, kind: type[SubscriptionEvent], row: _Terms, at: datetime, details: dict[str, Any]
) -> SubscriptionEvent:
    transition = f"{plan.import_id}#{at.isoformat()}"
    try:
        return kind.model_validate(
            {
                "event_id": event_id(plan.tenant_id, row.subscription_id, kind.detail_type(), transition),
                "occurred_at": NOT_YET,
                "effective_at": at,
                "tenant_id": plan.tenant_id,
                "subscription_id": row.subscription_id,
                "customer_id": row.customer_id,
                **details,
            }
        )
    except ValidationError as error:
        raise RowRefusedError(faults([dict(it) for it in error.errors()])) from error
