"""Plans an import: finds the fields of a file, and reads all of it."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from scripts.common.errors import ToolError
from scripts.ops.imports.mapping import FIELDS, WORDS, FileMapping, Kind, Understood, understand
from scripts.ops.imports.orders import plan_orders
from scripts.ops.imports.plan import Plan, Reader
from scripts.ops.imports.records import SourceFile
from scripts.ops.imports.subscriptions import plan_subscriptions

if TYPE_CHECKING:
    from services.datasets.domain import DateOrder, DecimalMark

_USAGE: Final = 2


def plan_import(source: SourceFile, kind: Kind, tenant_id: str, given: FileMapping) -> Plan:
    """Read the whole file; nothing is written."""
    understood = understand(kind, source.headers, given)
    reader = _reader(source, kind, understood, given)
    said = {
        "columns": dict(understood.columns),
        "constants": dict(given.constants),
        "words": dict(given.words),
        "date_order": reader.date_order,
        "decimal": reader.decimal,
    }
    plan = Plan(
        kind=kind,
        tenant_id=tenant_id,
        import_id=_import_id(source, kind, tenant_id, said),
        file_name=source.path.name,
        mapping=said,
        reader=reader,
        records=source.total,
        rejects=list(source.broken),
    )
    (plan_orders if kind == "orders" else plan_subscriptions)(source.records(), plan)
    plan.rejects.sort(key=lambda one: one.line)
    return plan


def _import_id(source: SourceFile, kind: Kind, tenant_id: str, said: Mapping[str, Any]) -> str:
    """Name an import by what is read and how: the same again is the same import."""
    with source.path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    whole = json.dumps([tenant_id, kind, content, said], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()[:12]


def _reader(source: SourceFile, kind: Kind, understood: Understood, given: FileMapping) -> Reader:
    _, known = WORDS[kind]
    own = {meaning.lower(): meaning for meaning in known.values()}
    words = {**known, **own, **{word.lower(): meaning for word, meaning in given.words.items()}}
    return Reader(
        understood,
        given,
        words,
        given.date_order or _guess_order(source, kind, understood),
        given.decimal or _guess_decimal(source, understood),
    )


def _guess_order(source: SourceFile, kind: Kind, understood: Understood) -> "DateOrder":
    columns = {column.name: column for column in source.recipe.columns}
    dates = [
        rule.name for rule in FIELDS[kind] if rule.name.endswith("_at") and rule.name in understood.columns
    ]
    found = [columns[understood.columns[name]] for name in dates]
    if any(column.question == "date-order" for column in found):
        name = next(column.name for column in found if column.question == "date-order")
        raise ToolError(
            f"the dates in column {name} can be read in two ways, and none of them decides; "
            "say which with --date-order dmy (31/12/2026) or --date-order mdy (12/31/2026).",
            exit_code=_USAGE,
        )
    orders = Counter(column.order for column in found if column.order)
    return orders.most_common(1)[0][0] if orders else "ymd"


def _guess_decimal(source: SourceFile, understood: Understood) -> "DecimalMark":
    used = set(understood.columns.values())
    numbers = [column for column in source.recipe.columns if column.name in used]
    marks = Counter(column.decimal for column in numbers if column.decimal)
    if marks:
        return marks.most_common(1)[0][0]
    if any(column.question == "decimal" for column in numbers):
        name = next(column.name for column in numbers if column.question == "decimal")
        raise ToolError(
            f"the numbers in column {name} can be read in two ways; say which with --decimal . (1,234.50) "
            "or --decimal , (1.234,50).",
            exit_code=_USAGE,
        )
    return "."
