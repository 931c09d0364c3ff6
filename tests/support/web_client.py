"""A browser of few words: it keeps cookies, follows no redirect by itself, and never leaves this machine."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    cookies: tuple[str, ...]
    text: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - a JSON tree
        return json.loads(self.text)

    @property
    def location(self) -> str:
        return self.headers["location"]


@dataclass
class WebClient:
    """Sends cookies by name wherever it goes: the stack has one host under two addresses."""

    api_url: str
    jar: dict[str, str] = field(default_factory=dict)

    def get(self, address: str, **headers: str) -> Reply:
        return self.send("GET", address, headers=headers)

    def post(self, path: str, body: object = None, **headers: str) -> Reply:
        content = {"content-type": "application/json"} if body is not None else {}
        text = "" if body is None else json.dumps(body)
        return self.send("POST", path, text, {"x-requested-with": "test", **content, **headers})

    def post_form(self, address: str, form: Mapping[str, str], **headers: str) -> Reply:
        content = {"content-type": "application/x-www-form-urlencoded"}
        return self.send("POST", address, urlencode(form), {**content, **headers})

    def send(
        self, method: str, address: str, body: str = "", headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Send a request to an address, or to a path of the API."""
        url = urlsplit(address if "://" in address else f"{self.api_url}{address}")
        sent = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        if self.jar:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        connection = HTTPConnection(url.hostname or "", url.port, timeout=60)
        try:
            connection.request(method, f"{url.path}?{url.query}" if url.query else url.path, body, sent)
            response = connection.getresponse()
            text = response.read().decode()
            cookies = tuple(response.headers.get_all("set-cookie") or ())
            found = {name.lower(): value for name, value in response.getheaders()}
        finally:
            connection.close()
        for cookie in cookies:
            self._keep(cookie)
        return Reply(response.status, found, cookies, text)

    def sign_in(self, username: str, password: str, path: str = "/") -> Reply:
        """Sign in on the pool's page; returns the answer of the way back."""
        login = self.get(f"/auth/login?next={path}")
        return self.back(self.pool_page(login.location, username, password))

    def pool_page(self, address: str, username: str, password: str) -> str:
        """Fill in the page to sign in on; returns where it sends the browser, as a path of the API."""
        return path_of(self.fill_in(address, username, password).location)

    def fill_in(self, address: str, username: str, password: str) -> Reply:
        """Fill in the page to sign in on; returns its answer."""
        page = self.get(address).text
        hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)
        url = urlsplit(address)
        form = {name: unescape(value) for name, value in hidden}
        return self.post_form(
            f"{url.scheme}://{url.netloc}/login", {**form, "username": username, "password": password}
        )

    def back(self, path: str) -> Reply:
        return self.get(path)

    def _keep(self, cookie: str) -> None:
        pair, *attributes = cookie.split("; ")
        name, _, value = pair.partition("=")
        if "Max-Age=0" in attributes:
            self.jar.pop(name, None)
        else:
            self.jar[name] = value


def path_of(address: str) -> str:
    url = urlsplit(address)
    return f"{url.path}?{url.query}" if url.query else url.path
