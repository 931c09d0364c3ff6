"""CloudWatch's alarms name pages that exist, and count in the buckets that the code counts in."""

import re
from pathlib import Path

from scripts.common.project_files import CHECKOUT
from services.shared.histogram_buckets import BUCKETS, NAMES

MODULES = sorted((CHECKOUT / "infra" / "modules").glob("*/*.tf"))
RUNBOOKS = CHECKOUT / "docs" / "runbooks"
SETTLED_WITHIN = 5.0


def texts(*paths: Path) -> str:
    return "\n".join(it.read_text(encoding="utf-8") for it in paths)


def test_every_alarm_names_a_page_that_exists_by_the_variable() -> None:
    text = texts(*MODULES)
    pages = set(re.findall(r"\$\{(?:var\.runbooks_url|local\.runbooks)\}/([a-z-]+\.md)", text))

    assert len(pages) >= 8
    assert {it for it in pages if not (RUNBOOKS / it).is_file()} == set()
    assert re.findall(r"alarm_description.*docs/runbooks/", text) == []


def test_an_order_is_settled_in_time_in_the_buckets_that_the_code_counts() -> None:
    expected = list(NAMES[: BUCKETS.index(SETTLED_WITHIN) + 1])
    environment, readme = (
        CHECKOUT / "infra" / "modules" / it for it in ("environment/main.tf", "alarms/README.md")
    )

    for path in (environment, readme):
        (bounds,) = re.findall(r"for le in \[(.*?)\]", texts(path))
        assert re.findall(r'"([^"]+)"', bounds) == expected
