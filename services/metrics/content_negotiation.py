"""Chooses format and compression from a scraper's headers. Pure."""

from dataclasses import dataclass

from services.metrics.snapshot import Format

_TYPES = {
    "application/openmetrics-text": (Format.OPENMETRICS, "1.0.0"),
    "application/*": (Format.OPENMETRICS, "1.0.0"),
    "text/plain": (Format.TEXT, "0.0.4"),
    "text/*": (Format.TEXT, "0.0.4"),
    "*/*": (Format.TEXT, "0.0.4"),
}


@dataclass(frozen=True, slots=True)
class _Choice:
    name: str
    weight: float
    parameters: dict[str, str]


def choose_format(accept: str) -> Format:
    """Pick the scraper's preferred format; plain text when it accepts none of ours."""
    best, best_weight = Format.TEXT, 0.0
    for choice in _choices(accept):
        form, version = _TYPES.get(choice.name, (None, ""))
        if form and choice.parameters.get("version", version) == version and choice.weight > best_weight:
            best, best_weight = form, choice.weight
    return best


def takes_gzip(accept_encoding: str) -> bool:
    weights = {choice.name: choice.weight for choice in _choices(accept_encoding)}
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _choices(header: str) -> list[_Choice]:
    return [_choice(part) for part in header.lower().split(",")]


def _choice(part: str) -> _Choice:
    name, *rest = (piece.strip() for piece in part.split(";"))
    parameters = dict(piece.split("=", 1) for piece in rest if "=" in piece)
    return _Choice(name, _weight(parameters.pop("q", "1")), parameters)


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
