"""Queries about orders that several dashboards share, defined once."""

from scripts.grafana.promql import Change, Expression, otherwise, plus, series, share, times, within
from services.shared.metric_names import Consumer, Label, Metric, OrderOutcome, PaymentOutcome

SETTLEMENT_TARGET = 0.999
"""Share of the finished orders that neither expired nor were unreadable."""
SPEED_TARGET = 0.99
SPEED_SECONDS = 5.0
"""Share of the settled orders that settle within so many seconds; the bound of a bucket."""

PLACED = within(Label.OUTCOME, OrderOutcome.RESERVED, OrderOutcome.REJECTED)
"""The first outcome of an order: its stock is reserved or it is rejected. Others are later or repeats."""

SETTLEMENT = Metric.ORDER_SETTLEMENT


def placed(change: Change) -> Expression:
    return change(Metric.ORDERS, PLACED)


def paid(change: Change) -> Expression:
    return change(Metric.PAYMENTS, within(Label.OUTCOME, PaymentOutcome.SUCCEEDED))


def paid_share(change: Change) -> Expression:
    # An order may be placed before the time range and paid within it, so the ratio could exceed 1.
    return f"clamp_max({share(paid(change), placed(change))}, 1)"


def settlement_budget_left(change: Change) -> Expression:
    """Remaining share of the 0.1 % that may fail; all of it where no order finished.

    The ratio is to finished orders, not to orders placed: an order expires 15 minutes after it was placed, so
    when traffic falls in between, a ratio to orders placed would exceed 1. Each order finishes once, in one
    of these ways. Unreadable messages of other consumers belong to orders that are still reserved.
    """
    unreadable = change(Metric.POISON_EVENTS, within(Label.CONSUMER, Consumer.ORDER))
    failed = plus(change(Metric.ORDERS, within(Label.OUTCOME, OrderOutcome.EXPIRED)), unreadable)
    decided = change(Metric.PAYMENTS, within(Label.OUTCOME, PaymentOutcome.SUCCEEDED, PaymentOutcome.FAILED))
    unpaid = change(
        Metric.ORDERS,
        within(Label.OUTCOME, OrderOutcome.REJECTED, OrderOutcome.CANCELLED, OrderOutcome.EXPIRED),
    )
    return _budget_left(share(failed, plus(decided, unpaid, unreadable)), SETTLEMENT_TARGET)


def speed_budget_left(change: Change) -> Expression:
    """Remaining share of the 1 % that may take longer; all of it where nothing was settled."""
    whole = change(SETTLEMENT.observations)
    in_time = change(SETTLEMENT.bucket, within(Label.BOUND, str(SPEED_SECONDS)))
    return _budget_left(share(f"{whole} - {in_time}", whole), SPEED_TARGET)


def snapshot_age() -> Expression:
    return f"time() - min ({series(Metric.COLLECTED)})"


def watermark_age() -> Expression:
    return f"time() - min ({series(Metric.WATERMARK)})"


def _budget_left(failed_share: Expression, target: float) -> Expression:
    return otherwise(f"1 - {times(f'({failed_share})', 1 / (1 - target))}", 1)
