"""The console of an environment: its distribution, found by name, and what it serves."""

from __future__ import annotations

import hashlib
import http.client
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from scripts.common.errors import ToolError
from scripts.environment.console_files import HASHED, PAGE, ConsoleFiles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_cloudfront.type_defs import DistributionSummaryTypeDef

    from scripts.environment.console_files import ConsoleRelease
    from scripts.environment.environment import Environment

_TIMEOUT_SECONDS: Final = 30.0
_SERVED_SECONDS: Final = 300.0
"""CloudFront forgets a changed file within minutes."""
_POLL_SECONDS: Final = 2.0
_THIS_MACHINE: Final = ("127.0.0.1", "localhost")


@dataclass(frozen=True, slots=True)
class ConsoleSite:
    environment: Environment
    url: str
    bucket: str
    distribution_id: str

    @property
    def files(self) -> ConsoleFiles:
        return ConsoleFiles(self.environment.client("s3"), self.bucket)

    def invalidate(self, release: ConsoleRelease) -> None:
        """Have CloudFront forget all files that keep their names, and the pages made of them."""
        self.environment.client("cloudfront").create_invalidation(
            DistributionId=self.distribution_id,
            InvalidationBatch={
                "CallerReference": f"{release.id}-{time.time_ns()}",
                "Paths": {"Quantity": 1, "Items": ["/*"]},
            },
        )

    def wait_until_served(self, release: ConsoleRelease) -> None:
        """Wait until the page and its files are the release's; raise an error that names what is not."""
        deadline = time.monotonic() + _SERVED_SECONDS
        while wrong := self._differences(release):
            if time.monotonic() > deadline:
                raise ToolError(f"{self.url} does not serve release {release.id}: {', '.join(wrong)} differ.")
            time.sleep(_POLL_SECONDS)

    def _differences(self, release: ConsoleRelease) -> list[str]:
        # Hashed files never change; the page is enough to know whose they are.
        own = {path: digest for path, digest in release.files.items() if not path.startswith(HASHED)}
        paths = {f"/{path}": digest for path, digest in own.items()} | {"/": own[PAGE]}
        return [path for path, digest in paths.items() if _digest(f"{self.url}{path}") != digest]


def find_site(environment: Environment) -> ConsoleSite:
    """Find the environment's distribution by its name."""
    pages = environment.client("cloudfront").get_paginator("list_distributions").paginate()
    found = [
        it
        for page in pages
        for it in page["DistributionList"].get("Items", ())
        if it["Comment"] == environment.names.site
    ]
    if not found:
        raise ToolError(
            f"{environment.name} has no console: there is no distribution {environment.names.site}."
        )
    bucket = next(
        it["DomainName"].partition(".s3.")[0] for it in found[0]["Origins"]["Items"] if it["Id"] == "pages"
    )
    return ConsoleSite(environment, _url(environment, found[0]), bucket, found[0]["Id"])


def _url(environment: Environment, distribution: DistributionSummaryTypeDef) -> str:
    endpoint = urlsplit(environment.client("cloudfront").meta.endpoint_url)
    if endpoint.hostname in _THIS_MACHINE:  # an emulator
        label = distribution["DomainName"].partition(".")[0]
        return f"http://{label}.cloudfront.localhost:{endpoint.port}"
    aliases = distribution.get("Aliases", {}).get("Items", ())
    return f"https://{next(iter(aliases), distribution['DomainName'])}"


@dataclass(frozen=True, slots=True)
class SiteResponse:
    status: int
    headers: Mapping[str, str]
    """By name, in lower case."""
    body: bytes
    cookies: tuple[str, ...] = ()
    """Every header Set-Cookie."""


def fetch(
    url: str, headers: Mapping[str, str] | None = None, method: str = "GET", body: str | None = None
) -> SiteResponse:
    """Send a request to a site. Names below localhost are this machine: Python does not resolve them."""
    address = urlsplit(url)
    host = address.hostname or ""
    is_local = host.endswith(".localhost")
    connect = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = connect("127.0.0.1" if is_local else host, address.port, timeout=_TIMEOUT_SECONDS)
    try:
        path = (address.path or "/") + (f"?{address.query}" if address.query else "")
        connection.request(method, path, body, {"Host": address.netloc, **(headers or {})})
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        cookies = tuple(response.headers.get_all("set-cookie") or ())
        return SiteResponse(response.status, found, response.read(), cookies)
    except OSError as error:
        raise ToolError(f"{url} does not respond: {error}") from error
    finally:
        connection.close()


def _digest(url: str) -> str:
    return hashlib.sha256(fetch(url).body).hexdigest()
