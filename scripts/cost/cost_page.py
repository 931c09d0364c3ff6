"""The tables of docs/cost.md: what each environment costs, and what to turn to pay less."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from scripts.cost import prices
from scripts.cost.bill import Deployed, monthly
from scripts.cost.environment import Database, Environment
from scripts.cost.inventory import Inventory
from scripts.cost.lines import Bill, Nature
from scripts.cost.model import Model, without_database
from scripts.cost.prices import SECONDS_A_MONTH
from scripts.cost.read_side import Projected, Projection
from scripts.cost.tables import VOLUMES, dollars, filled, grid, told_volume
from scripts.environment.topology import CHECKOUT, Topology

PAGE = CHECKOUT / "docs" / "cost.md"
ENVIRONMENTS = ("dev", "prod")
_RESTORED = 1_000


@dataclass(frozen=True, slots=True)
class _Priced:
    """An environment as its values have it, and as if somebody watched it."""

    model: Model
    projected: Projected
    as_it_is: Environment
    watched: Environment

    def bills(self, its: Environment, model: Model | None = None) -> Sequence[Bill]:
        return [monthly(model or self.model, each, Deployed(its, self.projected)) for each in VOLUMES]


@dataclass(frozen=True, slots=True)
class _Turn:
    """Something to turn, and the bills afterwards."""

    what: str
    where: str
    bills: Sequence[Bill]


def written(text: str, model: Model) -> str:
    """Return the page with each of its tables as the model has it now."""
    projected, inventory = Projected.load(), Inventory(model.topology)
    priced = {
        name: _Priced(
            model, projected, inventory.environment(name), inventory.environment(name, watched=True)
        )
        for name in ENVIRONMENTS
    }
    tables = {
        "all": all_table(priced),
        **{name: bill_table(it) for name, it in priced.items()},
        "less": less_table(priced),
        "database": database_table(priced),
        "starts": starts_table(model),
    }
    return filled(text, tables)


def all_table(priced: Mapping[str, _Priced]) -> str:
    alone = [monthly(next(iter(priced.values())).model, each) for each in VOLUMES]
    rows = [["the pipeline and its metrics alone", *_totals(alone), ""]]
    for name, it in priced.items():
        budget = f"{dollars(it.as_it_is.monthly_usd)}"
        watched = f"{dollars(it.watched.monthly_usd)}"
        rows.append([f"**{name}**", *(f"**{told}**" for told in _totals(it.bills(it.as_it_is))), budget])
        rows.append([f"{name}, with `monitoring`", *_totals(it.bills(it.watched)), watched])
    return grid(["", *map(told_volume, VOLUMES), "its budget"], rows)


def bill_table(priced: _Priced) -> str:
    bills, watched = priced.bills(priced.as_it_is), priced.bills(priced.watched)
    rows = [
        [service, *(dollars(bill.sum(service=service)) for bill in bills)]
        for service in sorted(bills[0].services(), key=lambda it: -bills[0].sum(service=it))
    ]
    rows.append(["**all**", *(f"**{dollars(bill.total)}**" for bill in bills)])
    rows += [[f"of it {it.value}", *(dollars(bill.sum(nature=it)) for bill in bills)] for it in Nature]
    rows.append(["each million of orders adds", *(dollars(bill.per_million()) for bill in bills)])
    more = [other.total - bill.total for bill, other in zip(bills, watched, strict=True)]
    rows.append(["`monitoring` would add", *map(dollars, more)])
    return grid(["", *map(told_volume, VOLUMES)], rows)


def less_table(priced: Mapping[str, _Priced]) -> str:
    """List what each turn saves, the most first; environments in which it saves the same share a row."""
    saved: dict[tuple[str, str, tuple[float, ...]], list[str]] = {}
    for name, it in priced.items():
        for turn in _turns(it):
            amounts = tuple(
                round(was.total - now.total, 2)
                for was, now in zip(it.bills(it.as_it_is), turn.bills, strict=True)
            )
            if any(amounts):
                saved.setdefault((turn.what, turn.where, amounts), []).append(name)
    rows = [
        [what, where, ", ".join(names), *map(dollars, amounts)]
        for (what, where, amounts), names in sorted(saved.items(), key=lambda it: it[0][2], reverse=True)
    ]
    return grid(["turn", "where", "in", *map(told_volume, VOLUMES)], rows, right=False)


def _turns(priced: _Priced) -> Iterator[_Turn]:
    its, model = priced.as_it_is, priced.model
    if (database := its.database) is not None:
        for what, where, turned in (
            (
                "functions go to the cluster itself",
                '`way_in = "cluster"`',
                replace(its, database=replace(database, proxy=False)),
            ),
            (
                "one instance of the database",
                "`instances = 1`",
                replace(its, database=replace(database, instances=1)),
            ),
            ("two zones", "`zones = 2`", replace(its, zones=2)),
        ):
            yield _Turn(what, f"{where} in `infra/envs/{its.name}`", priced.bills(turned))
        bare = replace(model, topology=without_database(model.topology))
        alone = [monthly(bare, volume) for volume in VOLUMES]
        yield _Turn("the pipeline alone", "`modules/pulsequeue`, as `infra/envs/local` has it", alone)
    where = f"`traced = false` in `infra/envs/{its.name}`"
    yield _Turn("no traces", where, priced.bills(replace(its, traced=False)))
    for what, where, topology in _settings(model.topology):
        after = priced.bills(its, replace(model, topology=topology))
        yield _Turn(what, f"{where} in `infra/functions.yaml`", after)


def _settings(topology: Topology) -> Iterator[tuple[str, str, Topology]]:
    rarer = topology.scheduled["collector"].model_copy(update={"schedule": "rate(2 minutes)"})
    functions = {**topology.functions, "collector": rarer}
    yield (
        "numbers every two minutes",
        "`schedule` of the collector",
        topology.model_copy(update={"functions": functions}),
    )
    for what, name, days in (
        ("an archive of 14 days", "archive_days", 14),
        ("logs of a week", "log_days", 7),
    ):
        settings = topology.settings.model_copy(update={name: days})
        where = "`archiveDays`" if name == "archive_days" else "`logDays`"
        yield what, where, topology.model_copy(update={"settings": settings})


def database_table(priced: Mapping[str, _Priced]) -> str:
    columns = (
        *("", "orders", "events/s", "in a batch", "ACU needed", "ACU of each instance"),
        *("capacity", "reads and writes", "kept, and again each month after"),
        *("the whole bill", "and were it always at its most"),
    )
    rows = [
        _database_row(it, database, volume)
        for it in priced.values()
        if (database := it.as_it_is.database) is not None
        for volume in VOLUMES
    ]
    return grid(columns, rows)


def _database_row(priced: _Priced, database: Database, volume: float) -> Sequence[str]:
    month = Projection.of(priced.model, database, priced.projected, volume)
    largest = replace(database, least_acu=database.most_acu)
    bills = [
        monthly(priced.model, volume, Deployed(its, priced.projected))
        for its in (priced.as_it_is, replace(priced.as_it_is, database=largest))
    ]
    return (
        priced.as_it_is.name,
        told_volume(volume),
        f"{month.events / SECONDS_A_MONTH:.3g}",
        f"{month.batch:.3g}",
        f"{month.needed_acu:.2g}",
        f"{month.acu:g}",
        dollars(sum(line.dollars for line in month.capacity())),
        dollars(sum(line.dollars for line in month.passing())),
        dollars(sum(line.dollars for line in month.kept())),
        *_totals(bills),
    )


def starts_table(model: Model) -> str:
    """Price what keeps starts from being cold, for one version and one copy of each function."""
    rows = []
    for name, function in model.topology.functions.items():
        gigabytes = function.memory_mb / 1024
        kept = SECONDS_A_MONTH * gigabytes
        rows.append(
            [
                name,
                f"{function.memory_mb:,} MB",
                dollars(kept * prices.LAMBDA_SNAPSHOT_KEPT.each),
                dollars(_RESTORED * gigabytes * prices.LAMBDA_SNAPSHOT_RESTORED.each),
                dollars(kept * prices.LAMBDA_PROVISIONED.each),
            ]
        )
    columns = (
        *("function", "memory", "SnapStart: one version, a month", f"{_RESTORED:,} starts from it"),
        "one copy kept warm, a month",
    )
    return grid(columns, rows)


def _totals(bills: Sequence[Bill]) -> Sequence[str]:
    return [dollars(bill.total) for bill in bills]
