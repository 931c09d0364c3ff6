"""The one origin on the emulator: the edge function, the pages of a bucket, and the API beside them."""

import json

import pytest

from scripts.environment.environment import Environment
from scripts.environment.topology import Topology
from scripts.local.aws.provision import Overrides, provision
from scripts.local.aws.site import CONTENT_SECURITY_POLICY, Site
from tests.conftest import RunningEmulator
from tests.support.site_client import request

pytestmark = pytest.mark.emulator


@pytest.fixture(scope="module")
def environment(emulator: RunningEmulator) -> Environment:
    return Environment("served", Topology.load(), emulator.clients)


@pytest.fixture(scope="module")
def site(environment: Environment) -> Site:
    site = provision(environment, Overrides())
    s3 = environment.client("s3")
    s3.put_object(Bucket=site.bucket, Key="index.html", Body=b"<p>page</p>", ContentType="text/html")
    s3.put_object(Bucket=site.bucket, Key="config.json", Body=b"{}", ContentType="application/json")
    return site


@pytest.mark.parametrize("path", ["/", "/orders", "/orders/ord.1", "/index.html"])
def test_every_page_is_the_same_file(site: Site, path: str) -> None:
    response = request(f"{site.url}{path}")

    assert (response.status, response.body) == (200, b"<p>page</p>")
    assert response.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["x-frame-options"] == "DENY"


def test_a_visitor_gets_a_variant_once(site: Site) -> None:
    first = request(f"{site.url}/")
    again = request(f"{site.url}/", headers={"Cookie": first.headers["set-cookie"].partition(";")[0]})

    assert first.headers["set-cookie"].startswith("variant=")
    assert "set-cookie" not in again.headers


def test_a_file_that_is_not_there_is_no_page(site: Site) -> None:
    assert request(f"{site.url}/assets/gone.js").status == 403
    assert request(f"{site.url}/config.json").body == b"{}"


def test_the_api_answers_beside_the_pages(site: Site) -> None:
    response = request(f"{site.url}/api/orders")

    assert response.status == 401
    assert json.loads(response.body) == {"message": "Unauthorized"}


def test_a_write_with_cookies_needs_the_header(site: Site) -> None:
    cookie = {"Cookie": "__Host-session=a.b.c"}

    refused = request(f"{site.url}/api/orders", method="POST", headers=cookie)
    admitted = request(
        f"{site.url}/api/orders", method="POST", headers={**cookie, "X-Requested-With": "pulsequeue-console"}
    )

    assert (refused.status, json.loads(refused.body)["title"]) == (403, "Forbidden")
    assert admitted.status == 401  # of the authorizer: it saw the token


def test_the_bucket_is_read_by_its_distribution_only(environment: Environment, site: Site) -> None:
    policy = json.loads(environment.client("s3").get_bucket_policy(Bucket=site.bucket)["Policy"])

    (statement,) = policy["Statement"]
    assert statement["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert statement["Condition"]["StringEquals"]["AWS:SourceArn"].endswith(f"/{site.distribution_id}")


def test_provisioning_again_keeps_the_address(environment: Environment, site: Site) -> None:
    assert provision(environment, Overrides()) == site
    assert request(f"{site.url}/").status == 200
