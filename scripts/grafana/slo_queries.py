"""Numbers about orders that more than one dashboard shows, so that they cannot mean two things."""

from scripts.grafana.promql import Change, Expression, otherwise, plus, series, share, times, within

SETTLEMENT_TARGET = 0.999
"""Of the orders that came to their end, so many ended as they should: not by running out their hold, not
unread."""
SPEED_TARGET = 0.99
SPEED_SECONDS = "5.0"
"""Of the settled orders, so many are settled within so many seconds; a bound of one of the buckets."""

PLACED = within("outcome", "reserved", "rejected")
"""How an order begins: its stock is reserved, or it is turned down. Everything else comes later or again."""

SETTLEMENT = "order_settlement_duration_seconds"


def placed(change: Change) -> Expression:
    return change("orders_total", PLACED)


def paid(change: Change) -> Expression:
    return change("payments_total", within("outcome", "succeeded"))


def paid_share(change: Change) -> Expression:
    # An order is placed in one minute and paid in the next: at the edges of the view it can exceed the whole.
    return f"clamp_max({share(paid(change), placed(change))}, 1)"


def settlement_budget_left(change: Change) -> Expression:
    """Say what is left of the 0.1 % that may fail; all of it where no order ended.

    Ends are compared with ends and not with orders placed: an order expires a quarter of an hour after it was
    placed, and when traffic fell in between, the share would exceed the whole. Each order ends once, in one
    of these ways. What the other consumers cannot read belongs to an order that is still reserved.
    """
    unread = change("poison_events_total", within("consumer", "order"))
    failed = plus(change("orders_total", within("outcome", "expired")), unread)
    decided = change("payments_total", within("outcome", "succeeded", "failed"))
    undone = change("orders_total", within("outcome", "rejected", "cancelled", "expired"))
    return _budget_left(share(failed, plus(decided, undone, unread)), SETTLEMENT_TARGET)


def speed_budget_left(change: Change) -> Expression:
    """Say what is left of the 1 % that may take longer; all of it where nothing was settled."""
    whole = change(f"{SETTLEMENT}_count")
    in_time = change(f"{SETTLEMENT}_bucket", f'le="{SPEED_SECONDS}"')
    return _budget_left(share(f"{whole} - {in_time}", whole), SPEED_TARGET)


def age_of_numbers() -> Expression:
    return f"time() - min ({series('pulsequeue_metrics_collected_timestamp_seconds')})"


def age_of_final_numbers() -> Expression:
    return f"time() - min ({series('pulsequeue_metrics_watermark_timestamp_seconds')})"


def _budget_left(failed: Expression, target: float) -> Expression:
    return otherwise(f"1 - {times(f'({failed})', 1 / (1 - target))}", 1)
