"""Requests to the one origin of the local stack."""

import http.client
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Response:
    status: int
    headers: dict[str, str]
    body: bytes


def request(url: str, *, method: str = "GET", headers: dict[str, str] | None = None) -> Response:
    """Send a request to this machine; Python does not resolve names below localhost."""
    address = urlsplit(url)
    query = f"?{address.query}" if address.query else ""
    connection = http.client.HTTPConnection("127.0.0.1", address.port or 80, timeout=30)
    try:
        connection.request(
            method, f"{address.path or '/'}{query}", headers={"Host": address.netloc, **(headers or {})}
        )
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Response(response.status, found, response.read())
    finally:
        connection.close()
