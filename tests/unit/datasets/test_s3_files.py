"""What a signed form allows, and what it does not: the emulator does not check its signature."""

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any, cast

import botocore.session
import pytest

from services.datasets.domain import MAX_BYTES
from services.datasets.records import LoadKey
from services.datasets.s3_files import FORM_SECONDS, LINK_SECONDS, S3Files, UploadForm, load_of, object_key
from services.shared.adapters.clients import Clients

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

KEY = LoadKey("acme, inc/§", "ds_1", 7)
SECRET = "secret-for-tests"


@pytest.fixture
def files() -> S3Files:
    client = botocore.session.get_session().create_client(
        "s3", region_name="eu-central-1", aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key=SECRET
    )
    return S3Files(cast("S3Client", client), uploads="uploads", results="results")


def _policy(form: UploadForm) -> Any:  # noqa: ANN401 - a JSON tree
    return json.loads(base64.b64decode(form.fields["policy"]))


def test_a_form_is_for_one_key_one_type_and_a_limited_size(files: S3Files) -> None:
    form = files.form(KEY)

    conditions = _policy(form)["conditions"]
    assert {"bucket": "uploads"} in conditions
    assert {"key": object_key(KEY)} in conditions
    assert {"Content-Type": "text/csv"} in conditions
    assert ["content-length-range", 1, MAX_BYTES] in conditions
    assert not any(it[0] == "starts-with" for it in conditions if isinstance(it, list)), (
        "nothing is left open"
    )
    assert form.fields["key"] == object_key(KEY)


@pytest.mark.parametrize("region", ["eu-central-1", "us-east-1"])
def test_forms_and_links_name_the_bucket_in_its_region(monkeypatch: pytest.MonkeyPatch, region: str) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)

    files = S3Files(Clients().s3(), uploads="uploads", results="results")

    assert files.form(KEY).url == f"https://uploads.s3.{region}.amazonaws.com/"
    assert files.link(KEY, "data.parquet", "a.parquet").startswith(
        f"https://results.s3.{region}.amazonaws.com/"
    )


def test_a_form_is_signed_over_its_whole_policy(files: S3Files) -> None:
    fields = files.form(KEY).fields

    day, region, service, end = fields["x-amz-credential"].split("/")[1:]
    key = f"AWS4{SECRET}".encode()
    for part in (day, region, service, end):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    expected = hmac.new(key, fields["policy"].encode(), hashlib.sha256).hexdigest()
    assert fields["x-amz-signature"] == expected


def test_forms_and_links_expire(files: S3Files) -> None:
    assert FORM_SECONDS == 3_600
    assert _policy(files.form(KEY))["expiration"]
    link = files.link(KEY, "rejects.csv", "ümlaut; x.csv")
    assert f"X-Amz-Expires={LINK_SECONDS}" in link
    assert "attachment%3B%20filename%2A%3DUTF-8%27%27%25C3%25BCmlaut%253B%2520x.csv" in link


def test_a_key_leads_back_to_its_load() -> None:
    assert object_key(KEY) == "acme%2C%20inc%2F%C2%A7/ds_1/7"
    assert load_of(object_key(KEY)) == KEY
    for other in ("", "acme", "acme/ds_1", "acme/ds_1/seven", "acme/ds_1/7/data.parquet"):
        assert load_of(other) is None
