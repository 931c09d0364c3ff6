"""Stock movements, contention, the last audit and table capacity."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from scripts.grafana import panels as p
from scripts.grafana.layout import Section, board
from scripts.grafana.panels import Query
from scripts.grafana.promql import Expression, gauge, increase_in_view, legend, rate, series, share, within
from services.shared.metric_names import REJECTIONS, CapacityKind, Label, Metric, StockOperation, StockOutcome

_NEVER_AUDITED = "no audit yet"


def build() -> Dashboard:
    description = "Stock reserved, confirmed, released and restocked; contention; results of the last audit."
    return board(
        "pulsequeue-inventory", "Inventory", description, [_movements(), _contention(), _audit(), _tables()]
    )


def _movements() -> Section:
    return Section(
        "Movements",
        [
            [
                p.graph(
                    "Units moved",
                    "Units of stock per second, by operation.",
                    Query(rate(Metric.INVENTORY_UNITS, by=Label.OPERATION), legend(Label.OPERATION)),
                    unit=p.UNITS_PER_SECOND,
                ),
                p.graph(
                    "Operations completed",
                    "Orders per second whose stock was moved.",
                    Query(
                        rate(
                            Metric.INVENTORY_OPERATIONS,
                            within(Label.OUTCOME, StockOutcome.DONE),
                            by=Label.OPERATION,
                        ),
                        legend(Label.OPERATION),
                    ),
                    unit=p.ORDERS_PER_SECOND,
                ),
                p.graph(
                    "Rejected reservations",
                    "Orders per second rejected without a reservation, by reason.",
                    Query(
                        rate(
                            Metric.INVENTORY_OPERATIONS,
                            within(Label.OPERATION, StockOperation.RESERVE),
                            within(Label.OUTCOME, *REJECTIONS),
                            by=Label.OUTCOME,
                        ),
                        legend(Label.OUTCOME),
                    ),
                    unit=p.ORDERS_PER_SECOND,
                    stacked=True,
                ),
            ]
        ],
    )


def _contention() -> Section:
    contended = rate(
        Metric.INVENTORY_OPERATIONS, within(Label.OUTCOME, StockOutcome.CONTENDED), by=Label.OPERATION
    )
    tried = rate(
        Metric.INVENTORY_OPERATIONS,
        within(Label.OUTCOME, StockOutcome.CONTENDED, StockOutcome.DONE),
        by=Label.OPERATION,
    )
    return Section(
        "Contention",
        [
            [
                p.graph(
                    "Contended operations",
                    "Orders per second returned to the queue because other batches were writing the same "
                    "items.",
                    Query(contended, legend(Label.OPERATION)),
                    unit=p.ORDERS_PER_SECOND,
                    runbook="hot-sku",
                ),
                p.graph(
                    "Contention rate",
                    "Contended operations as a share of all attempts; no value without attempts.",
                    Query(share(contended, tried), legend(Label.OPERATION)),
                    unit=p.SHARE,
                    steps=((0.05, p.YELLOW), (0.25, p.RED)),
                    runbook="hot-sku",
                ),
            ]
        ],
    )


def _units(*operations: StockOperation) -> Expression:
    return increase_in_view(Metric.INVENTORY_UNITS, within(Label.OPERATION, *operations))


def _audit() -> Section:
    audit_gauges = {
        "Drift": (
            Metric.AUDIT_DRIFT,
            "Units by which reserved stock differed from open reservations at the last `pulsequeue audit`.",
            "inventory-mismatch",
        ),
        "Expired reservations still open": (
            Metric.AUDIT_OVERDUE,
            "Reservations past their expiry that were still open at the last `pulsequeue audit`.",
            "expired-reservations",
        ),
        "Charged, not confirmed": (
            Metric.AUDIT_UNCONFIRMED,
            "Charges without a confirmed order at the last `pulsequeue audit`.",
            "unconfirmed-charges",
        ),
        "Held for days": (
            Metric.AUDIT_HELD_LONG,
            "Units in open reservations whose payments take days (bank transfers) at the last audit.",
            "reservation-leak",
        ),
    }
    audited = [
        p.figure(
            title,
            description,
            gauge(metric),
            unit=p.COUNT,
            steps=p.ANY_IS_BAD,
            no_value=_NEVER_AUDITED,
            runbook=runbook,
        )
        for title, (metric, description, runbook) in audit_gauges.items()
    ]
    last = p.figure(
        "Last audit",
        "Time since stock was last checked against the open orders.",
        f"time() - max ({series(Metric.AUDIT_FINISHED)})",
        unit=p.SECONDS,
        no_value=_NEVER_AUDITED,
        runbook="inventory-mismatch",
    )
    still_reserved = p.figure(
        "Net reserved",
        "Units reserved minus units confirmed or released in the time range. Above zero while orders are "
        "open; below zero when orders placed earlier settle in the time range.",
        f"{_units(StockOperation.RESERVE)} - {_units(StockOperation.CONFIRM, StockOperation.RELEASE)}",
        unit=p.COUNT,
        at_end_of_view=True,
        decimals=0,
        runbook="expired-reservations",
    )
    sold = p.figure(
        "Units sold",
        "Units paid and taken from stock in the time range.",
        _units(StockOperation.CONFIRM),
        unit=p.COUNT,
        at_end_of_view=True,
        decimals=0,
    )
    return Section("Audit", [[sold, still_reserved, *audited, last]])


def _tables() -> Section:
    spent = rate(Metric.CAPACITY_UNITS, by=f"{Label.TABLE}, {Label.KIND}")
    refused = {
        Metric.DYNAMODB_READ_THROTTLES: "reads throttled",
        Metric.DYNAMODB_WRITE_THROTTLES: "writes throttled",
        Metric.DYNAMODB_CONFLICTS: "transaction conflicts",
    }
    consumed = {
        Metric.DYNAMODB_CONSUMED_READ: CapacityKind.READ,
        Metric.DYNAMODB_CONSUMED_WRITE: CapacityKind.WRITE,
    }
    return Section(
        "Tables",
        [
            [
                p.graph(
                    "Capacity used by the pipeline",
                    "Capacity units per second consumed by the services' own calls, as DynamoDB returns "
                    "them. Cancelled transactions are billed but not returned.",
                    Query(spent, legend(Label.TABLE, Label.KIND)),
                    unit=p.CAPACITY_PER_SECOND,
                ),
                p.graph(
                    "Capacity by table",
                    "Capacity units per second of all clients, from CloudWatch. Zero on the local stack, "
                    "which does not report them.",
                    *(
                        Query(rate(metric, by=Label.TABLE_NAME), f"{legend(Label.TABLE_NAME)} {kind}")
                        for metric, kind in consumed.items()
                    ),
                    unit=p.CAPACITY_PER_SECOND,
                ),
                p.graph(
                    "Throttles and conflicts",
                    "Throttled requests and conflicting transactions per second; both are retried. Zero on "
                    "the local stack, which reports neither.",
                    *(
                        Query(rate(metric, by=Label.TABLE_NAME), f"{legend(Label.TABLE_NAME)} {what}")
                        for metric, what in refused.items()
                    ),
                    unit=p.CALLS_PER_SECOND,
                    runbook="hot-sku",
                ),
            ]
        ],
    )
