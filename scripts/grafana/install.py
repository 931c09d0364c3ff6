"""Puts our data source, folder and dashboards into a Grafana, and touches only what differs from them."""

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

_ITS_OWN = {"id", "version"}
"""What Grafana itself keeps in a dashboard."""


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
    """Where Grafana finds Prometheus, and how it gets in."""

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
        raise ToolError(f"there are no dashboards in {folder}; `pulsequeue grafana build` makes them.")
    return dashboards


def install(api: GrafanaApi, prometheus: Prometheus, dashboards: list[Json]) -> Iterator[Installed]:
    """Install one thing after the other, and say of each what was done to it."""
    yield _data_source(api, prometheus)
    yield _folder(api)
    for dashboard in dashboards:
        yield _dashboard(api, dashboard)


def prometheus_complaint(api: GrafanaApi) -> str | None:
    """Have Grafana ask Prometheus something; None when it was answered."""
    return api.complaint(f"/api/datasources/uid/{DATASOURCE_UID}/health")


def says(found: object, wanted: object) -> bool:
    """Tell whether all that is wanted was found; Grafana adds defaults of its own, which may stay."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(says(found.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return (
            isinstance(found, list)
            and len(found) == len(wanted)
            and all(says(one, other) for one, other in zip(found, wanted, strict=True))
        )
    # 5 may come back as 5.0, but true is not 1.
    return isinstance(found, bool) == isinstance(wanted, bool) and found == wanted


def _data_source(api: GrafanaApi, prometheus: Prometheus) -> Installed:
    wanted, secrets = prometheus.document(), prometheus.secrets()
    found = api.get(f"/api/datasources/uid/{DATASOURCE_UID}")
    if found is None:
        api.post("/api/datasources", {**wanted, "secureJsonData": secrets})
        outcome = Outcome.CREATED
    elif says(found, wanted) and not secrets:
        outcome = Outcome.UNCHANGED
    else:
        # A secret cannot be read back and compared, so one that is given is written, and that is an update.
        settings = {**(found.get("jsonData") or {}), **wanted["jsonData"]}
        document = {**found, **wanted, "jsonData": settings, "secureJsonData": secrets}
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


def _dashboard(api: GrafanaApi, wanted: Json) -> Installed:
    uid = wanted["uid"]
    found = api.get(f"/api/dashboards/uid/{uid}")
    if found is not None and _is_in_place(found, wanted):
        outcome = Outcome.UNCHANGED
    else:
        saved = api.post(
            "/api/dashboards/db",
            {
                "dashboard": {**wanted, "id": None},
                "folderUid": FOLDER_UID,
                "message": "pulsequeue grafana setup",
                "overwrite": True,
            },
        )
        outcome = _saved_outcome(found, saved)
    return Installed("dashboard", wanted["title"], uid, outcome, f"{api.url}/d/{uid}")


def _is_in_place(found: Json, wanted: Json) -> bool:
    mine = {key: value for key, value in wanted.items() if key not in _ITS_OWN}
    in_folder: Any = (found.get("meta") or {}).get("folderUid")
    return in_folder == FOLDER_UID and says(found.get("dashboard"), mine)


def _saved_outcome(found: Json | None, saved: Json) -> Outcome:
    if found is None:
        return Outcome.CREATED
    # Grafana may keep a dashboard in another spelling than it was given, and knows itself whether it changed.
    before = (found.get("dashboard") or {}).get("version")
    same = before is not None and saved.get("version") == before
    return Outcome.UNCHANGED if same else Outcome.UPDATED
