"""Scrapes /metrics of an environment and parses it."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from prometheus_client.parser import text_string_to_metric_families

from scripts.common.errors import ToolError
from scripts.environment.environment import Environment
from scripts.environment.local_state import StackState, home_folder

_PATH = "/metrics"
_TOKEN = "metrics-token"  # noqa: S105 - the name of a secret
_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Address:
    url: str
    token: str


@dataclass(frozen=True, slots=True)
class Sample:
    name: str
    labels: dict[str, str]
    value: float


def address(environment: Environment, home: Path | None = None) -> Address:
    """Find the URL and the token of an environment's metrics."""
    if environment.is_local:
        state = StackState.read(home or home_folder())
        if state is None or state.metrics_url is None or state.metrics_token is None:
            raise ToolError("the local stack serves no metrics; run `make up`.")
        return Address(state.metrics_url, state.metrics_token)
    names = environment.names
    try:
        pages = environment.client("apigatewayv2").get_paginator("get_apis").paginate()
        found = [
            api["ApiEndpoint"] for page in pages for api in page["Items"] if api.get("Name") == names.api
        ]
        if not found:
            raise ToolError(f"HTTP API {names.api} not found in {environment.region}; deploy first.")
        parameter = environment.client("ssm").get_parameter(Name=names.secret(_TOKEN), WithDecryption=True)
    except (BotoCoreError, ClientError) as error:
        raise ToolError(f"cannot look up the address of the metrics: {error}") from error
    return Address(found[0] + _PATH, parameter["Parameter"]["Value"])


def fetch(where: Address) -> str:
    """Scrape once; an error includes the reason given by the service."""
    request = urllib.request.Request(where.url, headers={"Authorization": f"Bearer {where.token}"})  # noqa: S310 - our own address
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310 - our own address
            return str(response.read().decode())
    except urllib.error.HTTPError as error:
        reason = " ".join(error.read().decode(errors="replace").split())
        raise ToolError(f"{where.url} answered {error.code}: {reason}") from error
    except (urllib.error.URLError, TimeoutError) as error:
        raise ToolError(f"{where.url} does not answer: {error}") from error


def samples(page: str, name: str = "") -> Iterator[Sample]:
    """List the samples whose name contains a text; buckets only if the text contains `bucket`."""
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            selected = name in sample.name and (sample.name.endswith("_bucket") <= ("bucket" in name))
            if selected and not sample.name.endswith("_created"):
                yield Sample(sample.name, dict(sample.labels), sample.value)
