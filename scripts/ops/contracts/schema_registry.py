"""The released contracts: none is ever changed or removed, and each only adds to the one before.

A release is one file, `0001-<digest>.json`. Its name holds the digest of its text, and its text the name of
the previous release, so that an edited or removed release is detected.
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
    """Read the releases in order; fails if one was edited or removed."""
    releases: list[Release] = []
    for number, path in enumerate(sorted(folder.glob("*.json")), start=1):
        text = path.read_text(encoding="utf-8")
        if path.stem != _name(number, text):
            raise ToolError(f"{path}: a released contract was edited, renamed or removed; restore it.")
        content = json.loads(text)
        previous = releases[-1].name if releases else None
        if content["previous"] != previous:
            raise ToolError(f"{path}: does not follow {previous or 'an empty history'}; restore the history.")
        releases.append(Release(path.stem, content["events"]))
    return releases


def broken_releases(releases: list[Release], contract: Contract) -> list[str]:
    """Compare a contract with every release."""
    return [
        f"{fault} (released in {release.name})"
        for release in releases
        for fault in breaking_changes(release.contract, contract)
    ]


def release(folder: Path, contract: Contract) -> Path | None:
    """Release a contract; None if it equals the latest release. Fails if it breaks a release."""
    releases = read_releases(folder)
    if broken := broken_releases(releases, contract):
        raise ToolError("this contract breaks earlier releases:\n  " + "\n  ".join(broken))
    if releases and releases[-1].contract == contract:
        return None
    previous = releases[-1].name if releases else None
    text = render({"previous": previous, "events": dict(contract)})
    path = folder / f"{_name(len(releases) + 1, text)}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ToolError(f"cannot write the release to {folder}: {error.strerror}.") from error
    return path


def _name(number: int, text: str) -> str:
    return f"{number:04}-{sha256(text.encode()).hexdigest()[:_DIGITS]}"
