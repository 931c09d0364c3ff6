"""The page of datasets shows what the tests of messy files expect."""

from scripts.common.project_files import CHECKOUT
from tests.unit.datasets.messy_files import MESSY, described


def test_the_table_of_messy_files_is_that_of_the_tests() -> None:
    page = (CHECKOUT / "docs" / "datasets.md").read_text(encoding="utf-8")
    _, _, table = page.partition("| file | outcome |\n|---|---|\n")

    assert table.splitlines() == [described(it) for it in MESSY]
