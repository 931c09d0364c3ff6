"""Recurring revenue by customer, and the indicators that follow from it."""

from fractions import Fraction
from typing import Final

from services.analytics.api.context import RequestContext, Result
from services.analytics.api.responses import (
    CustomerMovement,
    CustomerMovements,
    IndicatorsHistory,
    IndicatorsMonth,
    Money,
    Page,
)
from services.analytics.queries import movements as movement_queries
from services.analytics.queries import mrr
from services.analytics.queries.params import MonthsQuery, MovementsQuery
from services.analytics.queries.ratios import rounded
from services.shared.database import Connection
from services.shared.http.problems import forbidden

_FORMULAS: Final = {
    "annualRecurringRevenue": "12 * closing MRR",
    "averageRevenuePerAccount": "closing MRR / customers at closing",
    "quickRatio": "(new + expansion + reactivation) / (contraction + churn)",
    "lifetimeValue": "averageRevenuePerAccount / (customers churned / customers at opening); revenue, not "
    "margin",
}


def movements(connection: Connection, context: RequestContext, query: MovementsQuery) -> Result:
    if context.rules.hides_customers:
        raise forbidden(
            f"The role {context.caller.role} cannot see customers. Read /api/metrics/mrr for their sum."
        )
    filters, currency = query.filters, context.rules.currency
    after = context.position(filters, query.cursor)
    # One more than the limit shows whether there is another page.
    found = movement_queries.movements(connection, context.tenant_id, filters, after, query.limit + 1)
    page = found[: query.limit]
    more = len(found) > len(page)
    return Result(
        CustomerMovements(
            month=filters.month,
            movements=[
                CustomerMovement.model_validate(
                    {
                        "customer_id": it.customer_id,
                        "kind": it.kind,
                        "amount": Money(amount_minor=it.revenue.monthly_minor, currency=currency),
                        "exchange": Money(amount_minor=it.exchange.monthly_minor, currency=currency),
                    }
                )
                for it in page
            ],
        ),
        page=Page(
            limit=query.limit,
            next_cursor=context.next_cursor(filters, page[-1].position) if more else None,
        ),
    )


def indicators(connection: Connection, context: RequestContext, query: MonthsQuery) -> Result:
    found = mrr.revenue_months(connection, context.tenant_id, query.months)
    return Result(
        IndicatorsHistory(
            start=query.months.start,
            end=query.months.end,
            months=[_indicators(month, context.rules.currency) for month in found],
            formulas=_FORMULAS,
        )
    )


def _indicators(month: mrr.RevenueMonth, currency: str) -> IndicatorsMonth:
    its = month.indicators()

    def money(exact: Fraction | None) -> Money | None:
        return None if exact is None else Money(amount_minor=round(exact), currency=currency)

    return IndicatorsMonth(
        month=month.month,
        annual_recurring_revenue=Money(amount_minor=round(its.annual_minor), currency=currency),
        customers=its.customers,
        average_revenue_per_account=money(its.revenue_per_account_minor),
        quick_ratio=rounded(its.quick_ratio),
        lifetime_value=money(its.lifetime_value_minor),
    )
