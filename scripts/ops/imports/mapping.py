"""Which column of a file is which field: guessed by its name, or as the user says."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from scripts.common.errors import ToolError

Kind = Literal["orders", "subscriptions"]
_USAGE: Final = 2


@dataclass(frozen=True, slots=True)
class FieldRule:
    """A field, and the names that columns with it usually have."""

    name: str
    known_as: Sequence[str]
    required: bool = True


_CUSTOMER: Final = (
    "customer",
    "customer id",
    "customer no",
    "client",
    "client id",
    "user id",
    "email",
    "buyer",
)
_CURRENCY: Final = ("currency", "currency code", "presentment currency")
FIELDS: Final[Mapping[Kind, Sequence[FieldRule]]] = {
    "orders": (
        FieldRule(
            "order", ("order", "order id", "order no", "order number", "invoice", "invoice no", "id", "name")
        ),
        FieldRule("customer", _CUSTOMER),
        FieldRule(
            "placed_at",
            (
                "placed at",
                "order date",
                "ordered at",
                "invoice date",
                "created at",
                "purchased at",
                "date",
                "day",
            ),
        ),
        FieldRule("sku", ("sku", "stock code", "product", "product id", "lineitem sku", "item", "item id")),
        FieldRule("quantity", ("quantity", "qty", "units", "lineitem quantity")),
        FieldRule("currency", _CURRENCY),
        FieldRule("total", ("line total", "sales", "amount", "line amount", "extended price"), False),
        FieldRule("unit_price", ("unit price", "price", "lineitem price"), False),
        FieldRule("status", ("status", "order status", "financial status", "state"), False),
        FieldRule("region", ("region", "country", "market", "shipping country"), False),
        FieldRule("channel", ("channel", "source", "sales channel"), False),
        FieldRule("discount", ("discount", "discount amount"), False),
        FieldRule("tax", ("tax", "taxes", "vat", "tax amount"), False),
        FieldRule("shipping", ("shipping", "shipping cost", "freight", "shipping amount"), False),
    ),
    "subscriptions": (
        FieldRule("subscription", ("subscription", "subscription id", "id")),
        FieldRule("customer", _CUSTOMER),
        FieldRule("plan", ("plan", "plan name", "plan id", "product", "price id")),
        FieldRule("interval", ("interval", "billing interval", "billing period", "period", "frequency")),
        FieldRule("amount", ("amount", "price", "unit amount", "plan amount", "mrr")),
        FieldRule("currency", _CURRENCY),
        FieldRule("started_at", ("started at", "start date", "start", "created at", "from")),
        FieldRule("ended_at", ("ended at", "end date", "end", "cancelled at", "canceled at", "until"), False),
    ),
}
ORDER_STATUSES: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("paid", "completed", "complete", "shipped", "delivered", "fulfilled", "closed"), "CONFIRMED"
    ),
    **dict.fromkeys(("partially refunded", "partially_refunded", "confirmed"), "CONFIRMED"),
    **dict.fromkeys(("refunded", "returned"), "REFUNDED"),
    **dict.fromkeys(("cancelled", "canceled", "voided", "failed", "expired"), "CANCELLED"),
    "rejected": "REJECTED",
    **dict.fromkeys(("pending", "placed", "open", "reserved"), "PLACED"),
}
INTERVALS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("week", "weekly"), "week"),
    **dict.fromkeys(("month", "monthly"), "month"),
    **dict.fromkeys(("quarter", "quarterly"), "quarter"),
    **dict.fromkeys(("year", "yearly", "annual", "annually"), "year"),
}
WORDS: Final[Mapping[Kind, tuple[str, Mapping[str, str]]]] = {
    "orders": ("status", ORDER_STATUSES),
    "subscriptions": ("interval", INTERVALS),
}
"""The field whose words mean something to us, and what they mean."""


class FileMapping(BaseModel):
    """What the user says about a file; a mapping file holds it as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: Mapping[str, str] = Field(default_factory=dict)
    """The column of a field."""
    constants: Mapping[str, str] = Field(default_factory=dict)
    """The value of a field without a column, and where its cell is empty."""
    words: Mapping[str, str] = Field(default_factory=dict)
    """What a status, or an interval, of the file means."""
    date_order: Literal["ymd", "dmy", "mdy"] | None = None
    decimal: Literal[".", ","] | None = None

    def merged(self, later: "FileMapping") -> "FileMapping":
        return FileMapping(
            columns={**self.columns, **later.columns},
            constants={**self.constants, **later.constants},
            words={**self.words, **later.words},
            date_order=later.date_order or self.date_order,
            decimal=later.decimal or self.decimal,
        )


@dataclass(frozen=True, slots=True)
class Understood:
    """The column of each field, and where that comes from."""

    columns: Mapping[str, str]
    reasons: Mapping[str, str]


def understand(kind: Kind, headers: Sequence[str], given: FileMapping) -> Understood:
    """Find the column of each field; ToolError names what is missing, and the option that says it."""
    _require_known(kind, headers, given)
    columns, reasons = dict(given.columns), dict.fromkeys(given.columns, "given")
    free = [header for header in headers if header not in given.columns.values()]
    for rule in FIELDS[kind]:
        if rule.name in columns:
            continue
        names = {_plain(name): name for name in (rule.name, *rule.known_as)}
        found = next((header for name in names for header in free if _plain(header) == name), None)
        if found is not None:
            columns[rule.name], reasons[rule.name] = found, "guessed by its name"
            free.remove(found)
    missing = [
        rule.name
        for rule in FIELDS[kind]
        if rule.required and rule.name not in columns and rule.name not in given.constants
    ]
    if kind == "orders" and not {"total", "unit_price"} & set(columns):
        missing.append("total")
    if missing:
        first = missing[0]
        raise ToolError(
            f"no column for {', '.join(missing)}; name it with --map {first}=COLUMN, or give all rows one "
            f"value with --set {first}=VALUE. The file has the columns {', '.join(headers)}.",
            exit_code=_USAGE,
        )
    return Understood(columns, reasons)


def _require_known(kind: Kind, headers: Sequence[str], given: FileMapping) -> None:
    fields = [rule.name for rule in FIELDS[kind]]
    if unknown := sorted({*given.columns, *given.constants} - set(fields)):
        raise ToolError(
            f"{kind} have no field {', '.join(unknown)}; there are {', '.join(fields)}.", exit_code=_USAGE
        )
    if gone := sorted(set(given.columns.values()) - set(headers)):
        raise ToolError(
            f"the file has no column {', '.join(gone)}; it has {', '.join(headers)}.", exit_code=_USAGE
        )
    _, known = WORDS[kind]
    if wrong := sorted(set(given.words.values()) - set(known.values())):
        meanings = ", ".join(dict.fromkeys(known.values()))
        raise ToolError(f"no word can mean {', '.join(wrong)}; choose of {meanings}.", exit_code=_USAGE)


def _plain(name: str) -> str:
    """Return a name without case, spaces and marks: InvoiceNo and invoice_no are one."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
