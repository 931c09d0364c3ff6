"""The models of a warehouse as SQL that both adapters run: raw rows, merged by key into modeled tables.

`raw` holds the newest file of each day, `modeled` one row per key. What is in no file of its day any more
is removed. `fct_sales` is made from the modeled orders of the days that were loaded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.warehouse.tables import BY_NAME, DAY, ORDER_ITEMS, ORDERS, Column, ColumnType, ExportedTable

RAW: Final = "raw"
MODELED: Final = "modeled"


@dataclass(frozen=True, slots=True)
class Dialect:
    """Where the two databases differ."""

    types: Mapping[ColumnType, str]
    microseconds: str
    """A timestamp as a number."""

    def sum(self, column: Column) -> str:
        """Return the sum of a column, exact."""
        value = self.microseconds.format(column.name) if column.type == ColumnType.TIMESTAMP else column.name
        scale = 10 if column.type == ColumnType.DECIMAL else 0
        # Decimals are added exactly everywhere; whole numbers may be added as floats.
        return f"sum(CAST({value} AS DECIMAL(38, {scale})))"


DUCKDB: Final = Dialect(
    {
        ColumnType.TEXT: "VARCHAR",
        ColumnType.INTEGER: "BIGINT",
        ColumnType.WHOLE: "DECIMAL(38, 0)",
        ColumnType.DECIMAL: "DECIMAL(38, 10)",
        ColumnType.DATE: "DATE",
        ColumnType.TIMESTAMP: "TIMESTAMP",
    },
    "epoch_us({})",
)
SNOWFLAKE: Final = Dialect(
    {
        ColumnType.TEXT: "VARCHAR",
        ColumnType.INTEGER: "NUMBER(38, 0)",
        ColumnType.WHOLE: "NUMBER(38, 0)",
        ColumnType.DECIMAL: "NUMBER(38, 10)",
        ColumnType.DATE: "DATE",
        ColumnType.TIMESTAMP: "TIMESTAMP_NTZ(6)",
    },
    "date_part(epoch_microsecond, {})",
)

FCT_SALES: Final = (
    Column("tenant_id", ColumnType.TEXT),
    Column("sale_id", ColumnType.TEXT),
    Column("product", ColumnType.TEXT),
    Column("region", ColumnType.TEXT),
    Column("amount_minor", ColumnType.INTEGER),
    Column("currency", ColumnType.TEXT),
    Column("stage", ColumnType.TEXT),
    Column("customer", ColumnType.TEXT),
    Column("sale_date", ColumnType.DATE),
    Column("status", ColumnType.TEXT),
    Column(DAY, ColumnType.DATE),
)
_SALES_KEY: Final = ("tenant_id", "sale_id")

LOADS: Final = (
    Column("table_name", ColumnType.TEXT),
    Column(DAY, ColumnType.DATE),
    Column("version", ColumnType.TEXT),
    Column("row_count", ColumnType.INTEGER),
    Column("loaded_at", ColumnType.TIMESTAMP),
)
LOADS_KEY: Final = ("table_name", DAY)


def tables() -> Mapping[str, Sequence[Column]]:
    """Return every table of a warehouse by its full name."""
    exported = {
        f"{schema}.{table.name}": table.stored for table in BY_NAME.values() for schema in (RAW, MODELED)
    }
    return {**exported, f"{MODELED}.fct_sales": FCT_SALES, f"{RAW}.loads": LOADS}


def create(name: str, columns: Sequence[Column], dialect: Dialect) -> str:
    typed = ", ".join(f"{it.name} {dialect.types[it.type]}" for it in columns)
    return f"CREATE TABLE IF NOT EXISTS {name} ({typed})"


def add_column(name: str, column: Column, dialect: Dialect) -> str:
    return f"ALTER TABLE {name} ADD COLUMN {column.name} {dialect.types[column.type]}"


def clear_raw(table: ExportedTable, days: Sequence[date]) -> str:
    return f"DELETE FROM {RAW}.{table.name} WHERE {DAY} IN ({_list(days)})"


def model(table: ExportedTable, days: Sequence[date]) -> Sequence[str]:
    """Return the statements that bring the modeled tables up to the raw rows of these days."""
    columns = [it.name for it in table.stored]
    source = f"SELECT {', '.join(columns)} FROM {RAW}.{table.name} WHERE {DAY} IN ({_list(days)})"
    statements = _merge(f"{MODELED}.{table.name}", table.key, columns, source, days)
    if table in (ORDERS, ORDER_ITEMS):
        names = [it.name for it in FCT_SALES]
        return [*statements, *_merge(f"{MODELED}.fct_sales", _SALES_KEY, names, _sales(days), days)]
    return statements


def record_loads(table: ExportedTable, days: Mapping[date, tuple[str, int]], moment: str) -> Sequence[str]:
    """Return the statements that record which version of each day is loaded, with its rows."""
    values = ", ".join(
        f"({quoted(table.name)}, DATE {quoted(day.isoformat())}, {quoted(version)}, {rows:d},"
        f" TIMESTAMP {quoted(moment)})"
        for day, (version, rows) in days.items()
    )
    return (
        f"DELETE FROM {RAW}.loads WHERE table_name = {quoted(table.name)} AND {DAY} IN ({_list(list(days))})",
        f"INSERT INTO {RAW}.loads VALUES {values}",
    )


def raw_rows(table: ExportedTable, days: Sequence[date]) -> str:
    return f"SELECT {DAY}, count(*) FROM {RAW}.{table.name} WHERE {DAY} IN ({_list(days)}) GROUP BY 1"


def modeled_totals(table: ExportedTable, dialect: Dialect) -> str:
    sums = ", ".join(dialect.sum(column) for column in table.summed)
    return f"SELECT {DAY}, count(*), {sums} FROM {MODELED}.{table.name} GROUP BY 1"


def loaded_versions() -> str:
    return f"SELECT table_name, {DAY}, version FROM {RAW}.loads"


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _sales(days: Sequence[date]) -> str:
    """A sale per line of an order that is open or won; what was rejected, cancelled or refunded is none."""
    return (
        "SELECT o.tenant_id, o.order_id || '/' || i.sku AS sale_id, i.sku AS product, o.region,"
        " coalesce(i.total_minor, i.quantity * i.unit_price_minor) AS amount_minor, o.currency,"
        " CASE o.status WHEN 'CONFIRMED' THEN 'Won' WHEN 'RESERVED' THEN 'Negotiation'"
        " ELSE 'Qualification' END AS stage, o.customer_id AS customer,"
        " CAST(o.placed_at AS DATE) AS sale_date,"
        f" CASE o.status WHEN 'CONFIRMED' THEN 'Closed' ELSE 'Open' END AS status, o.{DAY}"
        f" FROM {MODELED}.orders o JOIN {MODELED}.order_items i"
        " ON i.tenant_id = o.tenant_id AND i.order_id = o.order_id"
        f" WHERE o.{DAY} IN ({_list(days)}) AND o.status IN ('PLACED', 'RESERVED', 'CONFIRMED')"
    )


def _merge(
    target: str, key: Sequence[str], columns: Sequence[str], source: str, days: Sequence[date]
) -> Sequence[str]:
    keys = ", ".join(key)
    others = [it for it in columns if it not in key]
    matched = " AND ".join(f"t.{it} = s.{it}" for it in key)
    updates = ", ".join(f"{it} = s.{it}" for it in others)
    changed = " OR ".join(f"t.{it} IS DISTINCT FROM s.{it}" for it in others)
    inserted = ", ".join(f"s.{it}" for it in columns)
    remove = (
        f"DELETE FROM {target} WHERE {DAY} IN ({_list(days)})"
        f" AND ({keys}) NOT IN (SELECT {keys} FROM ({source}) AS s)"
    )
    merge = (
        f"MERGE INTO {target} t USING ({source}) s ON {matched}"
        f" WHEN MATCHED AND ({changed}) THEN UPDATE SET {updates}"
        f" WHEN NOT MATCHED THEN INSERT ({', '.join(columns)}) VALUES ({inserted})"
    )
    return remove, merge


def _list(days: Sequence[date]) -> str:
    return ", ".join(f"DATE {quoted(day.isoformat())}" for day in days)
