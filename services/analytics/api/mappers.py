"""Results of queries as response models: amounts get their currency, ratios are rounded."""

from collections.abc import Iterable
from datetime import date
from typing import Any, Final

from services.analytics.api.responses import (
    Change,
    Churn,
    ChurnHistory,
    ChurnMonth,
    Cohort,
    CohortCell,
    Cohorts,
    CurrencyChange,
    DaySales,
    Fulfillment,
    LastMonth,
    Money,
    Movement,
    Mrr,
    MrrHistory,
    Order,
    OrderItem,
    OrderSummary,
    Payment,
    Period,
    Products,
    ProductSales,
    Regions,
    RegionSales,
    Revenue,
    Sales,
    Summary,
    TimelineEntry,
    UpcomingChurn,
)
from services.analytics.api.unprojected import UnprojectedOrder
from services.analytics.model.date_ranges import Days, Months
from services.analytics.queries.cohorts import CohortActivity
from services.analytics.queries.mrr import RecurringRevenue, RevenueMonth
from services.analytics.queries.orders import (
    EventRecord,
    FulfillmentRecord,
    ItemRecord,
    OrderHistory,
    OrderRecord,
    PaymentRecord,
)
from services.analytics.queries.params import CohortsQuery
from services.analytics.queries.ratios import ratio, relative_change, rounded
from services.analytics.queries.sales import ProductTotals, SalesComparison
from services.analytics.queries.sales_totals import CurrencyRevenue, SalesTotals


def _money(amount_minor: int | None, currency: str | None) -> Money | None:
    if amount_minor is None or currency is None:
        return None
    return Money(amount_minor=amount_minor, currency=currency)


# --- orders


def order_summary(record: OrderRecord, *, hide_customers: bool) -> OrderSummary:
    return OrderSummary(**_summary_fields(record, hide_customers=hide_customers))


def order(history: OrderHistory, *, hide_customers: bool) -> Order:
    return Order(
        **_summary_fields(history.order, hide_customers=hide_customers),
        items=[_item(item, history.order.currency) for item in history.items],
        payment=_payment(history.payment) if history.payment else None,
        fulfillment=_fulfillment(history.fulfillment) if history.fulfillment else None,
        timeline=[_timeline_entry(event, hide_customers=hide_customers) for event in history.events],
    )


def unprojected_order(found: UnprojectedOrder, *, hide_customers: bool) -> Order:
    """Map an order whose events have not arrived; prices are known once its stock is reserved."""
    return Order.model_validate(
        {
            "order_id": found.order_id,
            "customer_id": None if hide_customers else found.customer_id,
            "status": found.status,
            "reason": found.reason,
            "region": found.region,
            "channel": found.channel,
            "payment_method": found.payment_method,
            "amount": _money(found.amount_minor, found.currency),
            "units": sum(line.quantity for line in found.lines),
            "placed_at": found.placed_at,
            **dict.fromkeys(("reserved_at", "confirmed_at", "ended_at", "payment", "fulfillment")),
            "items": [
                {
                    "sku": line.sku,
                    "quantity": line.quantity,
                    "unit_price": _money(line.unit_price_minor, found.currency),
                    "total": _money(line.quantity * line.unit_price_minor, found.currency),
                }
                for line in found.lines
            ],
            "timeline": [],
        }
    )


def _summary_fields(record: OrderRecord, *, hide_customers: bool) -> dict[str, Any]:
    return {
        "order_id": record.order_id,
        "customer_id": None if hide_customers else record.customer_id,
        "status": record.status,
        "reason": record.reason,
        "region": record.region,
        "channel": record.channel,
        "payment_method": record.payment_method,
        "amount": _money(record.amount_minor, record.currency),
        "units": record.units,
        "placed_at": record.placed_at,
        "reserved_at": record.reserved_at,
        "confirmed_at": record.confirmed_at,
        "ended_at": record.ended_at,
    }


def _item(item: ItemRecord, currency: str | None) -> OrderItem:
    return OrderItem(
        sku=item.sku,
        quantity=item.quantity,
        unit_price=_money(item.unit_price_minor, currency),
        total=_money(item.total_minor, currency),
    )


def _payment(payment: PaymentRecord) -> Payment:
    return Payment.model_validate(
        {
            "status": payment.status,
            "amount": _money(payment.amount_minor, payment.currency),
            "charge_id": payment.charge_id,
            "reason": payment.reason,
            "refund_id": payment.refund_id,
            "refunded": _money(payment.refunded_minor, payment.currency),
            "requested_at": payment.requested_at,
            "answered_at": payment.answered_at,
            "refunded_at": payment.refunded_at,
        }
    )


def _fulfillment(fulfillment: FulfillmentRecord) -> Fulfillment:
    return Fulfillment.model_validate(
        {
            "status": fulfillment.status,
            "units": fulfillment.units,
            "due_at": fulfillment.due_at,
            "ended_at": fulfillment.ended_at,
        }
    )


_CUSTOMER_FIELDS: Final = frozenset({"customerId", "customer_id"})


def _timeline_entry(event: EventRecord, *, hide_customers: bool) -> TimelineEntry:
    hidden = _CUSTOMER_FIELDS if hide_customers else frozenset()
    return TimelineEntry(
        event=event.event,
        event_id=event.event_id,
        occurred_at=event.occurred_at,
        detail={name: value for name, value in event.detail.items() if name not in hidden},
    )


# --- recurring revenue


_MRR_FORMULA: Final = (
    "closing = opening + new + expansion + reactivation - contraction - churn + exchange; a month is "
    "a twelfth of a year, added up exactly and rounded half to even where it is shown"
)
_CHURN_FORMULAS: Final = {
    "logoChurn": "customers churned / customers at opening",
    "grossRevenueChurn": "(contraction + churn) / opening",
    "netRevenueChurn": "1 - netRevenueRetention",
    "grossRevenueRetention": "1 - grossRevenueChurn",
    "netRevenueRetention": "(opening + expansion - contraction - churn) / opening",
}


def mrr(month: RevenueMonth, currency: str) -> Mrr:
    return Mrr(
        month=month.month,
        opening=_movement(month.opening, currency),
        closing=_movement(month.closing, currency),
        formula=_MRR_FORMULA,
        **{name: _movement(revenue, currency) for name, revenue in month.movements.items()},
    )


def mrr_history(found: Iterable[RevenueMonth], months: Months, currency: str) -> MrrHistory:
    return MrrHistory(start=months.start, end=months.end, months=[mrr(month, currency) for month in found])


def churn(month: RevenueMonth, upcoming: Iterable[tuple[date, RecurringRevenue]], currency: str) -> Churn:
    return Churn(
        **_churn_fields(month, currency),
        upcoming=[UpcomingChurn(month=later, churn=_movement(churn, currency)) for later, churn in upcoming],
        formulas=_CHURN_FORMULAS,
    )


def churn_history(found: Iterable[RevenueMonth], months: Months, currency: str) -> ChurnHistory:
    return ChurnHistory(
        start=months.start,
        end=months.end,
        months=[ChurnMonth(**_churn_fields(month, currency)) for month in found],
        formulas=_CHURN_FORMULAS,
    )


def _churn_fields(month: RevenueMonth, currency: str) -> dict[str, Any]:
    rates = month.churn_rates()
    return {
        "month": month.month,
        "opening": _movement(month.opening, currency),
        "expansion": _movement(month.movements["expansion"], currency),
        "contraction": _movement(month.movements["contraction"], currency),
        "churn": _movement(month.movements["churn"], currency),
        "logo_churn": rounded(rates.logo_churn),
        "gross_revenue_churn": rounded(rates.gross_revenue_churn),
        "net_revenue_churn": rounded(rates.net_revenue_churn),
        "gross_revenue_retention": rounded(rates.gross_revenue_retention),
        "net_revenue_retention": rounded(rates.net_revenue_retention),
    }


def _movement(revenue: RecurringRevenue, currency: str) -> Movement:
    return Movement(
        amount=Money(amount_minor=revenue.monthly_minor, currency=currency), customers=revenue.customers
    )


# --- cohorts


def cohorts(query: CohortsQuery, found: Iterable[CohortActivity], smallest_group: int) -> Cohorts:
    """Withhold groups smaller than the governance rule allows."""
    return Cohorts(
        basis=query.basis,
        start=query.months.start,
        end=query.months.end,
        cohorts=[_cohort(cohort, smallest_group) for cohort in found],
    )


def withholds_groups(response: Cohorts) -> bool:
    return any(
        cohort.customers is None or any(cell.active is None for cell in cohort.months)
        for cohort in response.cohorts
    )


def _cohort(cohort: CohortActivity, smallest_group: int) -> Cohort:
    visible = cohort.customers >= smallest_group
    return Cohort(
        month=cohort.month,
        customers=cohort.customers if visible else None,
        months=[
            _cohort_cell(month, active, cohort.customers, visible=visible and active >= smallest_group)
            for month, active in cohort.active
        ],
    )


def _cohort_cell(month: date, active: int, customers: int, *, visible: bool) -> CohortCell:
    return CohortCell(
        month=month,
        active=active if visible else None,
        retention=rounded(ratio(active, customers)) if visible else None,
    )


# --- sales


def last_month(days: Days, by_day: Iterable[tuple[date, SalesTotals]]) -> LastMonth:
    return LastMonth(
        period=period_of(days),
        days=[DaySales(day=day, **sales_fields(totals)) for day, totals in by_day],
    )


def regions(days: Days, by_region: Iterable[tuple[str | None, SalesTotals]]) -> Regions:
    return Regions(
        period=period_of(days),
        regions=[RegionSales(region=region, **sales_fields(totals)) for region, totals in by_region],
    )


def products(days: Days, found: Iterable[ProductTotals]) -> Products:
    return Products(
        period=period_of(days),
        products=[
            ProductSales(sku=product.sku, name=product.name, **sales_fields(product.sales))
            for product in found
        ],
    )


def summary(days: Days, comparison: SalesComparison) -> Summary:
    return Summary(
        period=period_of(days),
        current=Sales(**sales_fields(comparison.current)),
        previous_period=period_of(days.before),
        previous=Sales(**sales_fields(comparison.previous)),
        change=_change(comparison.current, comparison.previous),
    )


def period_of(days: Days) -> Period:
    return Period(start=days.start, end=days.end)


_COUNTS: Final = ("orders", "confirmed", "rejected", "cancelled", "refunded", "units")


def sales_fields(totals: SalesTotals) -> dict[str, Any]:
    return {
        **{name: getattr(totals, name) for name in _COUNTS},
        "success_rate": rounded(totals.success_rate),
        "takings": [_revenue(revenue) for revenue in totals.revenue],
    }


def _revenue(revenue: CurrencyRevenue) -> Revenue:
    currency = revenue.currency
    return Revenue(
        currency=currency,
        revenue=Money(amount_minor=revenue.revenue_minor, currency=currency),
        refunded=Money(amount_minor=revenue.refunded_minor, currency=currency),
        net=Money(amount_minor=revenue.net_minor, currency=currency),
        average_order_value=_money(revenue.average_order_value_minor, currency),
    )


def _change(current: SalesTotals, previous: SalesTotals) -> Change:
    now = {revenue.currency: revenue for revenue in current.revenue}
    before = {revenue.currency: revenue for revenue in previous.revenue}
    return Change(
        **{
            name: rounded(relative_change(getattr(current, name), getattr(previous, name)))
            for name in (*_COUNTS, "success_rate")
        },
        takings=[
            _currency_change(
                now.get(currency, CurrencyRevenue(currency)), before.get(currency, CurrencyRevenue(currency))
            )
            for currency in sorted({*now, *before})
        ],
    )


def _currency_change(now: CurrencyRevenue, before: CurrencyRevenue) -> CurrencyChange:
    return CurrencyChange(
        currency=now.currency,
        revenue=rounded(relative_change(now.revenue_minor, before.revenue_minor)),
        refunded=rounded(relative_change(now.refunded_minor, before.refunded_minor)),
        net=rounded(relative_change(now.net_minor, before.net_minor)),
        average_order_value=rounded(
            relative_change(now.average_order_value_minor, before.average_order_value_minor)
        ),
    )
