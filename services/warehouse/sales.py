"""The sales pipeline: a snapshot that is kept, the answer of this moment, and sales from a file."""

import csv
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from services.shared.errors import PulseQueueError
from services.warehouse.models import MODELED, quoted
from services.warehouse.store import ExportStore, MissingFileError

Dimension = Literal["region", "product"]
Run = Callable[[str], Sequence[tuple[Any, ...]]]
"""Runs a statement in the warehouse."""

LAST_MONTH_DAYS: Final = 30
_FOLDER: Final = "pipeline"
_CURRENT: Final = f"{_FOLDER}/current.json"
_COLUMNS: Final = ("sale_id", "product", "region", "amount", "stage", "customer_name", "sale_date", "status")
_ROWS_AT_ONCE: Final = 1_000


class SalesFileError(PulseQueueError):
    """A file of sales that cannot be read whole; nothing of it was imported."""


class PipelineMissingError(PulseQueueError):
    """No snapshot was made yet."""


class Sale(NamedTuple):
    tenant_id: str
    sale_id: str
    product: str
    region: str
    amount_minor: int
    currency: str
    stage: str
    customer: str
    sale_date: date
    status: str


class _Model(BaseModel):
    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, populate_by_name=True, serialize_by_alias=True
    )


class PipelineRow(_Model):
    name: str | None
    currency: str | None
    sales: int
    amount_minor: int


class Pipeline(_Model):
    """Sums by region or product, and when they were true."""

    by: Dimension
    as_of: datetime
    etag: str
    rows: tuple[PipelineRow, ...]


class _Pointer(_Model):
    version: str
    as_of: datetime


def summarize(run: Run, tenant: str, by: Dimension, *, since: date | None = None) -> tuple[PipelineRow, ...]:
    """Add up the sales of a tenant, of all time or since a day."""
    when = "" if since is None else f" AND sale_date >= DATE {quoted(since.isoformat())}"
    found = run(
        f"SELECT {by}, currency, count(*), CAST(sum(amount_minor) AS DECIMAL(38, 0)) FROM {MODELED}.fct_sales"
        f" WHERE tenant_id = {quoted(tenant)}{when} GROUP BY 1, 2 ORDER BY 4 DESC, 1, 2"
    )
    return tuple(
        PipelineRow(name=name, currency=currency, sales=int(sales), amount_minor=int(amount or 0))
        for name, currency, sales, amount in found
    )


def last_month(run: Run, tenant: str, now: datetime) -> tuple[PipelineRow, ...]:
    """Ask for the sales of the last 30 days by region, as they are now."""
    return summarize(run, tenant, "region", since=now.date() - timedelta(days=LAST_MONTH_DAYS))


def refresh(run: Run, store: ExportStore, tenant: str, now: datetime) -> Sequence[Pipeline]:
    """Keep both summaries under a new version, then let `current` name it: readers see one or the other."""
    version = now.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    dimensions: tuple[Dimension, ...] = ("region", "product")
    made = [_pipeline(by, summarize(run, tenant, by), now) for by in dimensions]
    for pipeline in made:
        store.write(_key(tenant, version, pipeline.by), pipeline.model_dump_json(indent=1).encode())
    pointers = _pointers(store)
    pointers[tenant] = _Pointer(version=version, as_of=now)
    content = {name: it.model_dump(mode="json") for name, it in sorted(pointers.items())}
    store.write(_CURRENT, json.dumps(content, indent=1).encode())
    store.delete([it for it in store.keys(f"{_FOLDER}/{tenant}/") if f"/{version}/" not in it])
    return made


def current(store: ExportStore, tenant: str, by: Dimension) -> Pipeline:
    """Return the kept summary."""
    pointer = _pointers(store).get(tenant)
    if pointer is None:
        raise PipelineMissingError("there is no snapshot yet; run `pulsequeue pipeline refresh`.")
    return Pipeline.model_validate_json(store.read(_key(tenant, pointer.version, by)))


def read_sales(file: Path, tenant: str, currency: str) -> Sequence[Sale]:
    """Read a file with the columns of FCT_SALES; amounts are decimal, in a currency with cents."""
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = csv.DictReader(opened, strict=True)
        columns = {(name or "").strip().lower(): name for name in rows.fieldnames or ()}
        missing = [name for name in _COLUMNS if name not in columns]
        if missing:
            raise SalesFileError(f"{file.name} lacks the columns {', '.join(missing)}.")
        sales = [_sale(file, rows.line_num, _cells(row, columns), tenant, currency) for row in rows]
    if len({it.sale_id for it in sales}) < len(sales):
        raise SalesFileError(f"{file.name} has a sale_id more than once; keep one row of each.")
    return sales


def import_sales(run: Run, sales: Sequence[Sale]) -> None:
    """Put sales into `fct_sales`; one that is there is replaced. They belong to no exported day."""
    names = ", ".join(Sale._fields)
    for some in _portions(sales):
        keys = ", ".join(f"({quoted(it.tenant_id)}, {quoted(it.sale_id)})" for it in some)
        rows = ", ".join(f"({', '.join(map(_literal, it))})" for it in some)
        run(f"DELETE FROM {MODELED}.fct_sales WHERE (tenant_id, sale_id) IN ({keys})")
        run(f"INSERT INTO {MODELED}.fct_sales ({names}) VALUES {rows}")


def _pipeline(by: Dimension, rows: tuple[PipelineRow, ...], now: datetime) -> Pipeline:
    content = json.dumps([by, [it.model_dump() for it in rows]]).encode()
    return Pipeline(by=by, as_of=now, etag=hashlib.sha256(content).hexdigest()[:16], rows=rows)


def _key(tenant: str, version: str, by: Dimension) -> str:
    return f"{_FOLDER}/{tenant}/{version}/by-{by}.json"


def _pointers(store: ExportStore) -> dict[str, _Pointer]:
    try:
        content = store.read(_CURRENT)
    except MissingFileError:
        return {}
    return {name: _Pointer.model_validate(it) for name, it in json.loads(content).items()}


def _cells(row: Mapping[str, str | None], columns: Mapping[str, str]) -> Mapping[str, str]:
    return {name: (row[columns[name]] or "").strip() for name in _COLUMNS}


def _sale(file: Path, line: int, cells: Mapping[str, str], tenant: str, currency: str) -> Sale:
    try:
        minor = Decimal(cells["amount"]) * 100
        day = date.fromisoformat(cells["sale_date"])
    except (InvalidOperation, ValueError) as error:
        raise SalesFileError(
            f"{file.name}, line {line}: amount {cells['amount']!r} or sale_date {cells['sale_date']!r}"
            " is not a number or a date such as 2026-01-31. Nothing was imported."
        ) from error
    if not cells["sale_id"] or minor != minor.to_integral_value():
        raise SalesFileError(
            f"{file.name}, line {line}: a sale needs an id and whole cents. Nothing was imported."
        )
    return Sale(
        *(tenant, cells["sale_id"], cells["product"], cells["region"], int(minor), currency),
        *(cells["stage"], cells["customer_name"], day, cells["status"]),
    )


def _portions(sales: Sequence[Sale]) -> Iterator[Sequence[Sale]]:
    for start in range(0, len(sales), _ROWS_AT_ONCE):
        yield sales[start : start + _ROWS_AT_ONCE]


def _literal(value: object) -> str:
    if isinstance(value, date):
        return f"DATE {quoted(value.isoformat())}"
    return str(value) if isinstance(value, int) else quoted(str(value))
