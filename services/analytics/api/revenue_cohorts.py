"""Revenue of cohorts, without that of groups which governance withholds."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from services.analytics.api.context import RequestContext, Result
from services.analytics.api.responses import (
    CohortRevenue,
    Money,
    RevenueCohort,
    RevenueCohortCell,
    RevenueCohorts,
)
from services.analytics.queries import cohorts
from services.analytics.queries.params import CohortsQuery
from services.analytics.queries.ratios import ratio, rounded
from services.shared.database import Connection


def reveals(query: CohortsQuery) -> Sequence[str]:
    """Name the metric that the sum of all cohorts is."""
    return ("mrr",) if query.basis == "subscription" else ("summary",)


def revenue_cohorts(connection: Connection, context: RequestContext, query: CohortsQuery) -> Result:
    smallest = context.rules.smallest_group
    currency = context.rules.currency if query.basis == "subscription" else None
    found = cohorts.revenue_cohorts(connection, context.tenant_id, query, context.today)
    response = RevenueCohorts(
        basis=query.basis,
        start=query.months.start,
        end=query.months.end,
        cohorts=[_cohort(it, smallest, currency) for it in found],
    )
    withheld = any(
        it.customers is None or any(cell.revenue is None for cell in it.months) for it in response.cohorts
    )
    return Result(response, withheld=f"groups of fewer than {smallest} customers" if withheld else None)


def _cohort(found: cohorts.CohortRevenue, smallest_group: int, currency: str | None) -> RevenueCohort:
    activity = found.activity
    visible = activity.customers >= smallest_group
    first = found.revenue[activity.month]
    return RevenueCohort(
        month=activity.month,
        customers=activity.customers if visible else None,
        months=[
            RevenueCohortCell(
                month=month,
                revenue=_revenue(found.revenue[month], first, currency)
                if visible and active >= smallest_group
                else None,
            )
            for month, active in activity.active
        ],
    )


def _revenue(
    net: Mapping[str, Fraction], first: Mapping[str, Fraction], currency: str | None
) -> list[CohortRevenue]:
    """Map amounts by currency; that of subscriptions is the tenant's own."""
    return [
        CohortRevenue(
            currency=currency or its,
            net=Money(amount_minor=round(amount), currency=currency or its),
            retention=rounded(ratio(amount, first.get(its, 0))),
        )
        for its, amount in sorted(net.items())
    ]
