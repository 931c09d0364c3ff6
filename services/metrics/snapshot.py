"""The result of one collection: the ledger for the next one, and the pages for scrapers. Pure."""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from services.metrics.counters import Counter, Gauge, Ledger


class Format(StrEnum):
    """The two formats Prometheus reads."""

    TEXT = "text"
    OPENMETRICS = "openmetrics"

    @property
    def content_type(self) -> str:
        return _CONTENT_TYPES[self]


_CONTENT_TYPES = {
    Format.TEXT: "text/plain; version=0.0.4; charset=utf-8",
    Format.OPENMETRICS: "application/openmetrics-text; version=1.0.0; charset=utf-8",
}

Pages = Mapping[Format, bytes]
"""The served pages: rendered once, compressed with gzip, in every format."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counters of the collection itself, since the first one."""

    collections: int = 0
    requested: int = 0
    """Metrics requested from CloudWatch, as it bills them."""
    incomplete: int = 0
    """Results that CloudWatch marked as partial or failed."""

    def plus(self, *, requested: int, incomplete: int) -> Self:
        return type(self)(self.collections + 1, self.requested + requested, self.incomplete + incomplete)


@dataclass(frozen=True, slots=True)
class Snapshot:
    version: int
    collected_at: int
    """Seconds from the epoch: nothing in here is newer."""
    ledger: Ledger
    tally: Tally

    def encoded(self) -> bytes:
        """Encode the ledger, with minutes and hours relative to the watermark."""
        ledger = self.ledger
        document = {
            "version": self.version,
            "collectedAt": self.collected_at,
            "watermark": ledger.watermark,
            "tally": [self.tally.collections, self.tally.requested, self.tally.incomplete],
            "pending": sorted(ledger.pending),
            "counters": {
                key: [
                    counter.base,
                    ledger.watermark - counter.since,
                    _flat(counter.hours, ledger.watermark // 60),
                    _flat(counter.open, ledger.watermark),
                ]
                for key, counter in ledger.counters.items()
            },
            "gauges": {key: [gauge.at, gauge.value] for key, gauge in ledger.gauges.items()},
        }
        return zlib.compress(json.dumps(document, separators=(",", ":")).encode())

    @classmethod
    def decoded(cls, data: bytes) -> Self:
        document: dict[str, Any] = json.loads(zlib.decompress(data))
        watermark = document["watermark"]
        # Version 1 of the encoding had no kept hours: it was [base, *minutes].
        encoded = (
            document["counters"]
            if "pending" in document
            else {key: [base, 0, [], minutes] for key, (base, *minutes) in document["counters"].items()}
        )
        counters = {
            key: Counter(
                base, _by_time(minutes, watermark), _by_time(hours, watermark // 60), watermark - known_for
            )
            for key, (base, known_for, hours, minutes) in encoded.items()
        }
        gauges = {key: Gauge(at, value) for key, (at, value) in document["gauges"].items()}
        return cls(
            document["version"],
            document["collectedAt"],
            Ledger(watermark, counters, gauges, frozenset(document.get("pending", ()))),
            Tally(*document["tally"]),
        )


@dataclass(frozen=True, slots=True)
class Edition:
    """One version of the metrics and the keys of its parts."""

    version: int
    collected_at: int
    parts: Mapping[str, Sequence[str]]
    retired: Sequence[str]
    """Parts of the previous version, which a slow reader may still need."""


def _flat(values: Mapping[int, int], origin: int) -> list[int]:
    return [number for at, value in values.items() for number in (at - origin, value)]


def _by_time(flat: list[int], origin: int) -> dict[int, int]:
    return {origin + distance: value for distance, value in zip(flat[::2], flat[1::2], strict=True)}
