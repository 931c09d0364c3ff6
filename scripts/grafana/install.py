"""Installs the data source, folder and dashboards in a Grafana; writes only what differs."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from scripts.common.errors import ToolError
from scripts.grafana.api import GrafanaApi, Json
from scripts.grafana.identifiers import (
    DASHBOARDS,
    DATASOURCE_NAME,
    DATASOURCE_SETTINGS,
    DATASOURCE_UID,
    FOLDER_TITLE,
    FOLDER_UID,
)

_OWNED_BY_GRAFANA = {"id", "version"}
"""Fields of a dashboard that Grafana sets."""


class Outcome(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Installed:
    kind: str
    title: str
    uid: str
    outcome: Outcome
    url: str


@dataclass(frozen=True, slots=True)
class Prometheus:
    """Prometheus's address and login, as Grafana uses them."""

    url: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)

    def document(self) -> Json:
        document: Json = {
            "uid": DATASOURCE_UID,
            "name": DATASOURCE_NAME,
            "type": "prometheus",
            "access": "proxy",
            "url": self.url,
            "basicAuth": self.user is not None,
            "basicAuthUser": self.user or "",
            "jsonData": dict(DATASOURCE_SETTINGS),
        }
        if self.token is not None:
            document["jsonData"]["httpHeaderName1"] = "Authorization"
        return document

    def secrets(self) -> Mapping[str, str]:
        secrets = {}
        if self.password is not None:
            secrets["basicAuthPassword"] = self.password
        if self.token is not None:
            secrets["httpHeaderValue1"] = f"Bearer {self.token}"
        return secrets


def read_dashboards(folder: Path = DASHBOARDS) -> list[Json]:
    dashboards = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    if not dashboards:
        raise ToolError(f"there are no dashboards in {folder}; create them with `pulsequeue grafana build`.")
    return dashboards


def install(api: GrafanaApi, prometheus: Prometheus, dashboards: list[Json]) -> Iterator[Installed]:
    """Install each resource and yield its outcome."""
    yield _data_source(api, prometheus)
    yield _folder(api)
    for dashboard in dashboards:
        yield _dashboard(api, dashboard)


def prometheus_problem(api: GrafanaApi) -> str | None:
    """Have Grafana query Prometheus; return the failure message, None when it works."""
    return api.health_problem(f"/api/datasources/uid/{DATASOURCE_UID}/health")


def contains(found: object, expected: object) -> bool:
    """Whether everything expected is there; Grafana may add defaults of its own."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(
            contains(found.get(key), value) for key, value in expected.items()
        )
    if isinstance(expected, list):
        return (
            isinstance(found, list)
            and len(found) == len(expected)
            and all(contains(one, other) for one, other in zip(found, expected, strict=True))
        )
    # 5 may come back as 5.0, but true is not 1.
    return isinstance(found, bool) == isinstance(expected, bool) and found == expected


def _data_source(api: GrafanaApi, prometheus: Prometheus) -> Installed:
    expected, secrets = prometheus.document(), prometheus.secrets()
    found = api.get(f"/api/datasources/uid/{DATASOURCE_UID}")
    if found is None:
        api.post("/api/datasources", {**expected, "secureJsonData": secrets})
        outcome = Outcome.CREATED
    elif contains(found, expected) and not secrets:
        outcome = Outcome.UNCHANGED
    else:
        # A secret cannot be read back and compared, so a given secret is always written, as an update.
        settings = {**(found.get("jsonData") or {}), **expected["jsonData"]}
        document = {**found, **expected, "jsonData": settings, "secureJsonData": secrets}
        api.put(f"/api/datasources/uid/{DATASOURCE_UID}", document)
        outcome = Outcome.UPDATED
    url = f"{api.url}/connections/datasources/edit/{DATASOURCE_UID}"
    return Installed("data source", DATASOURCE_NAME, DATASOURCE_UID, outcome, url)


def _folder(api: GrafanaApi) -> Installed:
    found = api.get(f"/api/folders/{FOLDER_UID}")
    if found is None:
        api.post("/api/folders", {"uid": FOLDER_UID, "title": FOLDER_TITLE})
        outcome = Outcome.CREATED
    elif found.get("title") == FOLDER_TITLE:
        outcome = Outcome.UNCHANGED
    else:
        api.put(f"/api/folders/{FOLDER_UID}", {"title": FOLDER_TITLE, "overwrite": True})
        outcome = Outcome.UPDATED
    return Installed("folder", FOLDER_TITLE, FOLDER_UID, outcome, f"{api.url}/dashboards/f/{FOLDER_UID}")


def _dashboard(api: GrafanaApi, expected: Json) -> Installed:
    uid = expected["uid"]
    found = api.get(f"/api/dashboards/uid/{uid}")
    if found is not None and _is_in_place(found, expected):
        outcome = Outcome.UNCHANGED
    else:
        saved = api.post(
            "/api/dashboards/db",
            {
                "dashboard": {**expected, "id": None},
                "folderUid": FOLDER_UID,
                "message": "pulsequeue grafana setup",
                "overwrite": True,
            },
        )
        outcome = _saved_outcome(found, saved)
    return Installed("dashboard", expected["title"], uid, outcome, f"{api.url}/d/{uid}")


def _is_in_place(found: Json, expected: Json) -> bool:
    fields = {key: value for key, value in expected.items() if key not in _OWNED_BY_GRAFANA}
    in_folder: Any = (found.get("meta") or {}).get("folderUid")
    return in_folder == FOLDER_UID and contains(found.get("dashboard"), fields)


def _saved_outcome(found: Json | None, saved: Json) -> Outcome:
    if found is None:
        return Outcome.CREATED
    # Grafana may store a dashboard in another form than it was given; its version says whether it changed.
    before = (found.get("dashboard") or {}).get("version")
    same = before is not None and saved.get("version") == before
    return Outcome.UNCHANGED if same else Outcome.UPDATED
