"""The tables of docs/cost.md: what each environment costs, and which settings reduce that."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from scripts.common.project_files import CHECKOUT
from scripts.cost import prices
from scripts.cost.bill import Bill, CostDriver
from scripts.cost.environments import AuroraSize, EnvironmentSize, load_sizes
from scripts.cost.markdown import VOLUMES, dollars, table, volume_label, with_tables
from scripts.cost.model import Model, without_database
from scripts.cost.pipeline_costs import Deployed, monthly
from scripts.cost.prices import MILLION, SECONDS_A_MONTH
from scripts.cost.read_side import ProjectionTimes, ReadSideMonth
from scripts.cost.way_in import HttpOrderFigures, way_in_costs
from scripts.environment.topology import Topology

PAGE = CHECKOUT / "docs" / "cost.md"
_RESTORED = 1_000


@dataclass(frozen=True, slots=True)
class _PricedEnvironment:
    """An environment as infra/envs has it, and with monitoring."""

    model: Model
    projection: ProjectionTimes
    default: EnvironmentSize
    with_monitoring: EnvironmentSize

    def bills(self, size: EnvironmentSize, model: Model | None = None) -> Sequence[Bill]:
        return [monthly(model or self.model, each, Deployed(size, self.projection)) for each in VOLUMES]


@dataclass(frozen=True, slots=True)
class _Saving:
    """A setting that reduces the bill, and the bills with it."""

    change: str
    setting: str
    bills: Sequence[Bill]


def with_current_tables(text: str, model: Model) -> str:
    """Return the page with its tables replaced."""
    projection = ProjectionTimes.load()
    priced = {
        name: _PricedEnvironment(model, projection, sizes.default, sizes.with_monitoring)
        for name, sizes in load_sizes().items()
    }
    tables = {
        "all": all_table(priced),
        **{name: bill_table(it) for name, it in priced.items()},
        "less": less_table(priced),
        "database": database_table(priced),
        "starts": cold_starts_table(model),
        "http": way_in_table(model),
    }
    return with_tables(text, tables)


def all_table(priced: Mapping[str, _PricedEnvironment]) -> str:
    alone = [monthly(next(iter(priced.values())).model, each) for each in VOLUMES]
    rows = [["pipeline and metrics only", *_totals(alone), ""]]
    for name, it in priced.items():
        budgets = [dollars(size.monthly_usd) for size in (it.default, it.with_monitoring)]
        rows.append([f"**{name}**", *(f"**{total}**" for total in _totals(it.bills(it.default))), budgets[0]])
        rows.append([f"{name}, with `monitoring`", *_totals(it.bills(it.with_monitoring)), budgets[1]])
    return table(["", *map(volume_label, VOLUMES), "budget"], rows)


def bill_table(priced: _PricedEnvironment) -> str:
    bills, with_monitoring = priced.bills(priced.default), priced.bills(priced.with_monitoring)
    rows = [
        [service, *(dollars(bill.sum(service=service)) for bill in bills)]
        for service in sorted(bills[0].services(), key=lambda it: -bills[0].sum(service=it))
    ]
    rows.append(["**total**", *(f"**{dollars(bill.total)}**" for bill in bills)])
    rows += [[f"of which {it.value}", *(dollars(bill.sum(driver=it)) for bill in bills)] for it in CostDriver]
    rows.append(["per million orders", *(dollars(bill.per_million()) for bill in bills)])
    more = [other.total - bill.total for bill, other in zip(bills, with_monitoring, strict=True)]
    rows.append(["`monitoring` adds", *map(dollars, more)])
    return table(["", *map(volume_label, VOLUMES)], rows)


def less_table(priced: Mapping[str, _PricedEnvironment]) -> str:
    """List what each setting saves, the most first; environments that save the same share a row."""
    saved: dict[tuple[str, str, tuple[float, ...]], list[str]] = {}
    for name, it in priced.items():
        for saving in _savings(it):
            amounts = tuple(
                round(was.total - now.total, 2)
                for was, now in zip(it.bills(it.default), saving.bills, strict=True)
            )
            if any(amounts):
                saved.setdefault((saving.change, saving.setting, amounts), []).append(name)
    rows = [
        [change, setting, ", ".join(names), *map(dollars, amounts)]
        for (change, setting, amounts), names in sorted(saved.items(), key=lambda it: it[0][2], reverse=True)
    ]
    return table(["change", "setting", "environments", *map(volume_label, VOLUMES)], rows, right=False)


def _savings(priced: _PricedEnvironment) -> Iterator[_Saving]:
    size, model = priced.default, priced.model
    if (database := size.database) is not None:
        for change, setting, reduced in (
            (
                "no database proxy",
                '`endpoint = "cluster"`',
                replace(size, database=replace(database, proxy=False)),
            ),
            (
                "one database instance",
                "`instances = 1`",
                replace(size, database=replace(database, instances=1)),
            ),
            ("two zones", "`zones = 2`", replace(size, zones=2)),
        ):
            yield _Saving(change, f"{setting} in `infra/envs/{size.name}`", priced.bills(reduced))
        bare = replace(model, topology=without_database(model.topology))
        pipeline = [monthly(bare, volume) for volume in VOLUMES]
        yield _Saving("pipeline only", "`modules/pulsequeue`, as `infra/envs/local` has it", pipeline)
    setting = f"`traced = false` in `infra/envs/{size.name}`"
    yield _Saving("no traces", setting, priced.bills(replace(size, traced=False)))
    for change, setting, topology in _settings(model.topology):
        after = priced.bills(size, replace(model, topology=topology))
        yield _Saving(change, f"{setting} in `infra/functions.yaml`", after)


def _settings(topology: Topology) -> Iterator[tuple[str, str, Topology]]:
    rarer = topology.scheduled["collector"].model_copy(update={"schedule": "rate(2 minutes)"})
    functions = {**topology.functions, "collector": rarer}
    yield (
        "metrics every two minutes",
        "`schedule` of the collector",
        topology.model_copy(update={"functions": functions}),
    )
    for change, name, days in (
        ("archive of 14 days", "archive_days", 14),
        ("logs of 7 days", "log_days", 7),
    ):
        settings = topology.settings.model_copy(update={name: days})
        setting = "`archiveDays`" if name == "archive_days" else "`logDays`"
        yield change, setting, topology.model_copy(update={"settings": settings})


def database_table(priced: Mapping[str, _PricedEnvironment]) -> str:
    columns = (
        *("", "orders", "events/s", "batch size", "ACU needed", "ACU per instance"),
        *("capacity", "reads and writes", "storage, each month"),
        *("total", "total at maximum capacity"),
    )
    rows = [
        _database_row(it, database, volume)
        for it in priced.values()
        if (database := it.default.database) is not None
        for volume in VOLUMES
    ]
    return table(columns, rows)


def _database_row(priced: _PricedEnvironment, database: AuroraSize, volume: float) -> Sequence[str]:
    month = ReadSideMonth.of(priced.model, database, priced.projection, volume)
    largest = replace(database, min_acu=database.max_acu)
    bills = [
        monthly(priced.model, volume, Deployed(size, priced.projection))
        for size in (priced.default, replace(priced.default, database=largest))
    ]
    return (
        priced.default.name,
        volume_label(volume),
        f"{month.events / SECONDS_A_MONTH:.3g}",
        f"{month.batch:.3g}",
        f"{month.needed_acu:.2g}",
        f"{month.acu:g}",
        dollars(sum(line.dollars for line in month.capacity())),
        dollars(sum(line.dollars for line in month.io())),
        dollars(sum(line.dollars for line in month.storage())),
        *_totals(bills),
    )


def cold_starts_table(model: Model) -> str:
    """What avoiding cold starts costs, for one version and one instance of each function."""
    rows = []
    for name, function in model.topology.functions.items():
        gigabytes = function.memory_mb / 1024
        gb_seconds = SECONDS_A_MONTH * gigabytes
        rows.append(
            [
                name,
                f"{function.memory_mb:,} MB",
                dollars(gb_seconds * prices.LAMBDA_SNAPSHOT_STORAGE.each),
                dollars(_RESTORED * gigabytes * prices.LAMBDA_SNAPSHOT_RESTORED.each),
                dollars(gb_seconds * prices.LAMBDA_PROVISIONED.each),
            ]
        )
    columns = (
        *("function", "memory", "SnapStart: one version a month", f"{_RESTORED:,} restores"),
        "provisioned concurrency of 1 a month",
    )
    return table(columns, rows)


def way_in_table(model: Model) -> str:
    """What each order over HTTP adds, and each million of them."""
    lines = list(way_in_costs(model, HttpOrderFigures.load(), MILLION))
    rows = [
        [it.service, it.name, f"{it.quantity / MILLION:.3g}", it.price.label(), dollars(it.dollars)]
        for it in lines
    ]
    rows.append(["**total**", "", "", "", f"**{dollars(sum(it.dollars for it in lines))}**"])
    return table(["service", "item", "quantity per order", "price", "per million"], rows)


def _totals(bills: Sequence[Bill]) -> Sequence[str]:
    return [dollars(bill.total) for bill in bills]
