"""A cursor is valid only for the tenant and filters it was made for, unchanged."""

import base64
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.analytics.api.cursors import Cursors
from services.analytics.queries.params import Filters, Position

EVERYTHING = Filters(status=None, customer=None, start=None, end=None)
POSITION = Position(datetime(2026, 1, 31, 12, 0, 0, 123456, UTC), "o-1")
CURSORS = Cursors(lambda: "key")

positions = st.builds(
    Position, st.datetimes(timezones=st.just(UTC)), st.text(st.characters(codec="utf-8"), max_size=128)
)


@given(positions)
def test_a_cursor_decodes_to_the_very_microsecond_it_was_encoded_at(position: Position) -> None:
    encoded = CURSORS.encode("acme", EVERYTHING, position)

    assert CURSORS.decode("acme", EVERYTHING, encoded) == position
    assert len(encoded) <= 1024


def test_a_position_in_another_time_zone_is_the_same_position() -> None:
    elsewhere = replace(POSITION, placed_at=POSITION.placed_at.astimezone(timezone(timedelta(hours=5))))

    assert CURSORS.decode("acme", EVERYTHING, CURSORS.encode("acme", EVERYTHING, elsewhere)) == POSITION


@pytest.mark.parametrize("tenant", ["other", "", "acm", "ACME"])
def test_a_cursor_of_one_tenant_is_refused_for_another(tenant: str) -> None:
    encoded = CURSORS.encode("acme", EVERYTHING, POSITION)

    assert CURSORS.decode(tenant, EVERYTHING, encoded) is None


@pytest.mark.parametrize(
    "filters",
    [
        replace(EVERYTHING, status="PLACED"),
        replace(EVERYTHING, customer="PLACED"),
        replace(EVERYTHING, customer="None"),
        replace(EVERYTHING, start=date(2026, 1, 1)),
        replace(EVERYTHING, end=date(2026, 1, 1)),
    ],
)
def test_a_cursor_is_refused_with_other_filters(filters: Filters) -> None:
    assert CURSORS.decode("acme", filters, CURSORS.encode("acme", EVERYTHING, POSITION)) is None
    assert CURSORS.decode("acme", EVERYTHING, CURSORS.encode("acme", filters, POSITION)) is None


def test_a_cursor_is_refused_with_another_key() -> None:
    assert (
        Cursors(lambda: "other").decode("acme", EVERYTHING, CURSORS.encode("acme", EVERYTHING, POSITION))
        is None
    )


def test_a_cursor_outlives_its_key_until_that_is_retired() -> None:
    encoded = Cursors(lambda: "old").encode("acme", EVERYTHING, POSITION)

    assert Cursors(lambda: "new old").decode("acme", EVERYTHING, encoded) == POSITION
    assert Cursors(lambda: "new").decode("acme", EVERYTHING, encoded) is None


def test_a_new_key_signs_as_soon_as_it_is_the_first() -> None:
    encoded = Cursors(lambda: "new old").encode("acme", EVERYTHING, POSITION)

    assert Cursors(lambda: "new").decode("acme", EVERYTHING, encoded) == POSITION
    assert Cursors(lambda: "old new").decode("acme", EVERYTHING, encoded) == POSITION


def test_a_cursor_with_any_character_changed_is_refused() -> None:
    encoded = CURSORS.encode("acme", EVERYTHING, POSITION)

    changed = [
        encoded[:at] + letter + encoded[at + 1 :]
        for at in range(len(encoded))
        for letter in "A_.="
        if letter != encoded[at]
    ]

    assert not [cursor for cursor in changed if CURSORS.decode("acme", EVERYTHING, cursor)]


def test_a_forged_position_is_refused() -> None:
    _, _, signature = CURSORS.encode("acme", EVERYTHING, POSITION).partition(".")
    forged = base64.urlsafe_b64encode(json.dumps(["2030-01-01T00:00:00+00:00", "o-9"]).encode())

    assert CURSORS.decode("acme", EVERYTHING, f"{forged.decode().rstrip('=')}.{signature}") is None


@given(st.text(max_size=200))
def test_any_text_is_refused(text: str) -> None:
    assert CURSORS.decode("acme", EVERYTHING, text) is None
