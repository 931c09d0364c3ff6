"""The command line lists benchmarks and refuses names that are not in the catalog."""

import pytest

from benchmarks.__main__ import main
from benchmarks.catalog import CATALOG


def test_the_list_names_every_benchmark(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--list"])

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(CATALOG)


def test_an_unknown_name_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["no-such", "--quick"])

    message = capsys.readouterr().err
    assert "unknown benchmark 'no-such'" in message
    assert ", ".join(CATALOG) in message
