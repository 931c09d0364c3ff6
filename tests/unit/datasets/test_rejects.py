"""Rejects can be opened in a spreadsheet."""

import pytest

from services.datasets.rejects import inert


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_what_a_spreadsheet_takes_for_a_formula_is_escaped(formula: str) -> None:
    assert inert(formula) == f"'{formula}"


def test_other_cells_stay_as_they_are() -> None:
    assert inert("a=1") == "a=1"
    assert inert("\0") == "\N{SYMBOL FOR NULL}"
