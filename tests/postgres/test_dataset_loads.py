"""Files taken to the end: no row lost, none twice, whatever stops a load, repeats it, or runs beside it."""

import csv
import io
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from services.datasets.domain import Inspection
from services.datasets.ingest import Ingest, OutOfTimeError
from services.datasets.records import Chunk, LoadKey
from services.datasets.series import SeriesQuery, read_series
from services.datasets.store import DatasetStore
from services.shared.database import API
from tests.postgres.conftest import Analytics
from tests.support.datasets import FolderFiles

TENANT = "acme"
CHUNK = 10
KPIS = ("price", "units")


class Datasets:
    """One store with its files, and what a test does with both."""

    def __init__(self, analytics: Analytics, folder: Path) -> None:
        self.analytics = analytics
        self.files = FolderFiles(folder)
        self.store = self.other_store()
        self.ingest = Ingest(self.store, self.files, chunk_rows=CHUNK)
        assert self.store.create(TENANT, "sales", "Sales", "ada")

    def other_store(self) -> DatasetStore:
        return DatasetStore(self.analytics.database(API))

    def uploaded(self, text: str, *, automatic: bool = True, tenant: str = TENANT) -> LoadKey:
        key = self.store.begin_load(tenant, "sales", "sales.csv", "ada", automatic=automatic)
        assert key is not None
        self.files.upload(key, text)
        return key

    def state(self, key: LoadKey) -> str | None:
        found = self.store.load(key)
        return found.state if found else None

    def points(self) -> Counter[tuple[Any, ...]]:
        return Counter(
            self.analytics.rows("SELECT load_id, kpi, at, value, dimensions->>'region' FROM dataset_points")
        )

    def series(self, query: SeriesQuery) -> list[tuple[datetime, str, int, float]]:
        load = self.store.current(TENANT, "sales")
        assert load is not None
        found = read_series(self.analytics.database(API), load, query)
        return [(it.at, it.member, it.count, it.sum) for it in found]


@pytest.fixture
def datasets(analytics: Analytics, tmp_path: Path) -> Datasets:
    return Datasets(analytics, tmp_path)


def _csv(rows: int, seed: int = 1) -> str:
    chosen = random.Random(seed)  # noqa: S311 - test data
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("day", "region", "price", "units"))
    for _ in range(rows):
        day = f"2026-{chosen.randint(1, 12):02}-{chosen.randint(1, 28):02} {chosen.randint(0, 23):02}:30"
        region = chosen.choice(("North", "South", 'quo"te', "back\\slash", "Zürich, {x}", ""))
        writer.writerow(
            (day, region, f"{chosen.randint(0, 10**6) / 100:.2f}", chosen.choice(("", "3", "-7")))
        )
    return out.getvalue()


def _expected(load_id: int, text: str) -> Counter[tuple[Any, ...]]:
    """The points of a file, read by another parser."""
    return Counter(
        (
            load_id,
            kpi,
            datetime.fromisoformat(row["day"]).replace(tzinfo=UTC),
            float(row[kpi]),
            row["region"],
        )
        for row in csv.DictReader(io.StringIO(text))
        for kpi in KPIS
        if row[kpi]
    )


def test_every_number_of_a_file_becomes_one_point(datasets: Datasets) -> None:
    text = _csv(137)
    key = datasets.uploaded(text)

    done = datasets.ingest.handle(key)

    assert done is not None
    assert (done.state, done.records, done.loaded, done.rejected, done.copied) == ("ready", 137, 137, 0, 137)
    assert (list(done.kpis), list(done.dimensions)) == (["price", "units"], ["region"])
    assert datasets.points() == _expected(key.load_id, text)


def test_the_hours_say_what_the_points_say(datasets: Datasets) -> None:
    text = _csv(200)
    datasets.ingest.handle(datasets.uploaded(text))
    by_month: dict[tuple[date, str], list[float]] = defaultdict(list)
    for (_, kpi, at, value, region), times in _expected(1, text).items():
        if kpi == "price":
            by_month[at.date().replace(day=1), region] += [value] * times

    found = datasets.series(SeriesQuery("price", "month", by="region"))

    assert [(at.date(), member, count) for at, member, count, _ in found] == [
        (*key, len(values)) for key, values in sorted(by_month.items())
    ]
    assert [total for *_, total in found] == pytest.approx([sum(it) for _, it in sorted(by_month.items())])
    [(_, _, count, total)] = datasets.series(
        SeriesQuery("price", "quarter", since=date(2026, 4, 1), until=date(2026, 7, 1))
    )
    spring = [it for (month, _), values in by_month.items() if 4 <= month.month <= 6 for it in values]
    assert count == len(spring)
    assert total == pytest.approx(sum(spring))


def test_a_load_that_is_killed_within_a_chunk_goes_on_with_no_row_lost_and_none_twice(
    datasets: Datasets, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = _csv(95)
    key = datasets.uploaded(text)
    for chunks_before in (0, 3, 1):
        monkeypatch.setattr(datasets.ingest, "_store", _Killed(datasets.store, chunks_before))
        with pytest.raises(_KilledError):
            datasets.ingest.handle(key)
        monkeypatch.undo()
    found = datasets.store.load(key)
    assert found is not None
    assert (found.state, found.copied) == ("loading", 40)

    datasets.ingest.handle(key)

    assert datasets.state(key) == "ready"
    assert datasets.points() == _expected(key.load_id, text)
    assert datasets.files.stored.count("data.parquet") == 1, "later attempts read what the first has stored"


class _KilledError(Exception):
    pass


class _Killed:
    """A store whose process dies within the transaction of a chunk."""

    def __init__(self, store: DatasetStore, chunks_before: int) -> None:
        self._store = store
        self._left = chunks_before

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def copy(self, key: LoadKey, start: int, end: int, chunks: Iterator[Chunk]) -> int | None:
        self._left -= 1
        return self._store.copy(key, start, end, chunks if self._left >= 0 else _first_of(chunks))


def _first_of(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    yield next(chunks)
    raise _KilledError


def test_a_load_that_runs_out_of_time_goes_on_in_the_next_invocation(datasets: Datasets) -> None:
    text = _csv(45)
    key = datasets.uploaded(text)
    left = iter((False, False, True))
    hurried = Ingest(datasets.store, datasets.files, out_of_time=lambda: next(left), chunk_rows=CHUNK)
    with pytest.raises(OutOfTimeError, match="20 of 45 rows"):
        hurried.handle(key)

    datasets.ingest.handle(key)

    assert datasets.points() == _expected(key.load_id, text)


def _at_once(*calls: Callable[[], object]) -> None:
    with ThreadPoolExecutor(len(calls)) as pool:
        for done in [pool.submit(it) for it in calls]:
            done.result()


def test_two_deliveries_of_one_upload_at_once_load_it_once(datasets: Datasets) -> None:
    text = _csv(300)
    key = datasets.uploaded(text)
    workers = [Ingest(datasets.other_store(), datasets.files, chunk_rows=CHUNK) for _ in range(2)]

    _at_once(*[lambda worker=it: worker.handle(key) for it in workers])

    assert datasets.state(key) == "ready"
    assert datasets.points() == _expected(key.load_id, text)


def test_of_two_loads_of_one_dataset_at_once_the_later_one_stays(datasets: Datasets) -> None:
    texts = [_csv(200, seed=1), _csv(150, seed=2)]
    keys = [datasets.uploaded(it) for it in texts]
    workers = [Ingest(datasets.other_store(), datasets.files, chunk_rows=CHUNK) for _ in keys]

    _at_once(
        *[
            lambda worker=worker, key=key: worker.handle(key)
            for worker, key in zip(workers, keys, strict=True)
        ]
    )

    assert [datasets.state(it) for it in keys] == ["replaced", "ready"]
    assert datasets.points() == _expected(keys[1].load_id, texts[1])


def test_readers_see_the_rows_before_until_all_of_the_new_ones_are_there(datasets: Datasets) -> None:
    datasets.ingest.handle(datasets.uploaded("day,price\n2026-01-01,1\n2026-01-02,2\n"))
    before = datasets.series(SeriesQuery("price", "year"))
    later = datasets.uploaded("day,price\n" + "2026-02-01,5\n" * 25)
    left = iter((False, False, True))
    with pytest.raises(OutOfTimeError):
        Ingest(datasets.store, datasets.files, out_of_time=lambda: next(left), chunk_rows=CHUNK).handle(later)

    assert datasets.series(SeriesQuery("price", "year")) == before

    datasets.ingest.handle(later)

    assert [(count, total) for _, _, count, total in datasets.series(SeriesQuery("price", "year"))] == [
        (25, 125)
    ]
    assert {load_id for load_id, *_ in datasets.points()} == {later.load_id}


def test_the_same_file_again_changes_nothing(datasets: Datasets) -> None:
    first = datasets.uploaded(_csv(20))
    datasets.ingest.handle(first)
    before = datasets.points()

    again = datasets.uploaded(_csv(20))
    done = datasets.ingest.handle(again)

    assert done is not None
    assert (done.state, done.reason) == ("unchanged", "the same file is loaded already, as load 1")
    assert (datasets.state(first), datasets.points()) == ("ready", before)


def test_rows_that_do_not_fit_are_named_and_the_others_loaded(datasets: Datasets) -> None:
    rows = "".join(f"2026-01-{day:02},{day}\n" for day in range(1, 29))
    key = datasets.uploaded(f"day,price\n{rows},5\n0203-01-01,6\n2026-01-30,seven\n")

    done = datasets.ingest.handle(key)

    assert done is not None
    assert (done.state, done.records, done.loaded, done.rejected) == ("ready", 31, 28, 3)
    assert [(it.line, it.column, it.reason, it.raw) for it in done.rejects] == [
        (30, "day", "empty", ""),
        (31, "day", "not a date", "0203-01-01"),
        (32, "price", "not an integer", "seven"),
    ]
    assert done.rejects[0].expected == "a date such as 2026-12-31, from 1970-01-01 to 2099-12-31"


def test_a_file_with_questions_waits_for_answers(datasets: Datasets) -> None:
    key = datasets.uploaded("day,price\n01/03/2026,1\n02/03/2026,2\n")

    waiting = datasets.ingest.handle(key)

    assert waiting is not None
    assert waiting.state == "inspected"
    assert isinstance(waiting.proposal, Inspection)
    recipe = waiting.proposal.recipe.answered({"day": "dmy"}, {}, {})
    assert datasets.store.confirm(key, recipe)
    datasets.ingest.handle(key)
    assert [(at.date(), total) for at, _, _, total in datasets.series(SeriesQuery("price", "month"))] == [
        (date(2026, 3, 1), 3.0)
    ]


def test_the_next_file_is_read_as_the_one_before(datasets: Datasets) -> None:
    key = datasets.uploaded("day,price\n01/03/2026,1\n")
    waiting = datasets.ingest.handle(key)
    assert waiting is not None
    assert waiting.proposal is not None
    datasets.store.confirm(key, waiting.proposal.recipe.answered({"day": "mdy"}, {}, {}))
    datasets.ingest.handle(key)

    datasets.ingest.handle(datasets.uploaded("day,price\n02/03/2026,2\n"))

    assert [at.date() for at, *_ in datasets.series(SeriesQuery("price", "day"))] == [date(2026, 2, 3)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("PK\x03\x04rest", "archive"),
        ("", "empty"),
        (
            "day,price\n" + "".join(f"{y}-{m:02}-01,1\n" for y in range(1970, 2030) for m in range(1, 13)),
            "600",
        ),
    ],
)
def test_a_file_that_cannot_be_used_fails_with_its_reason(datasets: Datasets, text: str, reason: str) -> None:
    done = datasets.ingest.handle(datasets.uploaded(text))

    assert done is not None
    assert done.state == "failed"
    assert reason in (done.reason or "")
    assert not datasets.points()


def test_a_file_without_times_is_kept_but_has_no_points(datasets: Datasets) -> None:
    done = datasets.ingest.handle(datasets.uploaded("name,price\nA,1\nB,2\n"))

    assert done is not None
    assert (done.state, done.loaded, list(done.kpis)) == ("ready", 2, [])
    assert not datasets.points()


def test_a_dataset_deleted_while_it_is_loaded_leaves_nothing(datasets: Datasets) -> None:
    key = datasets.uploaded(_csv(45))
    left = iter((False, True))
    with pytest.raises(OutOfTimeError):
        Ingest(datasets.store, datasets.files, out_of_time=lambda: next(left), chunk_rows=CHUNK).handle(key)

    assert datasets.store.remove(TENANT, "sales") == 1

    assert datasets.ingest.handle(key) is None
    assert datasets.store.copy(key, 10, 20, iter(())) is None
    for table in ("datasets", "dataset_loads", "dataset_points", "dataset_hours"):
        assert datasets.analytics.rows(f"SELECT 1 FROM {table}") == []


def test_a_tenant_sees_and_changes_nothing_of_another(datasets: Datasets) -> None:
    key = datasets.uploaded(_csv(20))
    datasets.ingest.handle(key)
    stranger = LoadKey("globex", "sales", key.load_id)

    assert datasets.store.all("globex") == []
    assert datasets.store.load(stranger) is None
    assert datasets.store.remove("globex", "sales") is None
    assert datasets.store.begin_load("globex", "sales", "x.csv", "eve", automatic=True) is None
    with (
        datasets.analytics.api.transaction("globex") as session,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        session.execute(
            "INSERT INTO dataset_points"
            " (tenant_id, dataset_id, load_id, kpi, at, row_number, value, dimensions)"
            " VALUES ('acme', 'sales', 1, 'price', '2026-01-01', 99, 1, '{}')"
        )


def test_only_usable_months_become_partitions(datasets: Datasets) -> None:
    with (
        datasets.analytics.api.transaction(TENANT) as session,
        pytest.raises(psycopg.errors.DatetimeFieldOverflow, match="outside 1970 to 2099"),
    ):
        session.execute("SELECT make_dataset_partitions(ARRAY['2100-01-01'::date])")
