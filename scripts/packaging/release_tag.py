"""Checks that a release has one version: its tag, services/version.py and CHANGELOG.md.

The command line, the wheel and the Lambda packages have theirs from services/version.py.
"""

import re
import sys

from scripts.common.project_files import CHECKOUT
from services.version import __version__


def faults(tag: str, version: str, changelog: str) -> list[str]:
    """Return what does not agree with the version."""
    found = []
    if tag != f"v{version}":
        found.append(f"the tag is {tag}, the version in services/version.py is {version}: tag it v{version}")
    releases = re.findall(r"^## \[(\d[^\]]*)\]", changelog, re.MULTILINE)
    if releases[:1] != [version]:
        newest = releases[0] if releases else "none"
        found.append(f"the newest release of CHANGELOG.md is {newest}: rename Unreleased to [{version}]")
    return found


def main(tag: str) -> int:
    found = faults(tag, __version__, (CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8"))
    for fault in found:
        print(f"release_tag: {fault}.", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
