"""Exact ratios; whoever shows them rounds them."""

from fractions import Fraction
from typing import Final

_DECIMALS: Final = 6


def ratio(part: int | Fraction, whole: int | Fraction) -> Fraction | None:
    """Return None where there is nothing to divide by."""
    return Fraction(part) / Fraction(whole) if whole else None


def relative_change(now: int | Fraction | None, before: int | Fraction | None) -> Fraction | None:
    """Return (now - before) / before; None where there is nothing to compare with."""
    return None if now is None or before is None else ratio(now - before, before)


def rounded(exact: Fraction | None) -> float | None:
    """Return a ratio as it is shown."""
    return None if exact is None else float(round(exact, _DECIMALS))
