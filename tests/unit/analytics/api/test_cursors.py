"""A cursor is good for whom and what it was made for, as long as nobody touched it."""

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
def test_a_cursor_opens_at_the_very_microsecond_it_was_sealed_at(position: Position) -> None:
    sealed = CURSORS.seal("acme", EVERYTHING, position)

    assert CURSORS.open("acme", EVERYTHING, sealed) == position
    assert len(sealed) <= 1024


def test_a_position_in_another_zone_is_the_same_moment() -> None:
    elsewhere = replace(POSITION, placed_at=POSITION.placed_at.astimezone(timezone(timedelta(hours=5))))

    assert CURSORS.open("acme", EVERYTHING, CURSORS.seal("acme", EVERYTHING, elsewhere)) == POSITION


@pytest.mark.parametrize("tenant", ["other", "", "acm", "ACME"])
def test_a_cursor_is_of_no_use_to_another_tenant(tenant: str) -> None:
    sealed = CURSORS.seal("acme", EVERYTHING, POSITION)

    assert CURSORS.open(tenant, EVERYTHING, sealed) is None


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
def test_a_cursor_is_of_no_use_with_other_filters(filters: Filters) -> None:
    assert CURSORS.open("acme", filters, CURSORS.seal("acme", EVERYTHING, POSITION)) is None
    assert CURSORS.open("acme", EVERYTHING, CURSORS.seal("acme", filters, POSITION)) is None


def test_a_cursor_is_of_no_use_without_the_key_it_was_sealed_with() -> None:
    assert (
        Cursors(lambda: "other").open("acme", EVERYTHING, CURSORS.seal("acme", EVERYTHING, POSITION)) is None
    )


def test_a_cursor_in_which_any_letter_was_changed_is_refused() -> None:
    sealed = CURSORS.seal("acme", EVERYTHING, POSITION)

    changed = [
        sealed[:at] + dead_letter + sealed[at + 1 :]
        for at in range(len(sealed))
        for dead_letter in "A_.="
        if dead_letter != sealed[at]
    ]

    assert not [cursor for cursor in changed if CURSORS.open("acme", EVERYTHING, cursor)]


def test_a_position_of_one_s_own_is_refused() -> None:
    _, _, seal = CURSORS.seal("acme", EVERYTHING, POSITION).partition(".")
    wished = base64.urlsafe_b64encode(json.dumps(["2030-01-01T00:00:00+00:00", "o-9"]).encode())

    assert CURSORS.open("acme", EVERYTHING, f"{wished.decode().rstrip('=')}.{seal}") is None


@given(st.text(max_size=200))
def test_anything_at_all_is_refused_without_a_fuss(text: str) -> None:
    assert CURSORS.open("acme", EVERYTHING, text) is None
