"""Chooses format and compression from a scraper's headers. Pure."""

from services.metrics.snapshot import Format
from services.shared.http.negotiation import choices

_TYPES = {
    "application/openmetrics-text": (Format.OPENMETRICS, "1.0.0"),
    "application/*": (Format.OPENMETRICS, "1.0.0"),
    "text/plain": (Format.TEXT, "0.0.4"),
    "text/*": (Format.TEXT, "0.0.4"),
    "*/*": (Format.TEXT, "0.0.4"),
}


def choose_format(accept: str) -> Format:
    """Pick the scraper's preferred format; plain text when it accepts none of ours."""
    best, best_weight = Format.TEXT, 0.0
    for choice in choices(accept):
        form, version = _TYPES.get(choice.name, (None, ""))
        if form and choice.parameters.get("version", version) == version and choice.weight > best_weight:
            best, best_weight = form, choice.weight
    return best


def takes_gzip(accept_encoding: str) -> bool:
    weights = {choice.name: choice.weight for choice in choices(accept_encoding)}
    return weights.get("gzip", weights.get("*", 0.0)) > 0
