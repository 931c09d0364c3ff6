"""The console's files in their bucket: headers, what is uploaded again, the way back, and what is removed."""

from uuid import uuid4

import pytest

from scripts.common.errors import ToolError
from scripts.environment.console_files import ConsoleFiles
from tests.conftest import RunningEmulator

pytestmark = pytest.mark.emulator

FIRST = {"index.html": b"<p>1</p>", "config.json": b"{}", "assets/a-1.js": b"1", "assets/shared-1.css": b"s"}
SECOND = {"index.html": b"<p>2</p>", "config.json": b"{}", "assets/a-2.js": b"2", "assets/shared-1.css": b"s"}
THIRD = {"index.html": b"<p>3</p>", "config.json": b"{}", "assets/a-3.js": b"3"}


class Bucket:
    def __init__(self, emulator: RunningEmulator) -> None:
        self.name = f"console-{uuid4().hex[:12]}"
        self.s3 = emulator.clients.client("s3")
        self.s3.create_bucket(Bucket=self.name)
        self.files = ConsoleFiles(self.s3, self.name)

    def read(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=self.name, Key=key)["Body"].read()

    def keys(self, prefix: str = "") -> set[str]:
        listed = self.s3.list_objects_v2(Bucket=self.name, Prefix=prefix)
        return {it["Key"] for it in listed.get("Contents", ())}


@pytest.fixture
def bucket(emulator: RunningEmulator) -> Bucket:
    return Bucket(emulator)


def test_hashed_files_are_kept_for_ever_and_the_page_is_asked_for_each_time(bucket: Bucket) -> None:
    bucket.files.publish(FIRST)

    hashed = bucket.s3.head_object(Bucket=bucket.name, Key="assets/a-1.js")
    page = bucket.s3.head_object(Bucket=bucket.name, Key="index.html")
    assert (hashed["CacheControl"], hashed["ContentType"]) == (
        "public, max-age=31536000, immutable",
        "text/javascript",
    )
    assert (page["CacheControl"], page["ContentType"]) == ("no-cache", "text/html")


def test_the_same_files_are_not_uploaded_again(bucket: Bucket) -> None:
    release = bucket.files.publish(FIRST)
    before = bucket.s3.head_object(Bucket=bucket.name, Key="index.html")["LastModified"]

    assert bucket.files.publish(dict(reversed(FIRST.items()))) is None
    assert bucket.files.record().current == release
    assert bucket.s3.head_object(Bucket=bucket.name, Key="index.html")["LastModified"] == before


def test_a_page_stays_usable_after_the_next_release(bucket: Bucket) -> None:
    bucket.files.publish(FIRST)
    bucket.files.publish(SECOND)

    assert bucket.read("index.html") == b"<p>2</p>"
    assert bucket.keys("assets/") == {"assets/a-1.js", "assets/a-2.js", "assets/shared-1.css"}


def test_the_way_back_and_forth(bucket: Bucket) -> None:
    first = bucket.files.publish(FIRST)
    second = bucket.files.publish(SECOND)

    assert bucket.files.roll_back() == first
    assert bucket.read("index.html") == b"<p>1</p>"
    assert bucket.files.roll_back() == second
    assert bucket.read("index.html") == b"<p>2</p>"
    assert bucket.s3.head_object(Bucket=bucket.name, Key="index.html")["CacheControl"] == "no-cache"


def test_a_release_that_returned_can_be_published_over(bucket: Bucket) -> None:
    bucket.files.publish(FIRST)
    bucket.files.publish(SECOND)
    bucket.files.roll_back()

    bucket.files.publish(SECOND)

    assert bucket.read("index.html") == b"<p>2</p>"
    assert bucket.files.roll_back().files.keys() == FIRST.keys()
    assert bucket.read("assets/a-1.js") == b"1"


def test_files_of_older_releases_are_removed(bucket: Bucket) -> None:
    bucket.files.publish(FIRST)
    bucket.files.publish(SECOND)
    bucket.files.publish(THIRD)

    assert bucket.keys("assets/") == {"assets/a-2.js", "assets/a-3.js", "assets/shared-1.css"}
    releases = {key.split("/")[1] for key in bucket.keys("releases/")} - {"record.json"}
    record = bucket.files.record()
    assert record.current is not None
    assert record.previous is not None
    assert releases == {record.current.id, record.previous.id}


def test_without_an_earlier_release_there_is_no_way_back(bucket: Bucket) -> None:
    bucket.files.publish(FIRST)

    with pytest.raises(ToolError, match="no earlier release"):
        bucket.files.roll_back()
    assert bucket.read("index.html") == b"<p>1</p>"
