"""Writes tables and amounts into docs/scale.md and docs/cost.md. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence

from scripts.cost.prices import MILLION

VOLUMES = (0, MILLION, 100 * MILLION)
_SLOT = re.compile(r"(<!-- (\w+): written by `make scale` -->\n).*?(<!-- end -->)", re.DOTALL)


def with_tables(text: str, tables: Mapping[str, str]) -> str:
    """Return the page with its tables replaced."""
    return _SLOT.sub(lambda found: f"{found[1]}\n{tables[found[2]]}\n\n{found[3]}", text)


def dollars(amount: float) -> str:
    return f"${amount:,.2f}"


def volume_label(orders: float) -> str:
    return "no orders" if not orders else f"{orders / MILLION:,.0f} M orders"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: bool = True) -> str:
    rule = "---:" if right else "---"
    lines = [columns, ["---", *[rule] * (len(columns) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
