"""The served page passes `promtool check metrics`."""

import gzip
import subprocess

from services.metrics.catalog import catalog
from services.metrics.counters import Ledger
from services.metrics.rendering import Rendering
from services.metrics.snapshot import Format, Snapshot, Tally
from tests.monitoring import programs
from tests.support.metrics_fakes import deployed


def test_promtool_has_nothing_to_object_to() -> None:
    snapshot = Snapshot(1, 0, Ledger(watermark=0), Tally())
    page = Rendering(deployed(), catalog(deployed()), snapshot, 0.1).pages()[Format.TEXT]

    checked = subprocess.run(  # noqa: S603 - named by the tests
        [programs.promtool(), "check", "metrics"],
        input=gzip.decompress(page),
        capture_output=True,
        check=False,
    )

    assert (checked.returncode, checked.stderr.decode()) == (0, "")
