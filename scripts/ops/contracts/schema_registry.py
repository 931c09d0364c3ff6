"""What was promised to the outside: every released contract, kept for ever and only ever added to.

A release is one file, `0001-<digest>.json`. Its name holds the digest of its text, and its text the name of
the release before it, so that neither editing nor dropping an old promise goes unnoticed.
"""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from scripts.common.errors import ToolError
from scripts.ops.contracts.schema_compatibility import Contract, breaking_changes
from scripts.ops.contracts.schemas import render

_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Release:
    name: str
    contract: Contract


def read_releases(folder: Path) -> list[Release]:
    """Read every release, first to last, and refuse a history that somebody has changed."""
    releases: list[Release] = []
    for number, path in enumerate(sorted(folder.glob("*.json")), start=1):
        text = path.read_text(encoding="utf-8")
        if path.stem != _name(number, text):
            raise ToolError(f"{path}: a released contract was edited, renamed or removed; restore it.")
        content = json.loads(text)
        previous = releases[-1].name if releases else None
        if content["previous"] != previous:
            raise ToolError(
                f"{path}: does not follow on {previous or 'an empty history'}; restore the history."
            )
        releases.append(Release(path.stem, content["events"]))
    return releases


def broken_promises(releases: list[Release], contract: Contract) -> list[str]:
    """Hold a contract against everything ever released."""
    return [
        f"{fault} (promised in {release.name})"
        for release in releases
        for fault in breaking_changes(release.contract, contract)
    ]


def release(folder: Path, contract: Contract) -> Path | None:
    """Promise a contract. None when it is what was promised last; refused when it breaks a promise."""
    releases = read_releases(folder)
    if broken := broken_promises(releases, contract):
        raise ToolError("this contract breaks what was released:\n  " + "\n  ".join(broken))
    if releases and releases[-1].contract == contract:
        return None
    previous = releases[-1].name if releases else None
    text = render({"previous": previous, "events": dict(contract)})
    path = folder / f"{_name(len(releases) + 1, text)}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ToolError(f"the release cannot be written to {folder}: {error.strerror}.") from error
    return path


def _name(number: int, text: str) -> str:
    return f"{number:04}-{sha256(text.encode()).hexdigest()[:_DIGITS]}"
