"""The published contract of the analytics API, generated from its routes and the same on every run."""

from pathlib import Path
from typing import Final

from scripts.common.errors import ToolError
from services.analytics.api.openapi import text

PUBLISHED: Final = Path(__file__).parents[3] / "docs" / "openapi.json"


def write(path: Path = PUBLISHED) -> bool:
    """Write the document; returns whether it changed."""
    document = text()
    try:
        if path.exists() and path.read_text(encoding="utf-8") == document:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(document, encoding="utf-8")
    except OSError as error:
        raise ToolError(f"cannot write {path}: {error.strerror}.") from error
    return True


if __name__ == "__main__":
    print(f"{PUBLISHED}: {'written' if write() else 'was up to date'}")
