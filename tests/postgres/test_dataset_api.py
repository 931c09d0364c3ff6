"""Datasets over HTTP: who may, what a response shows, and what is refused."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from services.datasets.api import Api, build
from services.datasets.ingest import Ingest
from services.datasets.records import LoadKey
from services.datasets.series import read_series
from services.datasets.service import Datasets
from services.datasets.store import DatasetStore
from services.shared.http.writers import Writers
from services.shared.membership import ConsoleMemberships
from tests.postgres.conftest import Analytics
from tests.support.commands import MemoryRateLimiter
from tests.support.datasets import FolderFiles
from tests.support.fakes import START, RecordingTelemetry
from tests.support.organizations import Acme

ROWS = "day,region,price\n2026-01-05,North,10\n2026-01-20,South,20\n2026-02-01,North,40\n"
AMBIGUOUS = "day,price\n01/03/2026,1\n02/03/2026,2\n"


@dataclass(frozen=True)
class Reply:
    status: int
    body: Any

    @property
    def data(self) -> Any:  # noqa: ANN401 - a JSON tree
        assert self.status < 300, self.body
        return self.body["data"]


class Client:
    def __init__(self, analytics: Analytics, folder: Path) -> None:
        acme, database, ids = Acme(), analytics.api, count(1)
        self.files, store = FolderFiles(folder), DatasetStore(database)
        self.ingest = Ingest(store, self.files)
        self.sent: list[LoadKey] = []
        datasets = Datasets(store, self.files, self.sent.append, lambda: f"ds_{next(ids)}")
        self._api = build(
            Api(datasets, self.files, partial(read_series, database), acme.clock),
            Writers(ConsoleMemberships(acme.console), MemoryRateLimiter(acme.clock)),
            allowed_origins=[],
            telemetry=RecordingTelemetry(),
        )

    def call(self, route: str, body: object = None, *, by: str = "ben") -> Reply:
        method, _, target = route.partition(" ")
        path, _, query = target.partition("?")
        event = {
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": query,
            "headers": {"content-type": "application/json"},
            "body": "" if body is None else json.dumps(body),
            "requestContext": {
                "stage": "$default",
                "http": {"method": method},
                "requestId": "request-1",
                "authorizer": {"jwt": {"claims": USERS[by]}},
            },
        }
        answer = self._api(event, None)
        return Reply(answer["statusCode"], json.loads(answer["body"]))

    def uploaded(self, text: str = ROWS, *, automatic: bool = True) -> str:
        body = {"name": "Sales", "fileName": "sales.csv", "automatic": automatic}
        form = self.call("POST /api/datasets", body).data
        self.receive(form, text)
        return str(form["datasetId"])

    def receive(self, form: Mapping[str, Any], text: str) -> None:
        key = LoadKey("acme", form["datasetId"], form["loadId"])
        self.files.upload(key, text)
        self.ingest.handle(key)


def _claims(user: str, role: str) -> dict[str, str]:
    return {
        "sub": user,
        "token_use": "id",
        "exp": str(int((START + timedelta(days=30)).timestamp())),
        "custom:tenant_id": "acme",
        "custom:role": role,
    }


USERS = {user: _claims(user, role) for user, role in (("ann", "admin"), ("ben", "editor"), ("vic", "viewer"))}


@pytest.fixture
def client(analytics: Analytics, tmp_path: Path) -> Client:
    return Client(analytics, tmp_path)


def test_a_file_is_uploaded_by_a_form_and_charted(client: Client) -> None:
    form = client.call(
        "POST /api/datasets", {"name": "Sales", "fileName": "sales.csv", "automatic": True}
    ).data
    assert (form["datasetId"], form["loadId"], form["maxBytes"]) == ("ds_1", 1, 512 * 1024 * 1024)
    assert form["url"] == "https://uploads.test/"
    assert client.call("GET /api/datasets/ds_1").data["loads"][0]["state"] == "waiting"

    client.receive(form, ROWS)

    [listed] = client.call("GET /api/datasets", by="vic").data["datasets"]
    assert (listed["rows"], listed["kpis"], listed["dimensions"]) == (3, ["price"], ["region"])
    assert (listed["firstAt"][:10], listed["lastAt"][:10]) == ("2026-01-05", "2026-02-01")
    found = client.call("GET /api/datasets/ds_1/series?by=region&interval=month", by="vic").data
    assert [(it["at"][:10], it["member"], it["sum"], it["average"]) for it in found["points"]] == [
        ("2026-01-01", "North", 10, 10),
        ("2026-01-01", "South", 20, 20),
        ("2026-02-01", "North", 40, 40),
    ]
    ranged = client.call("GET /api/datasets/ds_1/series?kpi=price&from=2026-01-06&to=2026-02-01").data
    assert [(it["at"][:10], it["count"], it["sum"]) for it in ranged["points"]] == [("2026-01-20", 1, 20)]


def test_a_file_with_questions_is_shown_and_loaded_after_the_answers(client: Client) -> None:
    dataset = client.uploaded(AMBIGUOUS)
    shown = client.call(f"GET /api/datasets/{dataset}").data
    assert shown["loads"][0]["state"] == "inspected"
    assert [(it["name"], it["type"], it["question"]) for it in shown["proposal"]["columns"]] == [
        ("day", "date", "date-order"),
        ("price", "integer", None),
    ]
    assert shown["proposal"]["sample"] == [["01/03/2026", "1"], ["02/03/2026", "2"]]

    refused = client.call(f"POST /api/datasets/{dataset}/loads/1", {})
    assert (refused.status, refused.body["errors"]) == (
        422,
        [{"parameter": "day", "problem": "can be read in two ways: choose one"}],
    )
    unknown = client.call(f"POST /api/datasets/{dataset}/loads/1", {"dateOrders": {"dya": "dmy"}})
    assert unknown.body["errors"][0]["problem"] == "there is no column dya"
    accepted = client.call(f"POST /api/datasets/{dataset}/loads/1", {"dateOrders": {"day": "dmy"}})

    assert accepted.status == 202
    assert client.sent == [LoadKey("acme", dataset, 1)]
    client.ingest.handle(client.sent[0])
    assert client.call(f"GET /api/datasets/{dataset}").data["proposal"] is None
    again = client.call(f"POST /api/datasets/{dataset}/loads/1", {"dateOrders": {"day": "dmy"}})
    assert (again.status, again.body["detail"]) == (
        409,
        "Load 1 is ready; only an inspected one can be loaded.",
    )


def test_faults_are_shown_with_what_would_fit_and_a_link_to_all(client: Client) -> None:
    dataset = client.uploaded(ROWS + "2026-02-02,North,dear\n" + "2026-03-01,North,1\n" * 9)

    found = client.call(f"GET /api/datasets/{dataset}/errors", by="vic").data

    assert (found["loadId"], found["rejected"]) == (1, 1)
    assert found["errors"] == [
        {
            "line": 5,
            "column": "price",
            "reason": "not an integer",
            "expected": "a whole number such as 1234",
            "raw": "dear",
        }
    ]
    assert found["url"].endswith("ds_1-1-rejects.csv?as=sales.csv.rejects.csv")
    file = client.call(f"GET /api/datasets/{dataset}/file", by="vic").data
    assert file["url"].endswith("ds_1-1-data.parquet?as=sales.csv.parquet")


def test_another_file_replaces_the_rows(client: Client) -> None:
    dataset = client.uploaded()

    form = client.call(
        f"POST /api/datasets/{dataset}/loads", {"fileName": "more.csv", "automatic": True}
    ).data
    client.receive(form, ROWS + "2026-03-01,East,5\n")

    shown = client.call(f"GET /api/datasets/{dataset}").data
    assert [(it["loadId"], it["state"], it["fileName"]) for it in shown["loads"]] == [
        (2, "ready", "more.csv"),
        (1, "replaced", "sales.csv"),
    ]
    assert shown["rows"] == 4


def test_a_dataset_is_deleted_with_its_files(client: Client) -> None:
    dataset = client.uploaded()
    assert list(client.files.folder.iterdir())

    assert client.call(f"DELETE /api/datasets/{dataset}").data == {"removed": True}

    assert client.call(f"GET /api/datasets/{dataset}").status == 404
    assert client.call("GET /api/datasets").data == {"datasets": []}
    assert list(client.files.folder.iterdir()) == []


def test_viewers_only_read(client: Client) -> None:
    dataset = client.uploaded()

    for route, body in (
        ("POST /api/datasets", {"name": "x", "fileName": "x.csv"}),
        (f"POST /api/datasets/{dataset}/loads", {"fileName": "x.csv"}),
        (f"POST /api/datasets/{dataset}/loads/1", {}),
        (f"DELETE /api/datasets/{dataset}", None),
    ):
        assert client.call(route, body, by="vic").status == 403


@pytest.mark.parametrize(
    ("query", "parameter", "problem"),
    [
        ("kpi=prize", "kpi", "is not in the dataset; there are: price"),
        ("by=day", "by", "is not in the dataset; there are: region"),
        ("interval=decade", "interval", "hour"),
        ("from=2026-02-01&to=2026-01-01", "to", "must be after `from`"),
        ("from=yesterday", "from", "must be a day such as 2026-01-31"),
    ],
)
def test_a_question_that_cannot_be_meant_is_refused(
    client: Client, query: str, parameter: str, problem: str
) -> None:
    dataset = client.uploaded()

    refused = client.call(f"GET /api/datasets/{dataset}/series?{query}")

    assert refused.status == 422
    [error] = refused.body["errors"]
    assert error["parameter"] == parameter
    assert problem in error["problem"]


def test_a_series_of_too_many_points_is_refused(client: Client) -> None:
    days = "".join(f"{2000 + it // 300}-{it // 25 % 12 + 1:02}-{it % 25 + 1:02},1\n" for it in range(10_001))
    dataset = client.uploaded(f"day,price\n{days}")

    refused = client.call(f"GET /api/datasets/{dataset}/series?interval=day")

    assert refused.status == 422
    assert "more than 10,000 points" in refused.body["errors"][0]["problem"]
    assert len(client.call(f"GET /api/datasets/{dataset}/series?interval=month").data["points"]) == 401


def test_a_dataset_without_rows_says_why(client: Client) -> None:
    dataset = client.uploaded("PK\x03\x04rest")

    for route in ("series", "errors", "file"):
        refused = client.call(f"GET /api/datasets/{dataset}/{route}")
        assert (refused.status, refused.body["detail"]) == (
            409,
            "The dataset has no rows yet. The last load is failed.",
        )
