"""Cases that once failed, kept as files and replayed as tests."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.strategies import Draw, sqs_record

CORPUS = Path(__file__).parent / "corpus"


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    consumer: str
    why: str
    bodies: tuple[str, ...]

    def batch(self) -> list[Draw]:
        return [Draw(sqs_record(n, body)) for n, body in enumerate(self.bodies)]


def read_corpus() -> list[Case]:
    return [_read(path) for path in sorted(CORPUS.glob("*.json"))]


def _read(path: Path) -> Case:
    case = json.loads(path.read_text(encoding="utf-8"))
    return Case(path.stem, case["consumer"], case["why"], tuple(case["bodies"]))


def keep(consumer: str, batch: Sequence[Draw], why: str) -> Path:
    """Write a batch that failed beside the others, under a name made of what it holds."""
    bodies = [draw.record["body"] for draw in batch]
    name = hashlib.sha256(json.dumps(bodies).encode()).hexdigest()[:10]
    path = CORPUS / f"{consumer}-{name}.json"
    path.write_text(json.dumps({"consumer": consumer, "why": why, "bodies": bodies}, indent=2) + "\n")
    return path
