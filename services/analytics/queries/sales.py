"""What was sold day by day."""

from collections import defaultdict
from typing import Any, Final

from psycopg import sql
from psycopg.rows import dict_row

from services.analytics.api.responses import DaySales, LastMonth, Period
from services.analytics.db.database import Connection
from services.analytics.model.date_ranges import Days
from services.analytics.queries.totals import SUMS, sales

_BY_DAY: Final = sql.SQL(
    """
SELECT day, currency, {sums}
FROM sales_daily
WHERE tenant_id = %(tenant)s AND day >= %(start)s AND day < %(end)s
GROUP BY 1, 2
"""
).format(sums=SUMS)


def by_day(connection: Connection, tenant_id: str, days: Days) -> LastMonth:
    """Tell every day, also those on which nothing was sold."""
    found: defaultdict[object, list[dict[str, Any]]] = defaultdict(list)
    values = {"tenant": tenant_id, "start": days.start, "end": days.end}
    for row in connection.cursor(row_factory=dict_row).execute(_BY_DAY, values):
        found[row["day"]].append(row)
    return LastMonth(
        period=Period(start=days.start, end=days.end),
        days=[DaySales(day=day, **dict(sales(found[day]))) for day in days.each()],
    )
