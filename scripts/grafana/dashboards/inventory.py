"""What happens to stock, whether the books balance, and what the tables bear."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from scripts.grafana import panels as p
from scripts.grafana.layout import Section, board
from scripts.grafana.panels import Query
from scripts.grafana.promql import Expression, gauge, increase_in_view, rate, series, share, within

_NEVER_AUDITED = "no audit yet"


def build() -> Dashboard:
    description = "Stock reserved, confirmed, released and restocked; contention; the last recount."
    return board(
        "pulsequeue-inventory", "Inventory", description, [_movements(), _contention(), _books(), _tables()]
    )


def _movements() -> Section:
    return Section(
        "Movements",
        [
            [
                p.graph(
                    "Units moved",
                    "Pieces of stock per second, by what happened to them.",
                    Query(rate("inventory_units_total", by="operation"), "{{operation}}"),
                    unit=p.PIECES_PER_SECOND,
                ),
                p.graph(
                    "Operations done",
                    "Orders per second whose stock was moved.",
                    Query(
                        rate("inventory_operations_total", within("outcome", "done"), by="operation"),
                        "{{operation}}",
                    ),
                    unit=p.ORDERS_PER_SECOND,
                ),
                p.graph(
                    "Refused reservations",
                    "Orders per second for which nothing was reserved, by reason.",
                    Query(
                        rate(
                            "inventory_operations_total",
                            within("operation", "reserve"),
                            within("outcome", "out_of_stock", "unknown_sku", "currency_mismatch"),
                            by="outcome",
                        ),
                        "{{outcome}}",
                    ),
                    unit=p.ORDERS_PER_SECOND,
                    stacked=True,
                ),
            ]
        ],
    )


def _contention() -> Section:
    contended = rate("inventory_operations_total", within("outcome", "contended"), by="operation")
    tried = rate("inventory_operations_total", within("outcome", "contended", "done"), by="operation")
    return Section(
        "Contention",
        [
            [
                p.graph(
                    "Contended operations",
                    "Orders per second that gave way to others writing the same items and went back to the "
                    "queue.",
                    Query(contended, "{{operation}}"),
                    unit=p.ORDERS_PER_SECOND,
                    runbook="hot-sku",
                ),
                p.graph(
                    "Share contended",
                    "Contended operations as a share of those tried; absent where none were tried.",
                    Query(share(contended, tried), "{{operation}}"),
                    unit=p.SHARE,
                    steps=((0.05, p.YELLOW), (0.25, p.RED)),
                    runbook="hot-sku",
                ),
            ]
        ],
    )


def _units(*operations: str) -> Expression:
    return increase_in_view("inventory_units_total", within("operation", *operations))


def _books() -> Section:
    found = {
        "Drift": (
            "audit_reserved_drift_units",
            "Units by which `reserved` differs from the open reservations at the last `pulsequeue audit`.",
            "books-differ",
        ),
        "Overdue reservations": (
            "audit_overdue_reservations",
            "Reservations past their time that were still open at the last `pulsequeue audit`.",
            "stuck-reservations",
        ),
        "Charged, not confirmed": (
            "audit_unconfirmed_charges",
            "Charges without a confirmed order at the last `pulsequeue audit`.",
            "charged-but-cancelled",
        ),
    }
    audited = [
        p.figure(
            title,
            description,
            gauge(metric),
            unit=p.COUNT,
            steps=p.ANY_IS_BAD,
            nothing=_NEVER_AUDITED,
            runbook=runbook,
        )
        for title, (metric, description, runbook) in found.items()
    ]
    last = p.figure(
        "Last audit",
        "How long ago stock was last recounted against the open orders.",
        f"time() - max ({series('audit_finished_timestamp_seconds')})",
        unit=p.SECONDS,
        nothing=_NEVER_AUDITED,
        runbook="books-differ",
    )
    still_reserved = p.figure(
        "Reserved and still open",
        "Units reserved in view less those confirmed or released in view. Above zero while orders are on "
        "their "
        "way; it may dip below when orders from before the view are settled in it.",
        f"{_units('reserve')} - {_units('confirm', 'release')}",
        unit=p.COUNT,
        at_end_of_view=True,
        decimals=0,
        runbook="stuck-reservations",
    )
    sold = p.figure(
        "Units sold",
        "Units confirmed in view: paid, and taken from stock.",
        _units("confirm"),
        unit=p.COUNT,
        at_end_of_view=True,
        decimals=0,
    )
    return Section("Books", [[sold, still_reserved, *audited, last]])


def _tables() -> Section:
    spent = rate("dynamodb_capacity_units_total", by="table, kind")
    refused = {
        "aws_dynamodb_read_throttle_events_total": "reads throttled",
        "aws_dynamodb_write_throttle_events_total": "writes throttled",
        "aws_dynamodb_transaction_conflicts_total": "transaction conflicts",
    }
    consumed = {
        "aws_dynamodb_consumed_read_capacity_units_total": "read",
        "aws_dynamodb_consumed_write_capacity_units_total": "write",
    }
    return Section(
        "Tables",
        [
            [
                p.graph(
                    "Capacity the pipeline used",
                    "Capacity units per second that the services' own calls consumed, as DynamoDB told them. "
                    "Cancelled transactions are billed and not told.",
                    Query(spent, "{{table}} {{kind}}"),
                    unit=p.CAPACITY_PER_SECOND,
                ),
                p.graph(
                    "Capacity by table",
                    "Capacity units per second as CloudWatch has them, whoever used them. Zero on the local "
                    "stack, which does not report them.",
                    *(
                        Query(rate(metric, by="table_name"), f"{{{{table_name}}}} {kind}")
                        for metric, kind in consumed.items()
                    ),
                    unit=p.CAPACITY_PER_SECOND,
                ),
                p.graph(
                    "Refused by DynamoDB",
                    "Throttled requests and conflicting transactions per second; both are tried again. Zero "
                    "on "
                    "the local stack, which knows neither.",
                    *(
                        Query(rate(metric, by="table_name"), f"{{{{table_name}}}} {what}")
                        for metric, what in refused.items()
                    ),
                    unit=p.CALLS_PER_SECOND,
                    runbook="hot-sku",
                ),
            ]
        ],
    )
