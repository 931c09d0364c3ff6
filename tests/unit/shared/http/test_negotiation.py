"""The header Accept decides between the media types of a route."""

import pytest

from services.shared.http.negotiation import preferred

JSON, CSV = "application/json", "text/csv"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        (" ", JSON),
        ("*/*", JSON),
        ("text/csv", CSV),
        ("TEXT/CSV; charset=utf-8", CSV),
        ("text/*", CSV),
        ("text/csv, application/json", JSON),
        ("application/json;q=0.5, text/csv", CSV),
        ("application/json;q=0, */*", CSV),
        ("text/html,application/xhtml+xml,*/*;q=0.8", JSON),
        ("*/*;q=0.1, text/csv ; q=0.2", CSV),
        ("text/csv;q=high, application/json;q=0.001", JSON),
        ("image/png", None),
        ("text/csv;q=0", None),
        ("text/csv;q=2", None),
        (",,;", None),
    ],
)
def test_the_most_accepted_media_type_is_chosen(accept: str | None, expected: str | None) -> None:
    assert preferred(accept, (JSON, CSV)) == expected
