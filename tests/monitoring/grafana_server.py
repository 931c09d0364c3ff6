"""A fake Grafana over HTTP with logins, data sources, folders and dashboards."""

import json
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]
Answer = tuple[int, object]


class FakeGrafana:
    """The server's content, and the faults it injects."""

    def __init__(self) -> None:
        self.url = ""
        self.users = {"admin": "s3cret", "viewer": "looking"}
        self.version: str | None = "12.3.0"
        self.database = "ok"
        self.prometheus_answers = True
        self.html = False
        """Answer every request as a web server that is no Grafana."""
        self.redirect_to: str | None = None
        self.data_sources: dict[str, Json] = {}
        self.folders: dict[str, Json] = {}
        self.dashboards: dict[str, Json] = {}
        self.secrets: dict[str, Json] = {}
        self.writes: list[str] = []

    def answer(self, method: str, path: str, user: str | None, document: Json) -> Answer:
        if path == "/api/health":
            health = {"database": self.database, "commit": "abc"}
            return (
                200 if self.database == "ok" else 503,
                health | ({"version": self.version} if self.version else {}),
            )
        if user is None:
            return 401, {"message": "Invalid username or password", "messageId": "password-auth.failed"}
        if method != "GET":
            if user != "admin":
                return 403, {"message": "You'll need additional permissions to perform this action."}
            self.writes.append(f"{method} {path}")
        return self._route(method, path, document)

    def _route(self, method: str, path: str, document: Json) -> Answer:  # noqa: PLR0911 - one for each route
        match (method, *path.strip("/").split("/")[1:]):
            case ("GET", "datasources", "uid", uid, "health") if uid in self.data_sources:
                return self._prometheus()
            case ("GET", "datasources", "uid", uid):
                return self._found(self.data_sources, uid, "Data source not found")
            case ("POST", "datasources"):
                return self._add_data_source(document)
            case ("PUT", "datasources", "uid", uid):
                return self._change_data_source(uid, document)
            case ("GET", "folders", uid):
                return self._found(self.folders, uid, "folder not found")
            case ("POST", "folders"):
                self.folders[document["uid"]] = {"id": 1, "version": 1, **document}
                return 200, self.folders[document["uid"]]
            case ("PUT", "folders", uid):
                return self._change_folder(uid, document)
            case ("GET", "dashboards", "uid", uid):
                return self._found(self.dashboards, uid, "Dashboard not found")
            case ("POST", "dashboards", "db"):
                return self._save(document)
            case _:
                return 404, {"message": "Not found"}

    def _prometheus(self) -> Answer:
        if self.prometheus_answers:
            return 200, {"status": "OK", "message": "Successfully queried the Prometheus API."}
        return 400, {"status": "ERROR", "message": "connection refused - There was an error"}

    @staticmethod
    def _found(things: dict[str, Json], uid: str, missing: str) -> Answer:
        return (200, things[uid]) if uid in things else (404, {"message": missing})

    def _add_data_source(self, document: Json) -> Answer:
        if any(one["name"] == document["name"] for one in self.data_sources.values()):
            return 409, {"message": "data source with the same name already exists"}
        self.secrets[document["uid"]] = document.pop("secureJsonData", {})
        added = {"id": len(self.data_sources) + 1, "version": 1, "isDefault": False, "readOnly": False}
        self.data_sources[document["uid"]] = {**added, **document}
        return 200, {"message": "Datasource added"}

    def _change_data_source(self, uid: str, document: Json) -> Answer:
        found = self.data_sources[uid]
        if found["readOnly"]:
            return 403, {"message": "Cannot update read-only data source"}
        if document.get("version") != found["version"]:
            return 409, {"message": "trying to update old version of datasource"}
        self.secrets[uid] |= document.pop("secureJsonData", {})
        self.data_sources[uid] = {**document, "version": found["version"] + 1}
        return 200, {"message": "Datasource updated"}

    def _change_folder(self, uid: str, document: Json) -> Answer:
        if not document.get("overwrite"):
            return 412, {
                "message": "the folder has been changed by someone else",
                "status": "version-mismatch",
            }
        self.folders[uid]["title"] = document["title"]
        return 200, self.folders[uid]

    def _save(self, document: Json) -> Answer:
        dashboard = document["dashboard"]
        if document["folderUid"] not in self.folders:
            return 400, {"message": "folder not found"}
        found = self.dashboards.get(dashboard["uid"])
        if found and not document.get("overwrite"):
            return 412, {"message": "The dashboard has been changed by someone else", "status": "name-exists"}
        version = found["dashboard"]["version"] + 1 if found else 1
        number = found["dashboard"]["id"] if found else len(self.dashboards) + 1
        self.dashboards[dashboard["uid"]] = {
            "meta": {"folderUid": document["folderUid"], "provisioned": False, "canEdit": True},
            "dashboard": {**dashboard, "id": number, "version": version},
        }
        return 200, {"id": number, "uid": dashboard["uid"], "status": "success", "version": version}


@contextmanager
def running(grafana: FakeGrafana) -> Iterator[FakeGrafana]:
    """Serve it on a free port of 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._serve()

        do_POST = do_PUT = do_GET  # noqa: N815 - http.server names them

        def _serve(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            document = json.loads(self.rfile.read(size)) if size else {}
            if grafana.redirect_to is not None:
                self._reply(302, b"", {"Location": grafana.redirect_to})
            elif grafana.html:
                self._reply(200, b"<!doctype html><title>A router</title>", {"Content-Type": "text/html"})
            else:
                status, body = grafana.answer(self.command, self.path, self._user(), document)
                self._reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})

        def _user(self) -> str | None:
            kind, _, value = self.headers.get("Authorization", "").partition(" ")
            user, _, password = b64decode(value).decode().partition(":")
            return user if kind == "Basic" and grafana.users.get(user) == password else None

        def _reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of its parent
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    grafana.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield grafana
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
