"""One scrape: authentication, formats, and responses when there is nothing to serve."""

import base64
import gzip

import pytest

from services.metrics.catalog import catalog
from services.metrics.content_negotiation import choose_format, takes_gzip
from services.metrics.counters import Ledger
from services.metrics.exposition import Exposition, Response
from services.metrics.rendering import Rendering
from services.metrics.snapshot import Edition, Format, Snapshot, Tally
from services.metrics.token_auth import TokenAuth, TokenUnavailableError
from services.shared.errors import StoreUnavailableError
from tests.support.fakes import RecordingTelemetry
from tests.support.metrics_fakes import SMALL, MemorySnapshots

NOW = 1_760_000_070
ALLOWED = {"authorization": "Bearer open-sesame"}


class ExpositionFixture:
    def __init__(self) -> None:
        self.now = float(NOW)
        self.token: str | None = "open-sesame"
        self.token_reads = 0
        self.snapshots = MemorySnapshots()
        self.page_reads = 0
        self.broken = False
        self.publish(version=1)
        self.exposition = Exposition(
            TokenAuth(self._token, clock=lambda: self.now),
            self,
            RecordingTelemetry(),
            stale_seconds=300,
            clock=lambda: self.now,
        )

    def publish(self, version: int) -> None:
        snapshot = Snapshot(version, int(self.now), Ledger(watermark=NOW // 60), Tally())
        self.snapshots.snapshot = snapshot
        self.snapshots.pages = Rendering(SMALL, catalog(SMALL), snapshot, 0.1).pages()

    def get(self, **headers: str) -> Response:
        return self.exposition.answer({name.replace("_", "-"): value for name, value in headers.items()})

    def latest(self) -> Edition | None:
        if self.broken:
            raise StoreUnavailableError("throttled")
        return self.snapshots.latest()

    def page(self, form: Format) -> tuple[Edition, bytes] | None:
        self.page_reads += 1
        return self.snapshots.page(form)

    def _token(self) -> str:
        self.token_reads += 1
        if self.token is None:
            raise TokenUnavailableError("no such parameter")
        return self.token


@pytest.fixture
def fixture() -> ExpositionFixture:
    return ExpositionFixture()


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer wrong", "Basic open-sesame", "open-sesame", "Bearer ünïcode"]
)
def test_without_the_token_a_scrape_gets_401_and_the_header_to_send(
    fixture: ExpositionFixture, header: str
) -> None:
    answer = fixture.get(authorization=header)

    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert b"Authorization: Bearer" in answer.body
    assert b"orders_total" not in answer.body


def test_with_the_token_the_text_is_served(fixture: ExpositionFixture) -> None:
    answer = fixture.get(**ALLOWED)

    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert b'orders_total{outcome="reserved"} 0.0' in answer.body


def test_a_scraper_that_prefers_openmetrics_gets_it(fixture: ExpositionFixture) -> None:
    answer = fixture.get(**ALLOWED, accept="application/openmetrics-text;version=1.0.0,text/plain;q=0.5")

    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert answer.body.endswith(b"# EOF\n")


def test_gzip_is_sent_to_those_who_take_it(fixture: ExpositionFixture) -> None:
    plain = fixture.get(**ALLOWED)
    packed = fixture.get(**ALLOWED, accept_encoding="gzip")

    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body


def test_the_gateway_gets_bytes_it_can_carry(fixture: ExpositionFixture) -> None:
    answer = fixture.get(**ALLOWED, accept_encoding="gzip")

    response = answer.for_gateway()

    assert response["isBase64Encoded"] is True
    assert base64.b64decode(response["body"]) == answer.body
    assert response["headers"]["cache-control"] == "no-store"


def test_stale_numbers_are_refused_with_the_reason(fixture: ExpositionFixture) -> None:
    fixture.now += 301

    answer = fixture.get(**ALLOWED)

    assert answer.status == 503
    assert b"301 s old" in answer.body
    assert answer.headers["retry-after"] == "60"


def test_numbers_at_the_very_limit_are_served(fixture: ExpositionFixture) -> None:
    fixture.now += 300

    assert fixture.get(**ALLOWED).status == 200


def test_before_the_first_collection_there_is_nothing_and_that_is_said(fixture: ExpositionFixture) -> None:
    fixture.snapshots.snapshot = None

    answer = fixture.get(**ALLOWED)

    assert answer.status == 503
    assert b"collector has not run" in answer.body


def test_an_unreachable_table_is_503_without_its_details(fixture: ExpositionFixture) -> None:
    fixture.broken = True

    answer = fixture.get(**ALLOWED)

    assert answer.status == 503
    assert b"throttled" not in answer.body


def test_each_version_is_read_once(fixture: ExpositionFixture) -> None:
    for _ in range(3):
        fixture.get(**ALLOWED)
    assert fixture.page_reads == 1

    fixture.publish(version=2)
    fixture.get(**ALLOWED)
    assert fixture.page_reads == 2


def test_after_the_table_was_emptied_lower_versions_are_served(fixture: ExpositionFixture) -> None:
    fixture.publish(version=7)
    fixture.get(**ALLOWED)

    fixture.publish(version=1)
    fixture.get(**ALLOWED)

    assert fixture.page_reads == 2


@pytest.mark.parametrize("token", ["", "  "])
def test_an_empty_token_lets_nobody_in(fixture: ExpositionFixture, token: str) -> None:
    fixture.token = token

    assert fixture.get(authorization="Bearer x").status == 503


def test_a_token_that_cannot_be_read_lets_nobody_in(fixture: ExpositionFixture) -> None:
    fixture.token = None

    assert fixture.get(**ALLOWED).status == 503


def test_a_token_is_not_read_for_every_scrape(fixture: ExpositionFixture) -> None:
    for _ in range(5):
        fixture.get(**ALLOWED)

    assert fixture.token_reads == 1


def test_a_new_token_is_taken_up_soon_and_the_old_one_ends_in_time(fixture: ExpositionFixture) -> None:
    fixture.get(**ALLOWED)
    fixture.token = "changed"
    fixture.now += 11

    assert fixture.get(authorization="Bearer changed").status == 200
    assert fixture.get(**ALLOWED).status == 401


def test_wrong_tokens_do_not_read_the_right_one_again_and_again(fixture: ExpositionFixture) -> None:
    for _ in range(50):
        fixture.get(authorization="Bearer guess")

    assert fixture.token_reads == 1


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", Format.TEXT),
        ("*/*", Format.TEXT),
        ("text/html, */*;q=0.1", Format.TEXT),
        ("text/plain", Format.TEXT),
        (
            "text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=1.0.0;q=0.9",
            Format.OPENMETRICS,
        ),
        ("application/openmetrics-text;version=1.0.0;q=0.2,text/plain;version=0.0.4;q=0.3", Format.TEXT),
        ("application/openmetrics-text; version=1.0.0; charset=utf-8", Format.OPENMETRICS),
        ("application/openmetrics-text;version=0.0.1", Format.TEXT),
        ("application/openmetrics-text;q=0", Format.TEXT),
        ("application/openmetrics-text;q=much", Format.TEXT),
        (
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;q=0.4,"
                "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
            ),
            Format.OPENMETRICS,
        ),
        (
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,"
                "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
            ),
            Format.TEXT,
        ),
    ],
)
def test_the_format_follows_what_the_scraper_says(accept: str, form: Format) -> None:
    assert choose_format(accept) is form


@pytest.mark.parametrize(
    ("header", "takes"),
    [
        ("", False),
        ("gzip", True),
        ("deflate, GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("*", True),
        ("br", False),
    ],
)
def test_gzip_follows_what_the_scraper_says(header: str, takes: bool) -> None:
    assert takes_gzip(header) is takes
