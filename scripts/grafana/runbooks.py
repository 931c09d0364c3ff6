"""Where the runbooks are published: one setting, `[tool.pulsequeue] runbooks-url` in pyproject.toml."""

import re
import tomllib
from functools import cache
from pathlib import Path

from scripts.common.project_files import CHECKOUT

_LINK = re.compile(r"https?://[^\s'\"]+/runbooks(?=/[\w-]+\.md)")
PROMETHEUS = CHECKOUT / "monitoring" / "prometheus"


@cache
def runbooks_url() -> str:
    settings = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    url: str = settings["tool"]["pulsequeue"]["runbooks-url"]
    return url.rstrip("/")


def link_rules(folder: Path = PROMETHEUS) -> list[Path]:
    """Have the alerts and their test cases link to where the runbooks are; return the changed files."""
    changed = []
    for path in sorted([*folder.glob("rules/*.yml"), *folder.glob("tests/*.yml")]):
        text = path.read_text(encoding="utf-8")
        if (linked := _LINK.sub(runbooks_url(), text)) != text:
            path.write_text(linked, encoding="utf-8")
            changed.append(path)
    return changed
