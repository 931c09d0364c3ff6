"""The tables of docs/scale.md, written from the model: `make scale` puts them and docs/cost.md's in place."""

import sys
from math import inf

from scripts.cost import cost_page
from scripts.cost.bill import monthly
from scripts.cost.limits import hot_sku, limits, needed_concurrency
from scripts.cost.lines import Nature
from scripts.cost.measurements import Figures
from scripts.cost.model import Model
from scripts.cost.quotas import PUT_EVENTS_BY_REGION, SCALING_A_MINUTE
from scripts.cost.tables import VOLUMES, dollars, filled, grid, told_volume
from scripts.environment.topology import CHECKOUT, Topology

PAGE = CHECKOUT / "docs" / "scale.md"
RATES = (10, 1_000, 100_000)


def written(text: str, model: Model) -> str:
    """Return the page with each of its tables as the model has it now."""
    tables = {
        "bill": bill_table(model),
        "steps": steps_table(model),
        "limits": limits_table(model),
        "copies": copies_table(model),
        "sku": sku_table(model),
        "regions": regions_table(model),
    }
    return filled(text, tables)


def bill_table(model: Model) -> str:
    bills = [monthly(model, volume) for volume in VOLUMES]
    columns = ["", *(told_volume(volume) for volume in VOLUMES)]
    services = bills[0].services()
    rows = [[service, *(dollars(bill.sum(service=service)) for bill in bills)] for service in services]
    rows.append(["**all**", *(f"**{dollars(bill.total)}**" for bill in bills)])
    rows += [
        [f"of it {nature.value}", *(dollars(bill.sum(nature=nature)) for bill in bills)] for nature in Nature
    ]
    rows.append(["each million of orders adds", *(dollars(bill.per_million()) for bill in bills)])
    rows.append(["orders in a batch", *(f"{bill.batches['order']:.3g}" for bill in bills)])
    return grid(columns, rows)


def limits_table(model: Model) -> str:
    columns = ("limit", "as it is", "bears orders/s", *(f"at {rate:,}/s" for rate in RATES), "then")
    rows = [
        [
            limit.what,
            f"{limit.quota.value:,.0f} {limit.quota.unit}",
            bears(limit.bears),
            *(room(limit.head_room(rate)) for rate in RATES),
            limit.then,
        ]
        for limit in limits(model)
    ]
    return grid(columns, rows, right=False)


def steps_table(model: Model) -> str:
    """List at each rate what no longer suffices, the tightest first, and else the next that will not."""
    found = sorted(limits(model), key=lambda limit: limit.bears)
    rows = []
    for rate in RATES:
        met = [limit.what for limit in found if limit.head_room(rate) < 1]
        following = next(limit for limit in found if limit.head_room(rate) >= 1)
        after = f"{following.what} ({room(following.head_room(rate))})"
        rows.append([f"{rate:,}", "; ".join(met) or "nothing", after])
    return grid(("orders/s", "what no longer suffices", "next"), rows, right=False)


def copies_table(model: Model) -> str:
    rows = []
    for name, consumer in model.pipeline.items():
        needed = [needed_concurrency(model, name, rate) for rate in RATES]
        minutes = max(0.0, needed[-1]) / SCALING_A_MINUTE.value
        rows.append([name, str(consumer.maximum_concurrency), *map(_copies, needed), f"{minutes:.2g} min"])
    columns = ("function", "maximumConcurrency", *(f"busy at {rate:,}/s" for rate in RATES), "to get there")
    return grid(columns, rows)


def sku_table(model: Model) -> str:
    now = hot_sku(model)
    kinds = {
        f"as it is: batches of {model.full_batch:.0f} orders, {now.orders_a_pack:.0f} a pack": now,
        "batches of 100, for which a transaction has no room": hot_sku(model, orders_a_pack=50),
        "batches of 10": hot_sku(model, orders_a_pack=10),
        "an order a transaction": hot_sku(model, orders_a_pack=1),
    }
    rows = [[kind, f"{hot.by_capacity:,.0f}", f"{hot.by_conflict:,.0f}"] for kind, hot in kinds.items()]
    return grid(("one item, one SKU", "orders/s by its units", "orders/s one pack at a time"), rows)


def regions_table(model: Model) -> str:
    each = model.each("events", model.full_batch)
    rows = [[region, f"{quota:,}", f"{quota / each:,.0f}"] for region, quota in PUT_EVENTS_BY_REGION.items()]
    return grid(("region", "events/s", "orders/s"), rows)


def bears(orders: float) -> str:
    return "any number" if orders == inf else f"{orders:,.0f}"


def room(times: float) -> str:
    """Write head room to two digits; what does not suffice stands out."""
    if times == inf:
        return "all of it"
    told = f"{times:,.0f} ×" if times >= 10 else f"{times:.2g} ×"  # noqa: PLR2004 - two digits
    return told if times >= 1 else f"**{told}**"


def _copies(busy: float) -> str:
    return f"{busy:,.0f}" if busy >= 10 else f"{busy:.2g}"  # noqa: PLR2004 - two digits


def main() -> None:
    model = Model(Figures.load(), Topology.load())
    for page, text in (
        (PAGE, written(PAGE.read_text(encoding="utf-8"), model)),
        (cost_page.PAGE, cost_page.written(cost_page.PAGE.read_text(encoding="utf-8"), model)),
    ):
        page.write_text(text, encoding="utf-8")
        print(f"{page}: written", file=sys.stderr)


if __name__ == "__main__":
    main()
