"""The tables of docs/scale.md; `make scale` writes them, and those of docs/cost.md."""

import sys
from math import inf

from scripts.common.project_files import CHECKOUT
from scripts.cost import cost_page
from scripts.cost.bill import CostDriver
from scripts.cost.limits import hot_sku, limits, needed_concurrency
from scripts.cost.markdown import VOLUMES, dollars, table, volume_label, with_tables
from scripts.cost.measurements import Figures
from scripts.cost.model import Model
from scripts.cost.pipeline_costs import monthly
from scripts.cost.quotas import PUT_EVENTS_BY_REGION, SCALING_A_MINUTE
from scripts.environment.topology import Topology

PAGE = CHECKOUT / "docs" / "scale.md"
RATES = (10, 1_000, 100_000)


def with_current_tables(text: str, model: Model) -> str:
    """Return the page with its tables replaced."""
    tables = {
        "bill": bill_table(model),
        "steps": steps_table(model),
        "limits": limits_table(model),
        "copies": concurrency_table(model),
        "sku": sku_table(model),
        "regions": regions_table(model),
    }
    return with_tables(text, tables)


def bill_table(model: Model) -> str:
    bills = [monthly(model, volume) for volume in VOLUMES]
    columns = ["", *(volume_label(volume) for volume in VOLUMES)]
    services = bills[0].services()
    rows = [[service, *(dollars(bill.sum(service=service)) for bill in bills)] for service in services]
    rows.append(["**total**", *(f"**{dollars(bill.total)}**" for bill in bills)])
    rows += [
        [f"of which {driver.value}", *(dollars(bill.sum(driver=driver)) for bill in bills)]
        for driver in CostDriver
    ]
    rows.append(["per million orders", *(dollars(bill.per_million()) for bill in bills)])
    rows.append(["orders per batch", *(f"{bill.batches['order']:.3g}" for bill in bills)])
    return table(columns, rows)


def limits_table(model: Model) -> str:
    columns = ("limit", "quota", "orders/s", *(f"headroom at {rate:,}/s" for rate in RATES), "what to do")
    rows = [
        [
            limit.name,
            f"{limit.quota.value:,.0f} {limit.quota.unit}",
            rate_label(limit.max_rate),
            *(headroom_label(limit.headroom(rate)) for rate in RATES),
            limit.remedy,
        ]
        for limit in limits(model)
    ]
    return table(columns, rows, right=False)


def steps_table(model: Model) -> str:
    """List the limits exceeded at each rate, the tightest first, and the one reached next."""
    found = sorted(limits(model), key=lambda limit: limit.max_rate)
    rows = []
    for rate in RATES:
        exceeded = [limit.name for limit in found if limit.headroom(rate) < 1]
        following = next(limit for limit in found if limit.headroom(rate) >= 1)
        after = f"{following.name} ({headroom_label(following.headroom(rate))})"
        rows.append([f"{rate:,}", "; ".join(exceeded) or "none", after])
    return table(("orders/s", "limits exceeded", "next limit"), rows, right=False)


def concurrency_table(model: Model) -> str:
    rows = []
    for name, consumer in model.pipeline.items():
        needed = [needed_concurrency(model, name, rate) for rate in RATES]
        minutes = max(0.0, needed[-1]) / SCALING_A_MINUTE.value
        rows.append([name, str(consumer.maximum_concurrency), *map(_instances, needed), f"{minutes:.2g} min"])
    columns = (
        "function",
        "maximumConcurrency",
        *(f"busy at {rate:,}/s" for rate in RATES),
        "time to scale up",
    )
    return table(columns, rows)


def sku_table(model: Model) -> str:
    now = hot_sku(model)
    batches = {
        f"today: batches of {model.full_batch:.0f}, {now.orders_per_transaction:.0f} per transaction": now,
        "batches of 100, two transactions each": hot_sku(model, orders_per_transaction=50),
        "batches of 10": hot_sku(model, orders_per_transaction=10),
        "one order per transaction": hot_sku(model, orders_per_transaction=1),
    }
    rows = [[batch, f"{hot.by_capacity:,.0f}", f"{hot.by_contention:,.0f}"] for batch, hot in batches.items()]
    return table(("one hot SKU", "orders/s by write units", "orders/s one transaction at a time"), rows)


def regions_table(model: Model) -> str:
    each = model.each("events", model.full_batch)
    rows = [[region, f"{quota:,}", f"{quota / each:,.0f}"] for region, quota in PUT_EVENTS_BY_REGION.items()]
    return table(("region", "events/s", "orders/s"), rows)


def rate_label(orders: float) -> str:
    return "unlimited" if orders == inf else f"{orders:,.0f}"


def headroom_label(times: float) -> str:
    """Format with two digits, bold where it does not suffice."""
    if times == inf:
        return "unlimited"
    text = f"{times:,.0f} ×" if times >= 10 else f"{times:.2g} ×"  # noqa: PLR2004 - two digits
    return text if times >= 1 else f"**{text}**"


def _instances(busy: float) -> str:
    return f"{busy:,.0f}" if busy >= 10 else f"{busy:.2g}"  # noqa: PLR2004 - two digits


def main() -> None:
    model = Model(Figures.load(), Topology.load())
    for page, text in (
        (PAGE, with_current_tables(PAGE.read_text(encoding="utf-8"), model)),
        (cost_page.PAGE, cost_page.with_current_tables(cost_page.PAGE.read_text(encoding="utf-8"), model)),
    ):
        page.write_text(text, encoding="utf-8")
        print(f"{page}: written", file=sys.stderr)


if __name__ == "__main__":
    main()
